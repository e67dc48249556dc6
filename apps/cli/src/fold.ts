/** Long lines as several short ones. */

/** Every line of a text folded to `width` between its words, under its own indentation; a longer word stays whole. */
export function foldText(text: string, width: number): string {
  return text
    .split('\n')
    .map((line) => (line.length <= width ? line : foldLine(line, width)))
    .join('\n');
}

function foldLine(line: string, width: number): string {
  const indent = /^ */.exec(line)?.[0] ?? '';
  const lines: string[] = [];
  let current = '';
  for (const word of line.slice(indent.length).split(' ')) {
    if (current !== '' && current.length + 1 + word.length > width) {
      lines.push(current.trimEnd());
      current = '';
    }
    if (current === '') current = indent + word;
    else current += ` ${word}`;
  }
  return [...lines, current].join('\n');
}
