/** Curves, norms, score and the plain probes. */
import { type HostParams, rng, type Snapshot } from '@grok/core';
import { describe, expect, it } from 'vitest';
import plugin, {
  allEpochsTo,
  bestOfLast,
  epochsTo,
  l1,
  l2,
  normalizedL1L2,
  parameterCount,
  probes,
  scoreLogits,
  thresholds,
} from '../src/index.js';

const { crossings, weightNorms } = probes;
const makeHistory = (...accuracies: number[]) =>
  accuracies.map((accuracy, i) => ({ epoch: i + 1, validation: { loss: 1, accuracy } }));
const everyTenth = (...accuracies: number[]) =>
  makeHistory(...accuracies).map((row) => ({ ...row, epoch: row.epoch * 10 }));
const makeParams = (...arrays: number[][]): HostParams =>
  Object.fromEntries(
    arrays.map((a, i) => [
      `w${i}`,
      { data: Float32Array.from(a), shape: [a.length], dtype: 'float32' as const },
    ]),
  );
const makeSnapshot = (part: Partial<Snapshot>): Snapshot =>
  ({
    epoch: 1,
    step: 1,
    params: {},
    sites: {},
    rows: new Int32Array(0),
    history: [],
    ...part,
  }) as Snapshot;

describe('epochsTo', () => {
  it('counts an accuracy equal to the threshold, and names epochs, not indices', () => {
    expect(epochsTo(makeHistory(0.1, 0.5, 0.4), 0.5)).toBe(2);
  });
  it('gives null when never reached, for an empty history and for NaN', () => {
    expect(epochsTo(makeHistory(0.1, 0.98), 0.99)).toBeNull();
    expect(epochsTo([], 0.5)).toBeNull();
    expect(epochsTo(makeHistory(Number.NaN, Number.NaN), 0.5)).toBeNull();
  });
  it('sustained: a dip starts the count anew, and the streak is named by its first epoch', () => {
    const history = makeHistory(1, 1, 0.5, 1, 1, 1, 0.2, 1);
    expect(epochsTo(history, 0.9)).toBe(1);
    expect(epochsTo(history, 0.9, { sustained: 2 })).toBe(1);
    expect(epochsTo(history, 0.9, { sustained: 3 })).toBe(4);
  });
  it('sustained: a streak cut short by the end does not count', () => {
    expect(epochsTo(makeHistory(0, 1, 1, 1, 1), 0.9, { sustained: 5 })).toBeNull();
    expect(epochsTo(makeHistory(0, 1, 1, 1, 1, 1), 0.9, { sustained: 5 })).toBe(2);
  });
  it('follows the stored epochs of a resumed or thinned history', () => {
    expect(epochsTo(everyTenth(0, 1, 1), 0.9)).toBe(20);
  });
  it('sustained: counts epochs, not the rows of a thinned history', () => {
    expect(epochsTo(everyTenth(0, 1, 1, 0), 0.9, { sustained: 5 })).toBe(20);
    expect(epochsTo(everyTenth(0, 1, 0, 1, 1, 0), 0.9, { sustained: 11 })).toBe(40);
    expect(epochsTo(everyTenth(0, 1, 1, 0, 1), 0.9, { sustained: 21 })).toBeNull();
  });
  it('sustained: takes a run that stopped after the same number of epochs as sustained', () => {
    const run = everyTenth(0, 0, 1, 1);
    expect(epochsTo(run, 0.9, { sustained: 20 })).toBe(30);
    expect(epochsTo(run, 0.9, { sustained: 21 })).toBeNull();
  });
  it('all thresholds have the keys that records use', () => {
    expect(allEpochsTo(makeHistory(0.6, 0.96))).toEqual({
      '0.5': 1,
      '0.9': 2,
      '0.95': 2,
      '0.99': null,
      '0.999': null,
    });
    expect(Object.keys(allEpochsTo([]))).toEqual(thresholds.map(String));
  });
});

describe('bestOfLast', () => {
  it('looks at the last epochs only', () => {
    expect(bestOfLast(makeHistory(1, 0.2, 0.7, 0.3), 3)).toBe(0.7);
  });
  it('counts epochs, not the rows of a thinned history', () => {
    expect(bestOfLast(everyTenth(1, 0.9, 0.7, 0.3), 11)).toBe(0.7);
    expect(bestOfLast(everyTenth(1, 0.9, 0.7, 0.3))).toBe(0.3);
  });
  it('takes a shorter history whole and refuses an empty one', () => {
    expect(bestOfLast(makeHistory(0.4, 0.3))).toBe(0.4);
    expect(() => bestOfLast([])).toThrow('empty');
  });
});

