/** Metrics other than the total loss: the hard loss, and training accuracy without dropout. */
import { memoryStore, type RunEvent, resumeRun } from '@grok/core';
import { expect, it } from 'vitest';
import { registry, trainSmall, withoutTimes } from '../helpers/small.js';

it('every row has the hard loss, from its term or computed separately', async () => {
  // Catches: the total in its place; a weighted value; a hard term under another name missed.
  const plain = await trainSmall();
  for (const { train, terms } of plain.history) expect(train.hardLoss).toBe(terms.hard);
  const named = await trainSmall({
    objective: [{ use: 'hard', as: 'labels', weight: 0.5 }, { use: 'squared' }],
  });
  for (const { train, terms } of named.history) {
    expect(train.hardLoss).toBe(terms.labels);
    expect(train.hardLoss).not.toBeCloseTo(train.loss, 3);
  }
});

it('computing the hard loss of an objective without it does not change its gradients', async () => {
  // The first step equals that with a hard term of weight 0, whose value is the reference.
  const objective = [{ use: 'squared' }];
  const alone = await trainSmall({ objective, epochs: 1 });
  const beside = await trainSmall({
    objective: [...objective, { use: 'hard', weight: 0 }],
    epochs: 1,
  });
  expect(alone.manifest.paramsSha256).toBe(beside.manifest.paramsSha256);
  expect(alone.history[0]?.terms).not.toHaveProperty('hard');
  expect(alone.history[0]?.train.hardLoss).toBe(beside.history[0]?.terms.hard);
});

it('a run interrupted within an epoch continues the sum of the hard loss', async () => {
  const objective = [{ use: 'squared' }];
  const whole = await trainSmall({ objective });
  const store = memoryStore();
  const stop = new AbortController();
  const listener = (event: RunEvent): void => {
    if (event.type === 'step' && event.step === 4) stop.abort();
  };
  await trainSmall({ objective }, { store, signal: stop.signal, listeners: [listener] });
  const resumed = await resumeRun({ registry, store });
  expect(withoutTimes(resumed.history)).toEqual(withoutTimes(whole.history));
});

it('a run that asks for it has training accuracy without dropout in its rows', async () => {
  const plain = await trainSmall();
  expect(plain.history.every((row) => row.trainEval === undefined)).toBe(true);
  const withTrain = await trainSmall({ evaluate: { train: true } });
  expect(withTrain.history.every((row) => row.trainEval !== undefined)).toBe(true);
  expect(withTrain.manifest.paramsSha256).toBe(plain.manifest.paramsSha256);
});
