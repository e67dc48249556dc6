/**
 * Modular arithmetic as addition in a cyclic group, so that one Fourier analysis serves all four
 * operations (Nanda et al. 2023, arXiv 2301.05217; by discrete logarithm for products).
 */
import { type HostArray, InputError, type Task } from '@grok/core';

/** The cyclic group Z_n behind an operation modulo p: the answer to (x, y) is x + y or x − y. */
export interface CyclicGroup {
  /** n: p for `add` and `sub`, p − 1 for `mul` and `div`. */
  readonly order: number;
  /** Residue of each element: the element itself, or a power of `generator`. */
  readonly residues: readonly number[];
  /**
   * The smallest generator of the units modulo p, for `mul` and `div`. Report it with frequencies, which depend
   * on it.
   */
  readonly generator: number | null;
  /** The element of the answer is x + sign·y. */
  readonly sign: 1 | -1;
}

/**
 * The cyclic group of a modular task.
 * @throws InputError if the task is not `add`, `sub`, `mul` or `div`, or for a composite p with `mul` and
 * `div`.
 */
export function cyclicGroup(task: { readonly modular?: Task['modular'] }): CyclicGroup {
  const { p, op } = task.modular ?? { p: 0, op: 'none' };
  if (!['add', 'sub', 'mul', 'div'].includes(op))
    throw new InputError(
      `Fourier measures: need a task add, sub, mul or div modulo p, got "${op}"`,
    );
  const sign = op === 'sub' || op === 'div' ? -1 : 1;
  if (op === 'add' || op === 'sub')
    return { order: p, residues: Array.from({ length: p }, (_, x) => x), generator: null, sign };
  for (let g = 1; g < p; g++) {
    const residues = powers(g, p);
    if (residues.length === p - 1) return { order: p - 1, residues, generator: g, sign };
  }
  throw new InputError(`Fourier measures: "${op}" needs a prime modulus, got ${p}`);
}

/** 1, g, g², … modulo p up to the first repetition. */
function powers(g: number, p: number): number[] {
  const out: number[] = [];
  const seen = new Set<number>();
  for (let x = 1 % p; !seen.has(x); x = (x * g) % p) {
    seen.add(x);
    out.push(x);
  }
  return out;
}

/** The element of the answer for (x, y). */
export function answer(group: CyclicGroup, x: number, y: number): number {
  return (x + group.sign * y + group.order) % group.order;
}

/** Values over every pair (x, y) of a group: `data` is `[order, order, width]`. */
export interface Grid {
  readonly order: number;
  readonly width: number;
  readonly data: Float64Array;
}

/**
 * The operands of the rows of a modular task: the tokens at `a` and `b` of its format, by default the first and
 * the third.
 */
export function readOperands(
  { inputs, format = ['a', 'op', 'b'] }: Pick<Task, 'inputs' | 'format'>,
  rows: ArrayLike<number>,
): { readonly a: Int32Array; readonly b: Int32Array } {
  const [, positions = 1] = inputs.shape;
  const read = (place: string): Int32Array => {
    const at = format.indexOf(place);
    return Int32Array.from(rows, (row) => inputs.data[row * positions + at] ?? 0);
  };
  return { a: read('a'), b: read('b') };
}

/**
 * The cell x·order + y of each row of a task over (a, b); −1 if a or b is 0 in a product, since 0 has no
 * logarithm.
 */
export function locateCells(group: CyclicGroup, task: Task, rows: ArrayLike<number>): Int32Array {
  const element = new Map(group.residues.map((residue, x) => [residue, x]));
  const { a, b } = readOperands(task, rows);
  return a.map((value, i) => {
    const [x, y] = [element.get(value), element.get(b[i] ?? 0)];
    return x === undefined || y === undefined ? -1 : x * group.order + y;
  });
}

/**
 * Arranges the values of rows over the group. @param values `[rows, width]`
 * @throws InputError if a pair is missing, since Fourier components need all of them.
 */
export function layOutGrid(
  group: CyclicGroup,
  task: Task,
  rows: ArrayLike<number>,
  values: HostArray,
): Grid {
  const width = values.data.length / rows.length;
  const data = new Float64Array(group.order ** 2 * width);
  const filled = new Set<number>();
  for (const [i, cell] of locateCells(group, task, rows).entries()) {
    if (cell < 0) continue;
    filled.add(cell);
    data.set(values.data.subarray(i * width, (i + 1) * width), cell * width);
  }
  if (filled.size !== group.order ** 2)
    throw new InputError(
      `Fourier measures: need all ${group.order ** 2} pairs, got ${filled.size}; give both training and validation rows`,
    );
  return { order: group.order, width, data };
}
