import type { Manifest, MetricsRow } from '@grok/core';
import { describe, expect, it } from 'vitest';
import { buildRecord, median } from '../src/index.js';

const manifest: Manifest = {
  format: 'grok manifest 1',
  run: 'a'.repeat(64),
  slug: 'div23-transformer32-hard-s7',
  status: 'interrupted',
  parameters: 34528,
  epoch: 0,
  step: 0,
  splitHash: 'b'.repeat(64),
  seeds: { seed: 7, splitSeed: 7 },
  backend: 'onnx',
  device: 'onnxruntime-node',
  threads: 2,
  execution: {},
  versions: {},
  seconds: 0,
};
const row = (epoch: number, accuracy: number, seconds: number): MetricsRow => ({
  epoch,
  step: epoch,
  train: { loss: 1, accuracy: 0 },
  terms: {},
  validation: { loss: 2 / epoch, accuracy },
  time: { seconds },
});

describe('buildRecord', () => {
  it('summarizes a run', () => {
    // Catches: the best epoch instead of the last, the mean instead of the median, training scores
    // instead of validation.
    const history = [row(1, 0.4, 9), row(2, 0.995, 1), row(3, 0.9, 2)];
    const record = buildRecord(
      { ...manifest, status: 'finished', paramsSha256: 'c'.repeat(64), seconds: 12, leaked: true },
      history,
      'runs/x',
    );
    expect(record).toEqual({
      run: 'a'.repeat(64),
      parameters: 34528,
      epochs: 3,
      epochsTo: { 0.5: 2, 0.9: 2, 0.95: 2, 0.99: 2, 0.999: null },
      finalValAccuracy: 0.9,
      bestOfLast10: 0.995,
      finalValLoss: 2 / 3,
      seconds: 12,
      secondsPerEpoch: 2,
      peakMemoryBytes: null,
      splitHash: 'b'.repeat(64),
      paramsSha256: 'c'.repeat(64),
      backend: 'onnx',
      status: 'finished',
      seed: 7,
      leaked: true,
      out: 'runs/x',
    });
  });
  it('has null instead of NaN before the first epoch', () => {
    // Catches: a record that JSON changes.
    const record = buildRecord(manifest, [], 'x');
    expect(record).toMatchObject({ epochs: 0, finalValAccuracy: null, secondsPerEpoch: null });
    expect(JSON.parse(JSON.stringify(record))).toEqual(record);
  });
});

it('returns the middle value, or the mean of the two middle ones', () => {
  expect([median([]), median([3]), median([9, 1]), median([10, 9, 1])]).toEqual([null, 3, 5, 9]);
});
