import { memoryStore } from '@grok/core';
import { manifestSchema, metricsRowSchema, runConfigSchema } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';
import {
  buildRecord,
  checkPlan,
  type StudyRun,
  summarizeTimes,
  testHypotheses,
  timeRun,
} from '../src/index.js';

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
/** A run that first reaches 0.6 at epoch `at` and ends at `end`. */
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
    record: buildRecord(manifest, history, 'f'),
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
    // Catches: counting an event after the horizon; dropping a run without an event.
    expect(first).toMatchObject({ reached: [6, 4], missing: [], restrictedMeans: [30, 500 / 6] });
    expect(first?.p).toBe(2 / 64);
    expect(first?.adjusted).toBe(4 / 64);
    expect(first?.z).toBeLessThan(0);
    expect(first?.difference?.value).toBeCloseTo(30 - 500 / 6, 9);
    expect(first?.verdict).toBe('not shown');
    expect(second).toMatchObject({ p: 1, adjusted: 1, z: null, verdict: 'not shown' });
  });
  it('is undecided while runs are missing', () => {
    // Catches: a family corrected only for the tests that are complete so far.
    const [first, second] = testHypotheses(plan, [...none, ...feature]);
    expect(first).toMatchObject({ p: 2 / 64, adjusted: null, verdict: 'undecided' });
    expect(second).toMatchObject({ p: null, missing: plan.seeds, restrictedMeans: null });
  });
  it('reports the direction', () => {
    // Catches: a difference opposite to the expected one counted as support.
    const verdictOn = (expected: 'earlier' | 'later') => {
      const family = [{ ...hypothesis('h1', 'feature', 'none'), expected }];
      const own = checkPlan({ ...plan, hypotheses: { ...plan.hypotheses, family } }, 'plan');
      return testHypotheses(own, [...none, ...feature]).map(({ verdict }) => verdict);
    };
    expect([verdictOn('earlier'), verdictOn('later')]).toEqual([['supported'], ['opposite']]);
  });
  it('continues without a lost pair, and reports it', () => {
    // Catches: a family that never completes because one teacher failed.
    const blocked: StudyRun = {
      ...{ key: 'logit@0', name: 'logit', role: 'student', seed: 0, needs: {}, state: 'blocked' },
      experiment: ended('logit', 0, 0).experiment,
    };
    const logit = arm('logit', [0, 70, 150, 80, 170, 90]).slice(1);
    const [, second] = testHypotheses(plan, [...none, ...feature, ...logit, blocked]);
    expect(second).toMatchObject({ lost: [0], missing: [], verdict: 'not shown' });
    expect(second?.seeds).toHaveLength(5);
  });
  it('requires a plan with hypotheses', () => {
    const { hypotheses: _, ...silent } = plan;
    expect(() => testHypotheses(silent, [])).toThrow(/has no hypotheses/);
  });
});

describe('summarizeTimes', () => {
  const outcome = { threshold: 0.5, horizon: 100 };
  it('counts a failed run as censored at its last epoch, and excludes a running one', () => {
    // Catches: lost runs dropped, so that only successful ones are counted.
    const failed: StudyRun = { ...ended('none', 0, 500, 40), state: 'failed' };
    const open: StudyRun = { ...ended('none', 1, 20), state: 'interrupted' };
    const found = summarizeTimes([failed, open, ended('none', 2, 60)], 'none', outcome);
    expect(found).toMatchObject({ planned: 3, ended: 2, reached: 1, median: 60 });
    expect(timeRun(failed, outcome)).toEqual({ time: 40, observed: false });
  });
  it('requires a sustained accuracy to hold for its whole span', () => {
    const run = ended('none', 0, 90, 100);
    expect(timeRun(run, outcome)).toEqual({ time: 90, observed: true });
    expect(timeRun(run, { ...outcome, sustained: 21 })).toEqual({ time: 100, observed: false });
  });
  it('has no values for an arm without runs', () => {
    const found = summarizeTimes([], 'none', outcome);
    expect(found).toMatchObject({ ended: 0, rate: null, median: null, restrictedMean: null });
  });
});
