/** Students from teachers: the same architecture, narrower, wider, shallower or deeper. */
import { InputError } from '@grok/core';
import { mlpWidth, type TransformerOptions, times } from './options.js';

/** What to multiply; both default to 1. */
export interface Scale {
  /** Multiplies `dim`, and with it the MLP's width. */
  readonly width?: number;
  /** Multiplies `depth`. */
  readonly depth?: number;
}

/**
 * Options of a model scaled from another's; dropout and all else is kept. Heads are kept where they
 * divide the new width into even parts, else there are as many as do, at most as before.
 * @throws InputError when a scaled size is not an integer ≥ 1.
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
