/**
 * Alignment of two models of one architecture before the path between them is measured: two copies that differ
 * by a symmetry compute the same, and yet the middle of the line between them computes nothing (Entezari et
 * al. 2022; Ainsworth et al. 2023). Of what is left after alignment, barriers say something.
 */
import type { HostParams, Model } from '@grok/core';
import { checkShapes, dotParams, norm } from './points.js';
import {
  ANCHORS,
  type Architecture,
  alignHeads,
  alignNeurons,
  alignResidual,
  foldNorms,
  type ModelWeights,
  readArchitecture,
} from './symmetries.js';

/** Two models in one basis. */
export interface ModelAlignment {
  /** The first model with the scales of its norms folded into the weights behind them: the same function. */
  readonly reference: HostParams;
  /** The second model as close to it as symmetries bring it: the same function as before. */
  readonly aligned: HostParams;
  /** Cosine of the parameters of both, norms folded. */
  readonly similarity: { readonly before: number; readonly after: number };
  /** Rounds over all symmetries until none brought more. */
  readonly rounds: number;
}

/** Least growth of the inner product, relative to the models' norms, for which another round is taken. */
const GROWTH = 1e-6;

/**
 * Brings `b` closest to `a` in the sum of squares, over orthogonal bases of the residual stream, the order of
 * heads and an orthogonal basis of each (of queries and keys only rotations of the pairs that rotary
 * positions turn), and the order of neurons with the sign of gated ones. The residual stream is first aligned
 * by tokens, positions and answers alone, then all in turn until nothing moves: a local optimum, exact for
 * copies. Needs no data. @throws InputError on models of another architecture or size.
 */
export function align(
  model: Model,
  a: HostParams,
  b: HostParams,
  { rounds: most = 30 }: { readonly rounds?: number } = {},
): ModelAlignment {
  checkShapes(a, b);
  const architecture = readArchitecture(model, a);
  const [reference, moving] = [foldNorms(a, architecture), foldNorms(b, architecture)];
  const folded = toParams(reference, a);
  const cosine = (params: HostParams): number =>
    dotParams(folded, params) / (norm(folded) * norm(params));
  const before = cosine(toParams(moving, a));
  alignResidual(reference, moving, architecture, (name) => ANCHORS.has(name));
  let [after, rounds] = [Number.NEGATIVE_INFINITY, 0];
  for (let grows = true; grows && rounds < most; rounds++) {
    alignParts(reference, moving, architecture);
    alignResidual(reference, moving, architecture, () => true);
    const reached = cosine(toParams(moving, a));
    grows = reached > after + GROWTH;
    after = reached;
  }
  return {
    ...{ reference: folded, aligned: toParams(moving, a), rounds },
    similarity: { before, after },
  };
}

function alignParts(a: ModelWeights, b: ModelWeights, architecture: Architecture): void {
  for (let layer = 0; layer < architecture.layers; layer++) {
    alignHeads(a, b, layer, architecture);
    alignNeurons(a, b, layer, architecture.isGated);
  }
}

function toParams(weights: ModelWeights, like: HostParams): HostParams {
  return Object.fromEntries(
    Object.entries(like).map(([name, { shape }]) => [
      name,
      {
        data: Float32Array.from(weights.get(name)?.to1DArray() ?? []),
        shape,
        dtype: 'float32',
      } as const,
    ]),
  );
}
