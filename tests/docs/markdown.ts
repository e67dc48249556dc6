/** Extracts fenced blocks, links and tables from Markdown, for the documentation tests. */

/** A fenced block with a language; `line` is the number of its first line of text, from 1. */
export interface Block {
  readonly file: string;
  readonly line: number;
  readonly lang: string;
  /** The text after the language on the fence, such as `no-run`. */
  readonly info: string;
  readonly text: string;
}

/** The fenced blocks of a page; a fence may be indented, as in a list. */
export function parseBlocks(file: string, markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const fence = /^(\s*)(`{3,}|~{3,})\s*(\S*)\s*(.*)$/.exec(lines[i]!);
    if (fence === null) continue;
    const [, indent = '', marks = '', lang = '', info = ''] = fence;
    const start = i + 1;
    while (++i < lines.length && !lines[i]!.trim().startsWith(marks));
    const text = lines
      .slice(start, i)
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line.trimStart()))
      .join('\n');
    if (lang !== '') blocks.push({ file, line: start + 1, lang, info: info.trim(), text });
  }
  return blocks;
}

/** The page without fenced blocks and code spans. */
const prose = (markdown: string): string =>
  markdown.replace(/^(\s*)(`{3,}|~{3,})[\s\S]*?^\s*\2/gm, '').replace(/`[^`\n]*`/g, '');

/** Targets of links and images within the repository, without anchors. */
export function parseLinks(markdown: string): string[] {
  return [...prose(markdown).matchAll(/\]\(([^)\s]+)[^)]*\)/g)]
    .map(([, target = '']) => target.replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}

/** The rows of every table as cells, without headers and separators. */
export function tableRows(markdown: string): string[][] {
  const cells = (line: string): string[] =>
    line
      .trim()
      .replace(/^\||\|$/g, '')
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim());
  const lines = markdown.split('\n');
  return lines.flatMap((line, i) => {
    const isRule = (at: number): boolean => /^\s*\|[\s:|-]+\|\s*$/.test(lines[at] ?? '');
    return !line.trim().startsWith('|') || isRule(i) || isRule(i + 1) ? [] : [cells(line)];
  });
}
