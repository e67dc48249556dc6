/** UMAP (McInnes et al. 2018) by umap-js, which is loaded when it is first asked for. */
import { InputError, type Rng } from '@grok/core';
import type { PlaneLayout } from './layout.js';
import { type Rows, toMatrix } from './rows.js';

/** How to lay out. */
export interface UmapOptions {
  readonly rng: Rng;
  /** Neighbors that count, default 15, fewer where there are not as many rows. */
  readonly neighbors?: number;
  /** Least distance of points in the plane, default .1. */
  readonly minDist?: number;
  /** Rounds of descent; default by the number of rows. */
  readonly rounds?: number;
}

/**
 * Lays out observations `[…, d]` so that neighbors stay neighbors; the same draws give the same points.
 * @throws InputError on fewer than 4 rows, or neighbors that are not from 2 to rows − 1.
 */
export async function computeUmap(value: Rows, options: UmapOptions): Promise<PlaneLayout> {
  const x = toMatrix(value).to2DArray();
  const { rng, neighbors = Math.min(15, x.length - 1), minDist = 0.1, rounds } = options;
  if (x.length < 4) throw new InputError(`UMAP: needs at least 4 rows, got ${x.length}`);
  if (!Number.isInteger(neighbors) || neighbors < 2 || neighbors >= x.length)
    throw new InputError(
      `UMAP: neighbors must be an integer from 2 to ${x.length - 1}, got ${neighbors}`,
    );
  const { UMAP } = await import('umap-js');
  const umap = new UMAP({
    random: drawSingly(rng),
    nNeighbors: neighbors,
    minDist,
    setOpMixRatio: MIX,
    ...(rounds === undefined ? {} : { nEpochs: rounds }),
  });
  const epochs = umap.initializeFit(x);
  for (let epoch = 0; epoch < epochs; epoch++) {
    umap.step();
    roundPoints(umap.getEmbedding());
  }
  return { points: umap.getEmbedding() };
}

/**
 * Share of the union, in place of the intersection, of neighborhoods. By the union alone every nearest neighbor has
 * weight 1 but for rounding, and the last bit of `Math.exp`, in which engines differ, would decide what is sampled.
 */
const MIX = 0.999;

/** Multiples of 2⁻²⁰: descent would make another layout of the last bit, in which engines' `Math.pow` differ. */
function roundPoints(points: number[][]): void {
  for (const point of points)
    for (const [axis, v] of point.entries()) point[axis] = Math.round(v * 2 ** 20) / 2 ** 20;
}

const CHUNK = 4096;

/** Uniform draws one at a time. */
function drawSingly(rng: Rng): () => number {
  let drawn: ArrayLike<number> = [];
  let at = 0;
  return () => {
    if (at % CHUNK === 0) drawn = rng.split(at / CHUNK).uniform(CHUNK);
    return drawn[at++ % CHUNK] ?? 0;
  };
}
