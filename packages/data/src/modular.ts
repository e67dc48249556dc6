/**
 * Arithmetic modulo p as in Power et al. (arXiv 2201.02177, appendix A.1.1), laid out as the reference
 * implementation of the paper does it: rows a-major, four tokens `[a, OP, b, EQ]`, label c.
 */
import { InputError, type Task } from '@grok/core';

/** An operation on residues: `div` is a·b⁻¹ and leaves b = 0 out. */
export type Operation = 'add' | 'sub' | 'mul' | 'div';

const SYMBOL: Readonly<Record<Operation, string>> = { add: '+', sub: '-', mul: '*', div: '/' };
/** 4096² rows of four tokens are 268 MB: more is a slip of the hand. */
const LARGEST = 4096;

/**
 * The whole table of an operation modulo p: p² rows (p·(p − 1) for `div`), tokens 0 … p − 1, OP = p,
 * EQ = p + 1, hence a vocabulary of p + 2.
 * @throws InputError when p is no integer in 2 … 4096, or no prime for `div`.
 */
export function modularTask(op: Operation, p: number): Task {
  const subject = `task "${op}"`;
  if (!Number.isInteger(p) || p < 2 || p > LARGEST)
    throw new InputError(
      `${subject}: the modulus p must be a whole number from 2 to ${LARGEST}, got ${p}; the paper's is 97`,
    );
  if (op === 'div' && !isPrime(p))
    throw new InputError(
      `${subject}: the modulus p must be prime, so that every b has an inverse, got ${p}; the nearest prime is ${nearestPrime(p)}`,
    );
  const first = op === 'div' ? 1 : 0;
  const columns = p - first;
  const operate = operation(op, p);
  const tokens = new Int32Array(p * columns * 4);
  const labels = new Int32Array(p * columns);
  for (let a = 0, row = 0; a < p; a++)
    for (let b = first; b < p; b++, row++) {
      tokens.set([a, p, b, p + 1], 4 * row);
      labels[row] = operate(a, b);
    }
  return {
    vocabulary: p + 2,
    inputs: { data: tokens, shape: [labels.length, 4], dtype: 'int32' },
    labels,
    show(row) {
      if (!(Number.isInteger(row) && row >= 0 && row < labels.length))
        throw new InputError(
          `${subject}: rows are whole numbers from 0 to ${labels.length - 1}, got ${row}`,
        );
      return `${tokens[4 * row]} ${SYMBOL[op]} ${tokens[4 * row + 2]} = ${labels[row]} (mod ${p})`;
    },
    modular: { p, op },
  };
}

function operation(op: Operation, p: number): (a: number, b: number) => number {
  if (op === 'add') return (a, b) => (a + b) % p;
  if (op === 'sub') return (a, b) => (a - b + p) % p;
  if (op === 'mul') return (a, b) => (a * b) % p;
  const inverses = inverseTable(p);
  return (a, b) => (a * inverses[b]!) % p;
}

/** b → b⁻¹ for a prime p, by p = qb + r, hence b⁻¹ = −q·r⁻¹. */
function inverseTable(p: number): readonly number[] {
  const inverses = [0, 1];
  for (let b = 2; b < p; b++) {
    const q = Math.floor(p / b);
    inverses[b] = ((p - q) * inverses[p - q * b]!) % p;
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
