/** Scales a teacher's options to a student's: the same architecture, narrower, wider, shallower or deeper. */
import { InputError } from '@grok/core';
import { mlpWidth, type TransformerOptions, times } from './options.js';

/** Scale factors; both default to 1. */
export interface Scale {
  /** Factor for `dim` and the width of the MLP. */
  readonly width?: number;
  /** Factor for `depth`. */
  readonly depth?: number;
}

/**
 * Scales the options of a model; other options do not change. The number of heads is kept if it divides the new
 * width into even parts; otherwise the largest smaller number that does is used.
 * @throws InputError if a scaled size is not an integer ≥ 1.
 */
export function scaleOptions(options: TransformerOptions, by: Scale): TransformerOptions {
  const { width = 1, depth = 1 } = by;
  const { dim = 128, depth: blocks = 2, heads = 1, positions = 'rope' } = options;
  const newDim = whole('dim', dim, width);
  const part = positions === 'rope' ? 2 : 1;
  let newHeads = heads;
  while (newHeads > 1 && newDim % (newHeads * part) !== 0) newHeads--;
  return {
    ...options,
    dim: newDim,
    depth: whole('depth', blocks, depth),
    heads: newHeads,
    ...(options.dMlp === undefined
      ? {}
      : { dMlp: whole('dMlp', mlpWidth({ ...options, dim }), width) }),
  };
}

function whole(what: string, size: number, by: number): number {
  const scaled = times(size, by);
  if (!Number.isInteger(scaled) || scaled < 1)
    throw new InputError(
      `model "transformer": a ${what} of ${size} scaled by ${by} must be an integer ≥ 1, got ${scaled}; choose another scale`,
    );
  return scaled;
}
