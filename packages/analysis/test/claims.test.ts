/** Verdicts on claims, on made-up runs; and the claims file of the paper. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type MadeUp, madeUp, paper } from '../../../tests/made-up-study.js';
import {
  type Claim,
  checkClaims,
  contains,
  type Evidence,
  isComplete,
  publishedPath,
  type Verdict,
  verify,
} from '../src/index.js';

const file = new URL('../../../apps/cli/claims/distilling-grokking.json', import.meta.url);
const shipped = () => checkClaims(JSON.parse(readFileSync(file, 'utf8')), 'claims');
const evidence = (runs: readonly MadeUp[]): Evidence => ({
  runs: runs.map(madeUp),
  inside: new Map(runs.map((run) => [publishedPath(madeUp(run)), paper])),
});
const one = (claim: object, runs: readonly MadeUp[], setting: object = {}): Verdict => {
  const claims = {
    format: 'grok claims 1',
    paper: 'a paper',
    setting,
    claims: [{ id: 'x', source: '1', claim: 'a claim', ...claim }],
  };
  return verify(checkClaims(claims, 'claims'), evidence(runs))[0]!.verdict;
};
const epochs = (value: number, band: unknown): object => ({
  quantity: { of: 'epochsTo', run: 'logit' },
  value,
  band,
});
const seeds = (...crossings: readonly (number | null)[]): MadeUp[] =>
  crossings.map((crossing, seed) => ({ name: 'logit', seed, crossing }));

describe('verdicts', () => {
  it.each([
    ['in the interval of the seeds and in the band', 123, 10, 'reproduced'],
    ['in the band, not in the interval', 128, 10, 'in band'],
    ['outside the band', 60, 10, 'contradicted'],
    ['a narrower band', 128, 2, 'contradicted'],
  ] as const)('a number: %s', (_, value, band, verdict) => {
    // Catches: a verdict that does not read the number or the band.
    expect(one(epochs(value, band), seeds(121, 123, 124, 125))).toBe(verdict);
  });

  it('a number of one seed is reproduced to its last digit only', () => {
    const final = (value: number) => ({
      quantity: { of: 'validationAccuracy', run: 'logit' },
      value,
      band: 0.01,
    });
    expect(one(final(0.9998), [{ name: 'logit', final: 0.99976 }])).toBe('reproduced');
    expect(one(final(0.9998), [{ name: 'logit', final: 0.9991 }])).toBe('in band');
  });

  it('a sentence is reproduced when it holds for every seed, in band when for their mean', () => {
    const sentence = {
      quantity: {
        of: 'difference',
        a: { of: 'epochsTo', run: 'feature' },
        b: { of: 'epochsTo', run: 'logit' },
      },
      band: [null, 0],
    };
    const runs = (...feature: number[]): MadeUp[] => [
      ...seeds(120, 120),
      ...feature.map((crossing, seed) => ({ name: 'feature', seed, crossing })),
    ];
    expect(one(sentence, runs(90, 100))).toBe('reproduced');
    expect(one(sentence, runs(90, 125))).toBe('in band');
    expect(one(sentence, runs(119, 130))).toBe('contradicted');
  });

  it('a run that never groks counts: half of them and the claim falls (a missing value hides it)', () => {
    expect(one(epochs(123, 10), seeds(121, 123, 125, null))).toBe('in band');
    expect(one(epochs(123, 10), seeds(121, null, 125, null))).toBe('contradicted');
  });

  it('what has no run, or none of its setting, is untested; what cannot be tested says why', () => {
    expect(one(epochs(123, 10), [{ name: 'none' }])).toBe('untested');
    const setting = { task: { use: 'div', options: { p: 97 } } };
    expect(one(epochs(123, 10), [{ name: 'logit', crossing: 123, p: 23 }], setting)).toBe(
      'untested',
    );
    const weak = { ...epochs(123, 10), setting: { optimizer: { options: { weightDecay: 0 } } } };
    expect(one(weak, [{ name: 'logit', crossing: 123 }], setting)).toBe('untested');
    const both = [{ name: 'logit', crossing: 123, wd: 0, override: 'wd-0' }, ...seeds(50)];
    expect(one(weak, both, setting)).toBe('reproduced');
    expect(one({ testable: false, why: 'no such machine' }, [])).toBe('cannot be tested');
  });
});

it('a setting is met whatever the order of its keys, in lists too; that of a list counts', () => {
  const objective = [{ use: 'hard', weight: 0.5 }, { use: 'logit' }];
  expect(
    contains(
      { objective, seed: 1 },
      { objective: [{ weight: 0.5, use: 'hard' }, { use: 'logit' }] },
    ),
  ).toBe(true);
  expect(contains({ objective }, { objective: objective.toReversed() })).toBe(false);
  expect(contains({ objective }, { stop: null })).toBe(false);
});

describe('the paper’s claims', () => {
  const strategies = ['logit', 'attention', 'feature'] as const;
  const published: MadeUp[] = [
    { name: 'teacher', crossing: 90, parameters: 550_272 },
    { name: 'logit', crossing: 123, final: 0.9998, parameters: 144_064 },
    { name: 'attention', crossing: 121, final: 0.9996, parameters: 144_064 },
    { name: 'feature', crossing: 91, final: 1, parameters: 144_064 },
    ...[0, 0.1].flatMap((wd) =>
      strategies.map((name) => ({ name, wd, crossing: null, final: 0.02, override: `wd-${wd}` })),
    ),
  ];

  it('give a verdict each, and all testable ones are tested by the runs they name', () => {
    const claims = shipped();
    const verified = verify(claims, evidence(published));
    expect(verified).toHaveLength(claims.claims.length);
    expect(verified.filter(({ verdict }) => verdict === 'untested')).toEqual([]);
    expect(isComplete(verified)).toBe(true);
    const of = (id: string) => verified.find((item) => item.id === id)!.verdict;
    // Its own numbers fit its tables, and contradict what it says of power and of the L1/L2 ratio.
    for (const item of verified.filter(({ source }) => source.endsWith('table')))
      expect([item.id, item.verdict]).toEqual([
        item.id,
        expect.stringMatching(/reproduced|in band/),
      ]);
    expect(of('weight-decay-essential')).toBe('reproduced');
    expect(of('power-80')).toBe('contradicted');
    expect(of('l1-l2-similar-to-teacher')).toBe('contradicted');
    expect(of('logit-fails')).toBe('contradicted');
    expect(of('a100-hours')).toBe('cannot be tested');
  });

  it('change their verdict with any of their numbers', () => {
    const claims = shipped();
    const before = verify(claims, evidence(published));
    const moved = claims.claims.map((claim): Claim => {
      const far = 1 + 2 * Math.abs(claim.value ?? 0);
      if (claim.value !== undefined) return { ...claim, value: claim.value + far };
      if (!Array.isArray(claim.band)) return claim;
      const [low, high] = claim.band as readonly [number | null, number | null];
      const by = (end: number | null, d: number) => (end === null ? null : end + d);
      return {
        ...claim,
        band: low === null ? [null, by(high, -1e4)] : [by(low, 1e4), by(high, 1e4)],
      };
    });
    const after = verify({ ...claims, claims: moved }, evidence(published));
    for (const [i, { id, verdict }] of before.entries())
      if (!['contradicted', 'cannot be tested'].includes(verdict))
        expect([id, after[i]?.verdict]).toEqual([id, 'contradicted']);
  });

  it('are not complete without the runs of their settings', () => {
    const verified = verify(shipped(), evidence(published.slice(0, 4)));
    expect(isComplete(verified)).toBe(false);
    expect(verified.filter((v) => v.verdict === 'untested').map((v) => v.id)).toEqual([
      'weight-decay-essential',
      'weight-decay-high',
    ]);
  });
});

describe('a claims file', () => {
  const base = { id: 'x', source: '1', claim: 'c', quantity: { of: 'epochsTo', run: 'a' } };
  it.each([
    ['another format', { format: 'x' }, /key "format": must be "grok claims 1", got "x"/],
    ['an unknown quantity', { ...base, quantity: { of: 'epochTo' } }, /did you mean "epochsTo"/],
    [
      'a quantity without its run',
      { ...base, quantity: { of: 'epochs' } },
      /key "claims.0.quantity.run": is missing/,
    ],
    [
      'no quantity but a name of every object',
      { ...base, quantity: { of: 'constructor' } },
      /key "claims.0.quantity.of": must be .*, got "constructor"/,
    ],
    [
      'nothing to take the most of',
      { ...base, quantity: { of: 'max', among: [] } },
      /key "claims.0.quantity.among": must not be empty/,
    ],
    [
      'one in place of a list',
      { ...base, quantity: { of: 'min', among: base.quantity } },
      /key "claims.0.quantity.among": must be a list/,
    ],
    [
      'the power of one pair',
      { ...base, quantity: { of: 'power', n: 1, d: 1 } },
      /key "claims.0.quantity.n": must be ≥ 2, got 1/,
    ],
    [
      'the power of no number',
      { ...base, quantity: { of: 'power', n: 9, d: '1' } },
      /key "claims.0.quantity.d": must be a number, got "1"/,
    ],
    ['no band', { ...base, value: 1 }, /"x": needs a "band"/],
    ['a reach without a number', { ...base, band: 3 }, /"x": needs a "band"/],
    ['no reason', { id: 'x', source: '1', claim: 'c', testable: false }, /say "why"/],
    ['an unknown key', { ...base, band: [0, 1], bandd: 1 }, /unknown key "bandd"/],
    [
      'a quantity with a key that is too long to quote',
      { ...base, band: [0, 1], quantity: { ...base.quantity, ['x'.repeat(20_000)]: 1 } },
      /key "claims\.0\.quantity": must be an object without the key "x{200}…"/,
    ],
    [
      'a fault deep inside',
      { ...base, band: [0, 1], quantity: { of: 'max', among: [{ of: 'inside', run: 'a' }] } },
      /key "claims.0.quantity.among.0.measure": is missing/,
    ],
  ])('is refused with %s', (_, claim, says) => {
    const claims =
      'format' in claim
        ? claim
        : { format: 'grok claims 1', paper: 'p', setting: {}, claims: [claim] };
    expect(() => checkClaims(claims, 'claims')).toThrow(says);
  });
});
