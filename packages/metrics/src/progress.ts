/**
 * Restricted and excluded loss (Nanda et al. 2023, arXiv 2301.05217, section 5): the logits with nothing
 * but, or without, what the key frequencies say of the answer. Restricted loss falls while the circuit
 * forms; excluded loss rises on training rows as the model stops memorizing.
 */
import { answer, type CyclicGroup, type Grid } from './modular.js';
import { addScaled } from './sample.js';

/** Mean cross-entropies (nats). */
export interface ProgressLosses {
  readonly full: number;
  readonly restricted: number;
  readonly excluded: number;
}

/**
 * Losses of logits `[order, order, classes]`: unchanged, restricted to each class's constant and the key
 * frequencies of the answer, and without these frequencies. @param cells the cells x·order + y to average over
 * (training rows, say); default: all
 */
export function progressLosses(
  logits: Grid,
  group: CyclicGroup,
  keys: readonly number[],
  cells?: ArrayLike<number>,
): ProgressLosses {
  const { order: n, width } = logits;
  const components = answerComponents(logits, group, keys);
  const constants = new Float64Array(width);
  for (let i = 0; i < logits.data.length; i += width)
    addScaled(constants, 1 / n ** 2, logits.data.subarray(i, i + width));
  const sums = { full: 0, restricted: 0, excluded: 0 };
  const chosen = Array.from(cells ?? { length: n * n }, (cell: number | undefined, i) => cell ?? i);
  const among = chosen.filter((cell) => cell >= 0);
  for (const cell of among) {
    const z = answer(group, Math.floor(cell / n), cell % n);
    const full = logits.data.subarray(cell * width, (cell + 1) * width);
    const component = components.subarray(z * width, (z + 1) * width);
    const label = group.residues[z]!;
    sums.full += crossEntropy(full, label);
    sums.restricted += crossEntropy(plus(constants, 1, component), label);
    sums.excluded += crossEntropy(plus(full, -1, component), label);
  }
  const mean = (sum: number) => sum / among.length;
  return {
    full: mean(sums.full),
    restricted: mean(sums.restricted),
    excluded: mean(sums.excluded),
  };
}

/** Projection of every class onto cos_k and sin_k of the answer z, summed over the keys: `[order, classes]`. */
function answerComponents(logits: Grid, group: CyclicGroup, keys: readonly number[]): Float64Array {
  const { order: n, width } = logits;
  const means = new Float64Array(n * width); // over the n pairs of each answer
  for (let x = 0; x < n; x++)
    for (let y = 0; y < n; y++) {
      const [from, to] = [(x * n + y) * width, answer(group, x, y) * width];
      addScaled(means.subarray(to, to + width), 1 / n, logits.data.subarray(from, from + width));
    }
  const out = new Float64Array(n * width);
  const readRow = (rows: Float64Array, z: number) => rows.subarray(z * width, (z + 1) * width);
  for (const k of keys) {
    // Σ over cos_k and sin_k of wave(z)·wave(z') is cos(2πk(z − z')/n), times 2/n but at the half frequency.
    const norm = (2 * k === n ? 1 : 2) / n;
    for (let z = 0; z < n; z++)
      for (let other = 0; other < n; other++) {
        const angle = (2 * Math.PI * ((k * (z - other + n)) % n)) / n;
        addScaled(readRow(out, z), norm * Math.cos(angle), readRow(means, other));
      }
  }
  return out;
}

/** values + factor · others, in an array of its own. */
function plus(values: Float64Array, factor: 1 | -1, others: Float64Array): Float64Array {
  const sum = values.slice();
  addScaled(sum, factor, others);
  return sum;
}

function crossEntropy(logits: Float64Array, label: number): number {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const sum = logits.reduce((total, v) => total + Math.exp(v - most), 0);
  return Math.log(sum) + most - logits[label]!;
}
