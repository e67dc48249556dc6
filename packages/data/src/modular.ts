/**
 * Arithmetic modulo p as in Power et al. (arXiv 2201.02177, appendix A.1.1), in the layout of the
 * paper's reference implementation: rows a-major, four tokens `[a, OP, b, EQ]` unless another
 * format is given, label c.
 */
import { InputError, type RowPairs, rng, type Task } from '@grok/core';

/** An operation on residues; `div` is a·b⁻¹, without rows for b = 0. */
export type Operation = 'add' | 'sub' | 'mul' | 'div';

const SYMBOL: Readonly<Record<Operation, string>> = { add: '+', sub: '-', mul: '*', div: '/' };
/** 4096² rows of four tokens are 268 MB; larger values are typos. */
const LARGEST = 4096;

/** The tokens of a row, each at most once: `a` and `b` are the operands, `p` is a token for the modulus. */
export type Place = 'a' | 'b' | 'op' | 'eq' | 'p';
/** The row format of the reference implementation. */
export const REFERENCE_FORMAT: readonly Place[] = ['a', 'op', 'b', 'eq'];

/** Operands of all rows, a-major. */
interface Operands {
  readonly a: Int32Array;
  readonly b: Int32Array;
}

/**
 * All rows of an operation modulo p: p² rows (p·(p − 1) for `div`), tokens 0 … p − 1, OP = p, EQ = p + 1, a
 * vocabulary of p + 2; with `p` in the format, its token is p + 2.
 * @throws InputError if p is not an integer in 2 … 4096 or not prime for `div`, or if the format lacks an
 * operand or repeats a token.
 */
export function modularTask(
  op: Operation,
  p: number,
  format: readonly Place[] = REFERENCE_FORMAT,
): Task {
  const subject = `task "${op}"`;
  checkModulus(subject, op, p);
  checkFormat(subject, format);
  const { a, b } = listOperands(p, op === 'div' ? 1 : 0);
  const tokens = [...residues(p), SYMBOL[op], '=', ...(format.includes('p') ? [`mod ${p}`] : [])];
  const constants = { op: p, eq: p + 1, p: p + 2 };
  const columns = format.map((place) => (place === 'a' ? a : place === 'b' ? b : constants[place]));
  const inputs = new Int32Array(a.length * format.length);
  columns.forEach((column, at) => {
    for (const row of a.keys())
      inputs[row * format.length + at] = typeof column === 'number' ? column : (column[row] ?? 0);
  });
  const operate = operation(op, p);
  const labels = a.map((left, row) => operate(left, b[row] ?? 0));
  const checkRow = (row: number): void => {
    if (!(Number.isInteger(row) && row >= 0 && row < labels.length))
      throw new InputError(
        `${subject}: rows must be integers from 0 to ${labels.length - 1}, got ${row}`,
      );
  };
  const question = (row: number): string => {
    checkRow(row);
    return `${a[row]} ${SYMBOL[op]} ${b[row]} (mod ${p})`;
  };
  return {
    vocabulary: tokens.length,
    inputs: { data: inputs, shape: [labels.length, format.length], dtype: 'int32' },
    labels,
    show(row) {
      checkRow(row);
      return `${a[row]} ${SYMBOL[op]} ${b[row]} = ${labels[row]} (mod ${p})`;
    },
    format,
    tokens,
    classes: residues(p),
    question,
    pairs: (seed, n) => drawPairs({ p, columns: a.length / p }, format, seed, n),
    modular: { p, op },
  };
}

const residues = (p: number): readonly string[] => Array.from({ length: p }, (_, i) => String(i));

function checkModulus(subject: string, op: Operation, p: number): void {
  if (!Number.isInteger(p) || p < 2 || p > LARGEST)
    throw new InputError(
      `${subject}: the modulus p must be an integer from 2 to ${LARGEST}, got ${p}; the paper's is 97`,
    );
  if (op === 'div' && !isPrime(p))
    throw new InputError(
      `${subject}: the modulus p must be prime, so that every b has an inverse, got ${p}; the nearest prime is ${nearestPrime(p)}`,
    );
}

function checkFormat(subject: string, format: readonly Place[]): void {
  const whole = format.includes('a') && format.includes('b');
  if (!whole || new Set(format).size !== format.length)
    throw new InputError(
      `${subject}: the format must have a and b, and no duplicates, got ${JSON.stringify(format)}; the reference's is ${JSON.stringify(REFERENCE_FORMAT)}`,
    );
}

function listOperands(p: number, firstB: number): Operands {
  const columns = p - firstB;
  const rows = Int32Array.from({ length: p * columns }, (_, row) => row);
  return {
    a: rows.map((row) => Math.floor(row / columns)),
    b: rows.map((row) => firstB + (row % columns)),
  };
}

/** Pairs of rows that differ in a or in b, drawn uniformly with replacement. */
function drawPairs(
  { p, columns }: { readonly p: number; readonly columns: number },
  format: readonly Place[],
  seed: number,
  n: number,
): RowPairs {
  if (!Number.isInteger(n) || n < 0)
    throw new InputError(`pairs: their number must be an integer ≥ 0, got ${n}`);
  const random = rng(seed).split('pairs');
  const draw = (label: string): Float64Array => random.split(label).uniform(n);
  const [rows, sides, shifts] = [draw('row'), draw('side'), draw('shift')];
  const below = (share: number, end: number): number => Math.min(end - 1, Math.floor(share * end));
  const clean = Int32Array.from(rows, (share) => below(share, p * columns));
  const changesA = Array.from(sides, (share) => share < 0.5 || columns === 1);
  const corrupted = clean.map((row, i) => {
    const [left, right] = [Math.floor(row / columns), row % columns];
    const shift = 1 + below(shifts[i] ?? 0, (changesA[i] ? p : columns) - 1);
    return changesA[i]
      ? ((left + shift) % p) * columns + right
      : left * columns + ((right + shift) % columns);
  });
  const position = Int32Array.from(changesA, (first) => format.indexOf(first ? 'a' : 'b'));
  return { clean, corrupted, position };
}

function operation(op: Operation, p: number): (a: number, b: number) => number {
  if (op === 'add') return (a, b) => (a + b) % p;
  if (op === 'sub') return (a, b) => (a - b + p) % p;
  if (op === 'mul') return (a, b) => (a * b) % p;
  const inverses = inverseTable(p);
  return (a, b) => (a * (inverses[b] ?? 0)) % p;
}

/** Inverses b⁻¹ for a prime p, from p = qb + r, so b⁻¹ = −q·r⁻¹. */
function inverseTable(p: number): readonly number[] {
  const inverses = [0, 1];
  for (let b = 2; b < p; b++) {
    const q = Math.floor(p / b);
    inverses[b] = ((p - q) * (inverses[p - q * b] ?? 0)) % p;
  }
  return inverses;
}

function isPrime(n: number): boolean {
  if (n < 2) return false;
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
}

function nearestPrime(n: number): number {
  for (let d = 1; ; d++) {
    if (isPrime(n - d)) return n - d;
    if (isPrime(n + d)) return n + d;
  }
}
