/** Options of the transformer, their defaults, and the rules between them. */
import { InputError, type TaskInfo } from '@grok/core';
import { distinctPrefixes, type Prefixes } from './prefixes.js';
import { findPlaces, type Places } from './tables.js';

/** Options of `transformer`; all have defaults, which are the paper's teacher without dropout. */
export interface TransformerOptions {
  /** Width of the residual stream, default 128. */
  readonly dim?: number;
  /** Number of blocks, default 2. */
  readonly depth?: number;
  /** Attention heads per block, default 1; must divide `dim`. */
  readonly heads?: number;
  /** Gated SiLU (default), or plain ReLU or GELU. */
  readonly mlp?: 'swiglu' | 'relu' | 'gelu';
  /** Width of the MLP relative to `dim`, default 4. */
  readonly mlpRatio?: number;
  /** Width of the MLP, as an alternative to `mlpRatio`. */
  readonly dMlp?: number;
  /** RMSNorm (default), LayerNorm, or no normalization. */
  readonly norm?: 'rms' | 'layer' | 'none';
  /** Rotary (default), learned, or no positions. */
  readonly positions?: 'rope' | 'learned' | 'none';
  /** Whether attention is causal, default true. */
  readonly causal?: boolean;
  /** Read the last position (`cls`, default) or the mean of all positions. */
  readonly pool?: 'cls' | 'mean';
  /** Probability of dropping a value after attention and inside the MLP, in [0, 1), default 0. */
  readonly dropout?: number;
  /** Base of the rotary angles, default 1e6. */
  readonly ropeBase?: number;
  /** Added to the variance in norms, default 1e-6. */
  readonly eps?: number;
  /** Exact shortcuts, all on by default; they affect speed, not results. */
  readonly algebra?: Algebra;
}
/** Exact shortcuts; `false` turns one off. */
export interface Algebra {
  /** Compute queries, keys, values and scores of the first block once per token and position. */
  readonly vocabularyTable?: boolean;
  /** Compute only the position that is read in the last block. */
  readonly lastPosition?: boolean;
  /** Compute positions once per distinct prefix of tokens. */
  readonly sharedPrefixes?: boolean;
  /** With one head, multiply `W_V · W_O` into one matrix if that costs less. */
  readonly jointOV?: boolean;
}

/** The options with all defaults filled in. */
export type FullOptions = Required<Omit<TransformerOptions, 'mlpRatio' | 'dMlp' | 'algebra'>> & {
  readonly mlpRatio?: number | undefined;
  readonly dMlp?: number | undefined;
  readonly algebra: Required<Algebra>;
};

/** Everything that the model's code needs: options and the task's sizes. */
export interface Config extends Omit<FullOptions, 'mlpRatio' | 'dMlp' | 'positions'> {
  readonly positions: 'rope' | 'learned' | 'none';
  readonly dMlp: number;
  readonly dHead: number;
  /** Number of positions per row. */
  readonly length: number;
  /** Number of classes in the logits, and of tokens when inputs are tokens. */
  readonly vocabulary: number;
  /** Number of features per position when inputs are features, otherwise undefined. */
  readonly features: number | undefined;
  /** Distinct prefixes of the task's tokens, shortest first, for the lengths that repeat. */
  readonly prefixes: readonly Prefixes[];
  /** Which tokens the task has at which position; undefined when inputs are features. */
  readonly places: Places | undefined;
}

/** A size times a factor, without binary rounding errors: 100 × 1.1 is 110. */
export function times(size: number, by: number): number {
  return Math.round(size * by * 1e9) / 1e9;
}

/** Width of the MLP. @throws InputError when it is given twice or is not an integer ≥ 1. */
export function mlpWidth(options: Pick<FullOptions, 'dim' | 'mlpRatio' | 'dMlp'>): number {
  const { dim, mlpRatio, dMlp } = options;
  if (dMlp !== undefined && mlpRatio !== undefined)
    throw new InputError(
      `model "transformer": give mlpRatio or dMlp, not both, got ${mlpRatio} and ${dMlp}`,
    );
  const width = dMlp ?? times(dim, mlpRatio ?? 4);
  if (!Number.isInteger(width) || width < 1)
    throw new InputError(
      `model "transformer": mlpRatio times dim must be an integer ≥ 1, got ${mlpRatio} times ${dim}; give dMlp instead`,
    );
  return width;
}

/** Combines options and task. @throws InputError when they do not match. */
export function configure(options: FullOptions, task: TaskInfo): Config {
  const { dim, heads, positions } = options;
  if (dim % heads !== 0)
    throw new InputError(
      `model "transformer": heads must divide dim, got ${heads} heads for a dim of ${dim}`,
    );
  const dHead = dim / heads;
  if (positions === 'rope' && dHead % 2 !== 0)
    throw new InputError(
      `model "transformer": rotary positions rotate pairs of dimensions, so a head's width must be even, got ${dHead} (dim ${dim}, ${heads} heads); change dim or heads, or give positions "learned"`,
    );
  const { shape, dtype } = task.inputs;
  const [, second = 0] = shape;
  const numeric = dtype === 'float32';
  if (shape.length !== 2 && !(numeric && shape.length === 3))
    throw new InputError(
      `model "transformer": inputs must be int32 tokens [rows, positions], or float32 [rows, features] or [rows, positions, features], got ${dtype} [${shape}]`,
    );
  return {
    ...options,
    dMlp: mlpWidth(options),
    dHead,
    length: numeric && shape.length === 2 ? 1 : second,
    vocabulary: task.vocabulary,
    features: numeric ? shape.at(-1) : undefined,
    // A position's value is determined by its prefix only if it cannot see later positions.
    prefixes: options.causal && options.algebra.sharedPrefixes ? distinctPrefixes(task) : [],
    places: options.algebra.vocabularyTable ? findPlaces(task, heads) : undefined,
  };
}