describe('norms', () => {
  it('run over all tensors, whatever their sign', () => {
    const params = makeParams([3, -4], [0, 12]);
    expect([parameterCount(params), l1(params), l2(params)]).toEqual([4, 19, 13]);
    expect(normalizedL1L2(params)).toBeCloseTo(19 / 26, 14);
  });
  it('L1/(L2·√N) is 1 for equal sizes, √(2/π) for a normal draw, and forgets scale and N', () => {
    expect(normalizedL1L2(makeParams([2, -2, 2]))).toBeCloseTo(1, 14);
    const draw = rng(0).normal(200_000);
    const params: HostParams = { w: { data: draw, shape: [draw.length], dtype: 'float32' } };
    expect(normalizedL1L2(params)).toBeCloseTo(Math.sqrt(2 / Math.PI), 2);
  });
  it('add in float64: float32 sums lose the small entries', () => {
    const params = makeParams([16777216, ...new Array(1000).fill(1)]);
    expect(l1(params)).toBe(16778216);
  });
});

describe('score', () => {
  const logits = {
    data: Float32Array.from([2, 0, 0, 1e4, 0, 1e4 + 4]),
    shape: [2, 3],
    dtype: 'float32',
  } as const;
  it('survives large logits (a plain exp overflows)', () => {
    const { loss, accuracy } = scoreLogits(logits, [0, 2]);
    const first = Math.log(Math.exp(2) + 2) - 2;
    expect(loss).toBeCloseTo((first + Math.log(1 + Math.exp(-4))) / 2, 12);
    expect(accuracy).toBe(1);
  });
  it('refuses labels of another length', () => {
    expect(() => scoreLogits(logits, [0])).toThrow('2 rows, labels 1');
  });
  it("as a probe, labels follow the snapshot's rows, not the task's order", () => {
    const task = { labels: Int32Array.from([9, 2, 9, 0]) } as unknown as Snapshot['task'];
    const result = probes
      .score()
      .on(makeSnapshot({ sites: { logits }, rows: Int32Array.from([3, 1]), task }));
    expect(result).toMatchObject({ accuracy: 1 });
  });
});

describe('probes', () => {
  it('are all in the plugin', () => {
    expect(plugin.components.map((p) => `${p.kind} ${p.name}`)).toEqual(
      expect.arrayContaining(['probe weight-norms', 'probe crossings', 'probe score']),
    );
  });
  it('weight-norms', () => {
    expect(weightNorms().when).toEqual({ every: 10 });
    expect(weightNorms({ every: 3 }).when).toEqual({ every: 3 });
    expect(weightNorms({ crossing: 0.99 }).when).toEqual({ crossing: 0.99 });
    expect(weightNorms().on(makeSnapshot({ params: makeParams([3, 4]) }))).toEqual({
      l1: 7,
      l2: 5,
      l1OverL2SqrtN: 7 / (5 * Math.SQRT2),
    });
  });
  it('crossings', () => {
    expect(crossings().when).toBe('end');
    const result = crossings().on(makeSnapshot({ history: makeHistory(0.99, 1, 0.1) as never }));
    expect(result).toMatchObject({
      first: { '0.999': 2 },
      sustained: { '0.5': null },
      bestOfLast10: 1,
    });
  });
  it('refuse contradictory or senseless options', () => {
    expect(() => weightNorms({ every: 2, crossing: 0.9 })).toThrow(
      'probe "weight-norms": runs "every" n epochs or at a "crossing", got every 2 and crossing 0.9; give one, not both',
    );
    expect(() => weightNorms({ every: 0 })).toThrow('every');
    expect(() => weightNorms({ evry: 2 } as never)).toThrow('did you mean "every"');
    expect(() => probes.score({ rows: 'train', first: 5 })).toThrow(
      'probe "score": "first" counts validation rows, got first 5 of rows "train"; leave one out',
    );
    expect(probes.score({ first: 5 }).needs.rows).toBe(5);
  });
});
