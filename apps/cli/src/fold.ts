/** Long lines as several short ones. */

/** Every line of a text folded to `width` between its words, under its own indentation; a longer word stays whole. */
export function foldText(text: string, width: number): string {
  return text
    .split('\n')
    .map((line) => (line.length <= width ? line : foldLine(line, width)))
    .join('\n');
}

/** Folds what is written piece by piece: each knows what already stands in its line. */
export class Folder {
  readonly #width: number;
  #line = '';

  constructor(width: number) {
    this.#width = width;
  }

  /** The next piece of text, folded. */
  fold(text: string): string {
    // What stands in the line is written already, so that it can only break behind it.
    const before = this.#line.trimEnd().replaceAll(' ', 'x').padEnd(this.#line.length);
    const [first = '', ...others] = foldText(before + text, this.#width).split('\n');
    const lines = [first.length < before.length ? '' : first.slice(before.length), ...others];
    this.#line = others.at(-1) ?? this.#line + (lines[0] ?? '');
    return lines.join('\n');
  }

  /** The line was emptied. */
  reset(): void {
    this.#line = '';
  }
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
