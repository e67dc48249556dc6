import { combine, hiddenStates, layerPairs, listNeeds, type ModelInfo } from '@grok/core';
import * as tf from '@grok/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';

const model = (layers: number): ModelInfo => ({ layers, width: 8, heads: 1, sites: [] });
const models = (teacher: number, student: number): Parameters<typeof layerPairs>[0] => ({
  student: model(student),
  teachers: { teacher: model(teacher), second: model(3) },
});
const site = (layer: number): string => `blocks.${layer}`;

describe('layerPairs', () => {
  it('pairs layers by index at equal depths', () => {
    // Catches: layers counted from 1; the last one missing.
    expect(layerPairs(models(2, 2), undefined, site)).toEqual([
      ['blocks.0', 'blocks.0'],
      ['blocks.1', 'blocks.1'],
    ]);
  });

  it('reads a map as teacher → student', () => {
    // Catches: the two sides of the map swapped.
    expect(layerPairs(models(2, 1), { 1: 0 }, site)).toEqual([['blocks.1', 'blocks.0']]);
    expect(layerPairs(models(1, 2), { 0: 1 }, site)).toEqual([['blocks.0', 'blocks.1']]);
    expect(layerPairs(models(1, 3), { 2: 0 }, site, { teacher: 'second' })).toEqual([
      ['blocks.2', 'blocks.0'],
    ]);
  });

  it('asks for a map when depths differ, and gives a valid example', () => {
    // Catches: the deeper model's layers silently ignored; an example that is itself wrong.
    expect(() => layerPairs(models(2, 1), undefined, site)).toThrow(
      'teacher has 2 blocks, student 1; give a layer map (teacher → student) such as {"1": 0}',
    );
    const states = { layers: (of: ModelInfo) => 2 * of.layers + 2, what: 'hidden states' };
    expect(() => layerPairs(models(2, 1), undefined, site, states)).toThrow(
      'teacher has 6 hidden states, student 4',
    );
    expect(layerPairs(models(2, 1), { 5: 3 }, site, states)).toEqual([['blocks.5', 'blocks.3']]);
  });

  it('refuses unknown layers and teachers', () => {
    // Catches: a site of a missing layer, which fails far from its cause.
    expect(() => layerPairs(models(2, 1), { 2: 0 }, site)).toThrow(
      'layer map {"2": 0}: teacher has blocks 0 to 1, student 0 to 0',
    );
    expect(() => layerPairs(models(2, 1), { 0: 1 }, site)).toThrow('student 0 to 0');
    expect(() => layerPairs(models(2, 2), undefined, site, { teacher: 'third' })).toThrow(
      'distillation: needs a teacher named "third", the run has teacher, second; name a finished run under "teachers"',
    );
    const alone = { student: model(2), teachers: {} };
    expect(() => layerPairs(alone, undefined, site)).toThrow('"teacher", the run has none');
  });
});

describe('listNeeds', () => {
  it('lists each site once, on its own side', () => {
    // Catches: a site computed twice when two teacher layers map to one student layer.
    const pairs = layerPairs(models(3, 1), { 0: 0, 2: 0 }, site);
    expect(listNeeds(pairs)).toEqual({
      student: ['blocks.0'],
      teachers: { teacher: ['blocks.0', 'blocks.2'] },
    });
    expect(listNeeds(pairs, 'second').teachers).toEqual({ second: ['blocks.0', 'blocks.2'] });
  });
});

describe('hiddenStates', () => {
  it('returns 2 × depth + 2 sites in order', () => {
    // Catches: the embedding or the final norm missing (the reference has six at depth 2).
    expect(hiddenStates(model(2))).toEqual([
      'hook_embed',
      'blocks.0.hook_resid_mid',
      'blocks.0.hook_resid_post',
      'blocks.1.hook_resid_mid',
      'blocks.1.hook_resid_post',
      'ln_final.hook_out',
    ]);
  });
});

describe('combine', () => {
  it('takes the mean or the sum', async () => {
    // Catches: mean and sum swapped; a mean over one term too few.
    await tf.setBackend('cpu');
    const terms = [1, 2, 6].map((value) => tf.scalar(value));
    expect(combine('mean', terms).dataSync()[0]).toBeCloseTo(3, 6);
    expect(combine('sum', terms).dataSync()[0]).toBe(9);
    expect(combine('mean', terms.slice(0, 1)).dataSync()[0]).toBe(1);
  });
});
