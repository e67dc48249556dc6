/**
 * Effective ranks: how many directions carry a matrix. Papers call different numbers by this name,
 * so each has a name of its own here. s are singular values, λ = s².
 */
import { centered, type Rows, singularValues, toMatrix } from './rows.js';
import { entropy } from './sample.js';

/** Five effective ranks, each between 1 and the number of directions; NaN if all values are zero. */
export interface EffectiveRanks {
  /** (Σs)² / Σs². */
  readonly participation: number;
  /** (Σλ)² / Σλ², the participation ratio of the variances. */
  readonly participationOfSquares: number;
  /** exp of the entropy of s/Σs (Roy & Vetterli 2007). */
  readonly royVetterli: number;
  /** exp of the entropy of λ/Σλ. */
  readonly entropyOfSquares: number;
  /** (Σs)² / Σs² over s > 1 % of the largest, without centering, as in the paper's section 4.3.3. */
  readonly asPublished: number;
}

/**
 * Effective ranks of activations `[…, d]`, whose columns are centered first, or of weights (`centered: false`).
 * Centering affects all of them except `asPublished`.
 */
export function computeEffectiveRanks(
  value: Rows,
  options: { centered?: boolean } = {},
): EffectiveRanks {
  const x = toMatrix(value);
  const raw = singularValues(x);
  const s = options.centered === false ? raw : singularValues(centered(x));
  const squares = s.map((v) => v * v);
  return {
    participation: participation(s),
    participationOfSquares: participation(squares),
    royVetterli: Math.exp(entropy(s)),
    entropyOfSquares: Math.exp(entropy(squares)),
    asPublished: participation(raw, 0.01),
  };
}

/** (Σs)² / Σs² over the values above `cut` times the largest; NaN if all are zero. */
export function participation(values: readonly number[], threshold = 0): number {
  const kept = values.filter((v) => v > threshold * Math.max(...values));
  const sum = kept.reduce((a, v) => a + v, 0);
  return sum ** 2 / kept.reduce((a, v) => a + v * v, 0);
}
