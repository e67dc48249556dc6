import type { Experiment, Model } from '@grok/core';
import { checkParameterCount, checkRunSizes } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';

const experiment: Experiment = {
  task: { use: 'add' },
  model: { use: 'wide' },
  optimizer: { use: 'adamw' },
  batch: 'full',
  epochs: 2,
  seed: 1,
};
const split = { train: new Int32Array(1024), validation: new Int32Array(1) };
/** A model with one value per row and one dropout mask, of given sizes. */
const wide = (width: number, mask = 1): Model => ({
  shape: { layers: 1, width, heads: 1 },
  keepProbability: 1,
  init: () => ({}),
  sites: () => [{ name: 'hidden', shape: [width], axes: ['d_model'] }],
  dropoutMaskShapes: (batch) => ({ attn: [batch, mask] }),
  apply: () => ({}),
});

describe('limits on a run', () => {
  it('are checked before anything is allocated', () => {
    // Catches: an endless loop, or a typed array that is too long, after files were written.
    expect(() => checkRunSizes(experiment, split, wide(2 ** 20))).not.toThrow();
    expect(() => checkRunSizes(experiment, split, wide(2 ** 21))).toThrow(
      'model "wide": "hidden" must have at most 2,147,483,647 values per batch, got 2,147,483,648 for shape [1024,2097152]; choose a smaller batch',
    );
    expect(() => checkRunSizes({ ...experiment, batch: 512 }, split, wide(2 ** 21))).not.toThrow();
    expect(() => checkRunSizes(experiment, split, wide(1, 2 ** 21))).toThrow('"attn" must have');
  });
  it('include the steps that int32 can count', () => {
    // Catches: a step count that overflows inside a program.
    const long = { ...experiment, batch: 1, epochs: 2 ** 21 };
    expect(() => checkRunSizes(long, split, wide(1))).toThrow(
      'at most 2,147,483,647 steps, got 2,147,483,648: 2097152 epochs of 1024; train fewer epochs',
    );
    expect(() => checkRunSizes({ ...long, epochs: 2 ** 21 - 1 }, split, wide(1))).not.toThrow();
  });
  it('include the parameters that a checkpoint can hold', () => {
    expect(() => checkParameterCount('model "x"', 2 ** 27)).not.toThrow();
    expect(() => checkParameterCount('model "x"', 2 ** 27 + 1)).toThrow('got 134,217,729');
  });
});
