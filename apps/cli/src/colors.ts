/** Whether a stream is colored, and the colors that are used. */
import type { Sink } from './io.js';

/** Codes of the looks (ECMA-48, SGR). */
const CODES = { bold: 1, red: 31, green: 32, cyan: 36 } as const;
/** How a piece of text looks. */
export type Look = keyof typeof CODES;
/** Text, or text with a look. */
export type Piece = string | readonly [look: Look, text: string];

/** True where FORCE_COLOR asks for colors; else false where NO_COLOR forbids them; else true on a terminal. */
export function hasColors(
  { isTTY }: Pick<Sink, 'isTTY'>,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = env;
  if (force !== undefined) return force !== '0' && force !== 'false';
  return !no && isTTY === true && term !== 'dumb';
}

/** The text between the codes of a look. */
export function color(look: Look, text: string): string {
  return `\x1b[${CODES[look]}m${text}\x1b[0m`;
}

/** Writes pieces, each in its look where the sink has colors. */
export function writePieces(sink: Sink, pieces: readonly Piece[]): void {
  for (const piece of pieces)
    if (typeof piece === 'string') sink.write(piece);
    else if (sink.writeStyled === undefined) sink.write(piece[1]);
    else sink.writeStyled(...piece);
}

/** The first `length` characters of pieces. */
export function cutPieces(pieces: readonly Piece[], length: number): readonly Piece[] {
  let left = length;
  return pieces.map((piece): Piece => {
    const text = typeof piece === 'string' ? piece : piece[1];
    const kept = text.slice(0, Math.max(0, left));
    left -= text.length;
    return typeof piece === 'string' ? kept : [piece[0], kept];
  });
}
