/**
 * Error classes. Messages have a subject, a rule, the value that was given, and what to do; errors about unknown names
 * list the known ones and suggest the nearest. Check `name` instead of `instanceof`, so that several copies of core agree.
 */

/** Details of an `InputError` for programs. */
export interface ErrorDetails extends ErrorOptions {
  /** Error code, such as `unknown-name`. Programs should read it instead of the message. */
  readonly code?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}
/** Bad input (exit code 2): nothing was changed. */
export class InputError extends Error {
  override readonly name = 'GrokInputError';
  readonly code: string;
  readonly data: Readonly<Record<string, unknown>>;
  constructor(message: string, { code = 'bad-input', data = {}, ...options }: ErrorDetails = {}) {
    super(message, options);
    this.code = code;
    this.data = data;
  }
}
/** A failed run (exit code 1): saved files are kept. */
export class RunError extends Error {
  override readonly name = 'GrokRunError';
}
/** True for an `InputError` from any copy of core. */
export function isInputError(error: unknown): error is InputError {
  return error instanceof Error && error.name === 'GrokInputError';
}
/** True for a `RunError` from any copy of core. */
export function isRunError(error: unknown): error is RunError {
  return error instanceof Error && error.name === 'GrokRunError';
}

/** Returns the same error with a subject before its message; code and data are kept. */
export function withSubject(subject: string, error: InputError): InputError {
  const { message, code, data } = error;
  return new InputError(`${subject}: ${message}`, { cause: error, code, data });
}

/** Longest name for which suggestions are made. */
const WORD = 100;
/** Truncates text to `most` characters, so that an error fits one line. */
export function truncate(text: string, most = 200): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
/** Text as a truncated JSON string. */
export function quote(text: string): string {
  return JSON.stringify(truncate(text));
}

/** Number of single-character edits (insert, delete, replace, swap neighbors) between two words. */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [];
  /** Edit distance between the first i letters of a and the first j of b */
  const edits = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 0; i <= a.length; i++) {
    const row: number[] = [];
    rows.push(row);
    for (let j = 0; j <= b.length; j++) {
      const replaced = edits(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? edits(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY;
      const best = Math.min(edits(i - 1, j) + 1, edits(i, j - 1) + 1, replaced, swapped);
      row.push(i === 0 && j === 0 ? 0 : best);
    }
  }
  return edits(a.length, b.length);
}

/** The known name nearest to `got`, or undefined if none is close enough to be a typing mistake. */
export function nearest(got: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(got.length / 3)) + 1;
  if (got.length > WORD) return undefined;
  for (const name of known) {
    if (Math.abs(name.length - got.length) >= least) continue; // lower bound of the edit distance
    const distance = editDistance(got.toLowerCase(), name.toLowerCase());
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return best;
}

/** `unknown strategy "logti": did you mean "logit"? Known: attention, feature, hard, logit.` */
export function unknownName(what: string, got: string, known: Iterable<string>): InputError {
  const names = [...known].sort();
  const near = nearest(got, names);
  const hint = near === undefined ? '' : ` did you mean ${quote(near)}?`;
  const list = names.length === 0 ? 'there are none' : `known: ${truncate(names.join(', '), 2000)}`;
  const shown = hint ? list.replace(/^./, (first) => first.toUpperCase()) : list;
  return new InputError(`unknown ${what} ${quote(got)}:${hint} ${shown}`, {
    code: 'unknown-name',
    data: { kind: what, name: got, known: names },
  });
}
