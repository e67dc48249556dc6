/** Tables of a plan with hypotheses, from synthetic runs. */
import { renderSvg, survivalFigure, timesTables } from '@grok/report';
import { type BegunRun, checkPlan, type StudyRun } from '@grok/study';
import { describe, expect, it } from 'vitest';
import { madeUp } from './made-up-study.js';

const seeds = [0, 1, 2, 3, 4, 5];
const plan = checkPlan(
  {
    name: 'tiny',
    summary: 'For tests.',
    shared: { task: { use: 'div' }, optimizer: { use: 'adamw' }, batch: 8, epochs: 150 },
    teacher: { model: { use: 'transformer' } },
    student: { model: { use: 'transformer' } },
    arms: { none: {}, feature: {} },
    seeds,
    hypotheses: {
      outcome: { threshold: 0.5, horizon: 150 },
      test: 'paired-prentice-wilcoxon',
      alpha: 0.05,
      family: [
        {
          ...{ name: 'sooner', says: 'It is sooner.', arm: 'feature', against: 'none' },
          expected: 'earlier',
        },
      ],
    },
  },
  'plan',
);
const none = seeds.map((seed) =>
  madeUp({ name: 'none', seed, crossing: seed < 4 ? 100 + seed : null }),
);
const feature = seeds.map((seed) => madeUp({ name: 'feature', seed, crossing: 50 + seed }));
const waiting = ({ config, manifest, history, record, ...run }: BegunRun): StudyRun => ({
  ...run,
  state: 'waiting',
});
const takeRows = (runs: readonly StudyRun[], name: string) =>
  timesTables(plan, runs).find((table) => table.name === name)?.rows ?? [];

describe('timesTables', () => {
  it('give rates, medians and means of censored times', () => {
    const [ours, theirs] = takeRows([...feature, ...none], 'table-arms');
    expect(ours?.slice(0, 5)).toEqual(['feature', '6 of 6', '6 of 6', '0.61 … 1.00', '50']);
    // Four of six reach it, and half have at the third, here after 97 epochs.
    expect(theirs?.slice(0, 5)).toEqual(['none', '6 of 6', '4 of 6', '0.30 … 0.90', '97']);
  });
  it('conclude once every pair has ended, and show no p before', () => {
    // Catches: a verdict, or a p-value that invites early stopping, from half of the runs.
    const [done] = takeRows([...feature, ...none], 'table-hypotheses');
    expect(done?.at(-1)).toBe('supported');
    expect(done?.at(-4)).toBe('.0313');
    const half = [...feature, ...none.slice(0, 3), ...none.slice(3).map(waiting)];
    const [open] = takeRows(half, 'table-hypotheses');
    expect(open?.at(-1)).toBe('undecided: 3 of 6 pairs have ended');
    expect(open?.slice(6, 9)).toEqual(['–', '–', '–']);
  });
  it('do not count an accuracy that did not last as sustained', () => {
    const late = seeds.map((seed) => madeUp({ name: 'feature', seed, crossing: 145 }));
    const cell = (name: string) => takeRows([...late, ...none], name)[0]?.[5];
    expect(cell('table-thresholds')).toMatch(/^6; 145; /);
    expect(cell('table-thresholds-sustained')).toMatch(/^0; > 150; 150\.0/);
  });
  it('are empty for a plan without hypotheses', () => {
    const { hypotheses: _, ...silent } = plan;
    expect(timesTables(silent, none)).toEqual([]);
  });
});

describe('survivalFigure', () => {
  it('steps up at each event, and renders', async () => {
    const figure = survivalFigure(plan, [...feature, ...none], 0.5) ?? expect.fail('none');
    const { values } = figure.spec.data as { values: readonly { run: string; share: number }[] };
    const shares = values.filter(({ run }) => run === 'none').map(({ share }) => share);
    // Catches: runs that never reached the accuracy left out of the share.
    expect(shares).toEqual([0, 0.166667, 0.333333, 0.5, 0.666667, 0.666667]);
    expect(figure.caption).toContain('6 runs a curve');
    expect(await renderSvg(figure.spec)).toContain('<svg');
  });
  it('requires at least one ended run', () => {
    expect(survivalFigure(plan, none.map(waiting), 0.5)).toBeUndefined();
  });
});
