/** The pages with results match the committed runs. */
import { readFileSync } from 'node:fs';
import { checkPlan } from '@grok/study';
import { describe, expect, it } from 'vitest';
import { tablesOf } from '../scripts/results/exploratory.mjs';
import { shortStateOf, statementsOf } from '../scripts/results/planned.mjs';
import { makeResults, withParts } from '../scripts/results.mjs';
import { madeUp } from './made-up-study.js';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const study = JSON.parse(read('docs/results/study.json'));
const decay = JSON.parse(read('docs/results/study-decay.json'));
const { parts, files } = await makeResults();
const root = new URL('../', import.meta.url).href;
const derive = new Map(files.map(([url, text]) => [url.href.slice(root.length), text]));
/** Joins lines, since prose may wrap anywhere. */
const prose = (path: string): string => read(path).replace(/\s+/g, ' ');

/** Rounds to nine digits, since the last digits of log Γ differ between processors. */
const rounded = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, each) =>
      typeof each === 'number' && !Number.isInteger(each) ? Number(each.toPrecision(9)) : each,
    ),
  );

describe('docs/results', () => {
  // Catches: statistics of an older rule (W 24 where the counts give 23.5).
  it.each([...derive.keys()].filter((path) => path.endsWith('.json')))('%s', (path) => {
    expect(rounded(JSON.parse(read(path)))).toEqual(rounded(JSON.parse(derive.get(path) ?? '')));
  });
  // Catches: a figure with fewer runs than records.
  it.each([...derive.keys()].filter((path) => path.endsWith('.svg')))('%s', (path) => {
    expect(read(path)).toBe(derive.get(path));
  });
  it('state no observed power, which is a function of p', () => {
    expect(read('docs/results/study.json')).not.toContain('"power"');
  });
});

describe('docs/results/reproduction.md', () => {
  const text = read('docs/results/reproduction.md');
  it.each(['docs/results/reproduction.md', 'README.md'])('%s matches the runs', (path) => {
    expect(read(path)).toBe(derive.get(path));
  });
  it('counts a run of two plans in both', () => {
    // Catches: controls that wait forever for the arms that they share with the plan of decay.
    const byName = new Map<string, string>(Object.entries(parts));
    const row = (part: string, arm: string): string | undefined => {
      const lines = byName.get(part)?.split('\n') ?? [];
      return lines
        .find((line) => line.startsWith(`| ${arm} `))
        ?.split('|')[2]
        ?.trim();
    };
    expect(row('controls-arms', 'feature')).toMatch(/^[1-9]\d* of 10$/);
    expect(row('controls-arms', 'feature')).toBe(row('decay-arms', 'decay-0/feature'));
  });
  it('has a place for every part, and nothing else between markers', () => {
    // Catches: a table that is generated but not shown; a marker that nothing fills.
    const all = `${text}${read('README.md')}`;
    const markers = [...all.matchAll(/<!-- results: (\S+) -->/g)].map(([, name]) => name);
    expect(markers.toSorted()).toEqual(Object.keys(parts).toSorted());
    expect(withParts(text.replaceAll('| 98 |', '| 99 |'), parts)).toBe(text);
  });
});

describe('README.md', () => {
  it('quotes the tests correctly', () => {
    const tables = tablesOf(study, decay);
    const feature = tables.primary.split('\n').find((line) => line.includes('feature'));
    expect(feature).toContain('−22.5 | −35.1 … −9.9 | .0089 | .018 | .078');
    expect(prose('README.md')).toContain(
      '22.5 epochs lower (p = .009 by a t test, .078 by the log-rank test',
    );
    const half = tables.thresholds.split('\n').find((line) => line.startsWith('| 50 %'));
    expect(half).toMatch(/−16\.5 \([^;]*; < \.0001;/);
    expect(prose('README.md')).toContain('faster to 50 % (16.5 epochs, ten seeds of ten)');
  });
});

// Statements that longer runs, the published scripts or the data contradict.
it.each([
  ['README.md', /85–106|end lower|nothing that ten seeds|decay is essential/],
  [
    'docs/results/reproduction.md',
    /85–106|end lower|have to be 69|right that decay|no difference that ten seeds/,
  ],
  ['docs/guides/all-of-grok.md', /as the published runs had it/],
  ['apps/cli/presets/paper-leaked.json', /as the published runs had it/],
  ['packages/report/src/paper.ts', /85–106/],
] as const)('%s has no sentence known to be wrong', (path, wrong) => {
  expect(prose(path)).not.toMatch(wrong);
});

describe('the four questions', () => {
  const plan = checkPlan(JSON.parse(read('apps/cli/presets/decay.json')), 'plan');
  const arms = ['none', 'logit', 'attention', 'feature'];
  /** Epochs to 99 % by decay and arm; null: never. */
  const study = (times: Readonly<Record<string, number | null>>, seeds = plan.seeds) => ({
    plan,
    runs: Object.keys(plan.overrides ?? {}).flatMap((override) =>
      arms.flatMap((name) =>
        seeds.map((seed) => {
          const time = times[`${override}/${name}`];
          const crossing = time === null ? null : (time ?? 300) + seed;
          return madeUp({ name, override, seed, crossing, epochs: 1000 });
        }),
      ),
    ),
  });
  const answers = (...given: Parameters<typeof study>) => statementsOf(study(...given));
  const found = { 'decay-1/none': 130, 'decay-1/logit': 160, 'decay-1/feature': 100 };
  it('are answered once every run has ended', () => {
    const text = answers({ ...found, 'decay-0/none': null, 'decay-0/logit': null });
    expect(text).toContain('No: runs without it come to 99 %: none 0 of 10 (0.00 … 0.28)');
    expect(text).toContain('slower to 99 % by 30.0 (30.0 … 30.0) epochs, p ');
    expect(text).toMatch(
      /than decay-1\/none: faster, −\d\d\.\d .* n = 10; than decay-1\/logit: faster/,
    );
    expect(text).toContain('No: hidden states are handed on without it: −');
    expect(text).not.toContain('undecided');
    const short = shortStateOf(study({ ...found, 'decay-0/none': null }));
    expect(short.match(/^- \*/gm)).toHaveLength(4);
  });
  it('are undecided while one is missing', () => {
    // Catches: an answer from nine of ten seeds.
    const text = answers(found, plan.seeds.slice(1));
    expect(text.match(/undecided: 9 of 10 pairs have ended/g)).toHaveLength(4);
    expect(text).toContain('undecided: 36 of 40 runs without decay');
  });
});
