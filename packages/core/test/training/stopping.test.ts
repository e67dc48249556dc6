/** Stop conditions: accuracies reached once, and for several consecutive epochs. */
import type { MetricsRow } from '@grok/core';
import { checkExperiment, isReached, needsTrainEval } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';
import { experiment, trainSmall } from '../helpers/small.js';

type Scores = Pick<MetricsRow, 'epoch' | 'validation' | 'trainEval'>;
const row = (epoch: number, validation: number, train?: number): Scores => ({
  epoch,
  validation: { loss: 1, accuracy: validation },
  ...(train === undefined ? {} : { trainEval: { loss: 1, accuracy: train } }),
});
const rows = (...accuracies: readonly number[]): readonly Scores[] =>
  accuracies.map((accuracy, i) => row(i + 1, accuracy));

describe('stop', () => {
  const sustained = { validationAccuracy: 0.9, for: 3 };
  it.each([
    [[0.95, 0.95], false],
    [[0.1, 0.95, 0.9], false],
    [[0.95, 0.95, 0.9], true],
    [[0.95, 0.1, 0.9, 0.9, 0.9], true],
    [[0.95, 0.95, 0.1, 0.9, 0.9], false],
  ])('for 3 consecutive epochs, of %j: %j', (accuracies, reached) => {
    // Catches: counting epochs that are not consecutive; one epoch too few.
    expect(isReached(sustained, rows(...accuracies))).toBe(reached);
  });
  it('counts epochs, not rows', () => {
    const sparse = [row(10, 0.95), row(20, 0.95)];
    expect(isReached({ validationAccuracy: 0.9, for: 10 }, sparse)).toBe(true);
    expect(isReached({ validationAccuracy: 0.9, for: 20 }, sparse)).toBe(true);
    expect(isReached({ validationAccuracy: 0.9, for: 21 }, sparse)).toBe(false);
  });
  it('requires both accuracies if both are given', () => {
    const both = { trainAccuracy: 0.9, validationAccuracy: 0.5 };
    expect(isReached(both, [row(1, 0.6, 0.8)])).toBe(false);
    expect(isReached(both, [row(1, 0.4, 0.95)])).toBe(false);
    expect(isReached(both, [row(1, 0.6, 0.95)])).toBe(true);
    expect(isReached({ trainAccuracy: 0 }, [row(1, 1)])).toBe(false);
    expect([isReached(undefined, rows(1)), isReached(both, [])]).toEqual([false, false]);
  });
  it('evaluates the training rows only if a condition or the run asks for it', () => {
    expect(needsTrainEval({ stop: { validationAccuracy: 1 } })).toBe(false);
    expect(needsTrainEval({ stop: { trainAccuracy: 1 } })).toBe(true);
    expect(needsTrainEval({ evaluate: { train: true } })).toBe(true);
    expect(needsTrainEval({ require: { validationAccuracy: {} } })).toBe(false);
  });
  it('requires at least one accuracy', () => {
    const check = (stop: object) => () => checkExperiment({ ...experiment, stop });
    expect(check({ for: 3 })).toThrow('must have "trainAccuracy", "validationAccuracy" or both');
    expect(check({ validationAccuracy: 0.9, for: 0 })).toThrow('stop.for');
  });
});

it('a run ends at the first row that sustained its accuracy (catches: an epoch early or late)', async () => {
  const changes = { epochs: 60, batch: 'full', model: { use: 'bag', options: { dropout: 0 } } };
  const whole = await trainSmall(changes);
  const target = Math.max(...whole.history.slice(0, 30).map((r) => r.validation.accuracy));
  const stop = { validationAccuracy: target, for: 2 };
  const expected = whole.history.findIndex((_, i) =>
    isReached(stop, whole.history.slice(0, i + 1)),
  );
  const { history, manifest } = await trainSmall({ ...changes, stop });
  expect(history).toHaveLength(expected === -1 ? 60 : expected + 1);
  expect(manifest.status).toBe('finished');
});
