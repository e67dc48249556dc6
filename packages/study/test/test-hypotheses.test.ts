import { memoryStore } from '@grok/core';
import { manifestSchema, metricsRowSchema, runConfigSchema } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';
import { checkPlan, recordOf, type StudyRun, testHypotheses } from '../src/index.js';

const hypothesis = (name: string, arm: string, against: string) => ({
  ...{ name, says: `${arm} comes before ${against}.`, arm, against, expected: 'earlier' },
});
const plan = checkPlan(
  {
    name: 'tiny',
    summary: 'For tests.',
    shared: { task: { use: 'div' }, optimizer: { use: 'adamw' }, batch: 8, epochs: 200 },
    teacher: { model: { use: 'transformer' } },
    student: { model: { use: 'transformer' } },
    arms: { none: {}, feature: {}, logit: {} },
    seeds: [0, 1, 2, 3, 4, 5],
    hypotheses: {
      outcome: { threshold: 0.5, horizon: 100 },
      test: 'paired-prentice-wilcoxon',
      alpha: 0.05,
      family: [hypothesis('h1', 'feature', 'none'), hypothesis('h2', 'logit', 'none')],
    },
  },
  'plan',
);
const id = 'a'.repeat(64);
/** A run that first comes to .6 at epoch `at`, and ends at `end`. */
function ended(name: string, seed: number, at: number, end = 200): StudyRun {
  const experiment = {
    ...{ task: { use: 'div' }, model: { use: 'm' }, optimizer: { use: 'o' } },
    ...{ batch: 1, epochs: end, seed },
  };
  const history = Array.from({ length: end / 10 }, (_, i) =>
    metricsRowSchema.parse({
      ...{ epoch: 10 * (i + 1), step: 10 * (i + 1), terms: {}, time: { seconds: 1 } },
      ...{ train: { loss: 1, accuracy: 1 } },
      validation: { loss: 1, accuracy: 10 * (i + 1) >= at ? 0.6 : 0.1 },
    }),
  );
  const manifest = manifestSchema.parse({
    ...{ format: 'grok manifest 1', run: id, slug: 's', status: 'finished', parameters: 1 },
    ...{ epoch: end, step: end, splitHash: id, seeds: { seed, splitSeed: seed }, backend: 'wasm' },
    ...{ device: 'd', threads: 1, execution: {}, versions: {}, seconds: 1 },
  });
  const config = runConfigSchema.parse({
    ...{ format: 'grok run 2', run: id, experiment, execution: {} },
  });
  return {
    ...{ key: `${name}@${seed}`, name, role: 'control', seed, experiment, needs: {} },
    ...{ state: 'finished', run: id, folder: 'f', store: memoryStore(), config, manifest, history },
    record: recordOf(manifest, history, 'f'),
  };
}
const arm = (name: string, times: readonly number[]) =>
  times.map((at, seed) => ended(name, seed, at));
const none = arm('none', [60, 70, 150, 80, 170, 90]);
const feature = arm('feature', [20, 30, 40, 30, 20, 40]);

describe('testHypotheses', () => {
  it('censors at the horizon and corrects the whole family', () => {
    const runs = [...none, ...feature, ...arm('logit', [60, 70, 150, 80, 170, 90])];
    const [first, second] = testHypotheses(plan, runs);
    // Catches: an event after the horizon that counts, a run without one that is left out.
    expect(first).toMatchObject({ reached: [6, 4], missing: [], restrictedMeans: [30, 500 / 6] });
    expect(first?.p).toBe(2 / 64);
    expect(first?.adjusted).toBe(4 / 64);
    expect(first?.z).toBeLessThan(0);
    expect(second).toMatchObject({ p: 1, adjusted: 1, z: null });
  });
  it('decides nothing while runs are missing', () => {
    // Catches: a family corrected for the tests that there are so far.
    const [first, second] = testHypotheses(plan, [...none, ...feature]);
    expect(first).toMatchObject({ p: 2 / 64, adjusted: null });
    expect(second).toMatchObject({ p: null, missing: plan.seeds, restrictedMeans: null });
  });
  it('needs a plan that states something', () => {
    const { hypotheses: _, ...silent } = plan;
    expect(() => testHypotheses(silent, [])).toThrow(/states no hypotheses/);
  });
});
