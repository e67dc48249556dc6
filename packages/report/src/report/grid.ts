/** A table as data, and the three ways in which it is written. */
import { printable } from '@grok/core/internal';
import { layOut, markdown } from '../layout.js';

/** A table; its name is its file name, such as `table-4.2.1`. */
export interface Table {
  readonly name: string;
  readonly title: string;
  /** Notes under the table. */
  readonly note?: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Formats a table as LaTeX with caption and label; needs no packages. */
export function formatLatex({ name, title, note, head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `${cells.map(escaped).join(' & ')} \\\\`;
  const caption = `${title}.${note === undefined ? '' : ` ${note}`}`;
  return [
    '\\begin{table}[h]',
    '\\centering',
    `\\caption{${escaped(caption)}}`,
    `\\label{tab:${name.replace('table-', '')}}`,
    `\\begin{tabular}{l${'r'.repeat(head.length - 1)}}`,
    '\\hline',
    line(head).replace(/([^&]+?)( &| \\\\)/g, (_, cell, end) => `\\textbf{${cell.trim()}}${end}`),
    '\\hline',
    ...rows.map(line),
    '\\hline',
    '\\end{tabular}',
    '\\end{table}',
    '',
  ].join('\n');
}

/** Formats a table as Markdown, with its title. */
export function formatMarkdown({ title, note, head, rows }: Table): string {
  const grid = layOut(head, rows, { style: 'markdown' }).trimEnd();
  const texts = [`### ${markdown(title)}`, grid, ...(note === undefined ? [] : [markdown(note)])];
  return texts.join('\n\n');
}

/** Formats a table as HTML, with its title as caption. */
export function formatHtml({ name, title, note, head, rows }: Table): string {
  const cells = (tag: string, of: readonly string[]): string =>
    of
      .map((cell, i) =>
        i === 0 && tag === 'td'
          ? `<th scope="row">${html(cell)}</th>`
          : `<${tag}>${html(cell)}</${tag}>`,
      )
      .join('');
  return [
    `<div class="scroll"><table id="${html(name)}"><caption>${html(title)}</caption>`,
    `<thead><tr>${cells('th', head)}</tr></thead>`,
    `<tbody>${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('\n')}</tbody></table></div>`,
    ...(note === undefined ? [] : [`<p class="note">${html(note)}</p>`]),
  ].join('\n');
}

/** Escapes text for HTML, also for attributes. */
export function html(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

const LATEX: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '±': '$\\pm$',
  '×': '$\\times$',
  '–': '--',
  '−': '$-$',
  '≥': '$\\geq$',
  '≤': '$\\leq$',
  '·': '$\\cdot$',
  '√': '$\\surd$',
  Σ: '$\\Sigma$',
  '²': '$^2$',
  '<': '$<$',
  '>': '$>$',
  '…': '\\ldots{}',
};

function escaped(text: string): string {
  return printable(text).replace(/[\\~^±×–−≥≤·√Σ²<>…]|[%&_#${}]/g, (c) => LATEX[c] ?? `\\${c}`);
}
