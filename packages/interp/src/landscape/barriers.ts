/** Barriers between the arms of a study beside barriers between its seeds. */
import { type HostParams, InputError } from '@grok/core';
import { align } from './alignment.js';
import { type Barrier, connectLinearly } from './connectivity.js';
import type { RangeOptions } from './slices.js';
import type { LossSurface } from './surface.js';

/** A trained model of a study. */
export interface StudyPoint {
  readonly name: string;
  /** What the run was taught with, such as `none` or `feature`. */
  readonly arm: string;
  readonly seed: number;
  readonly params: HostParams;
}
/** Two runs that differ in their seed or in their arm, not in both. */
export interface BarrierPair {
  readonly a: string;
  readonly b: string;
  readonly differ: 'seed' | 'arm';
  /** As both are, with the scales of norms where they are. */
  readonly unaligned: Barrier;
  readonly aligned: Barrier;
  /** Cosine of the parameters before and after alignment. */
  readonly similarity: { readonly before: number; readonly after: number };
}

/**
 * The straight line between every two runs that differ in seed or arm alone, before and after alignment of the
 * second. Seeds differ in their split: give a surface over all rows. @throws InputError where no two runs do.
 */
export async function compareBarriers(
  surface: LossSurface,
  runs: readonly StudyPoint[],
  options: Pick<RangeOptions, 'points'> = {},
): Promise<readonly BarrierPair[]> {
  const pairs: BarrierPair[] = [];
  for (const [i, a] of runs.entries())
    for (const b of runs.slice(i + 1)) {
      if ((a.arm === b.arm) === (a.seed === b.seed)) continue;
      const plain = await connectLinearly(surface, a.params, b.params, options);
      const { reference, aligned, similarity } = align(surface.model, a.params, b.params);
      const path = await connectLinearly(surface, reference, aligned, options);
      pairs.push({
        ...{ a: a.name, b: b.name, differ: a.arm === b.arm ? 'seed' : 'arm' },
        ...{ unaligned: plain.barrier, aligned: path.barrier, similarity },
      });
    }
  if (pairs.length === 0)
    throw new InputError(
      `barriers: at least two of the ${runs.length} runs must differ in seed or arm alone; give several seeds of an arm, or arms of a seed`,
    );
  return pairs;
}
