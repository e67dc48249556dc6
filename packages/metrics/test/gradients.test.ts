/** Gradients whose norms, noise and angles are known, and what chance shows. */
import type { HostParams, Snapshot } from '@grok/core';
import { describe, expect, it } from 'vitest';
import { batchAgreement, gradientCosines, noiseToSignal, probes } from '../src/index.js';
import { average } from '../src/sample.js';
import { gaussian, host } from './draws.js';

const gradient = (embed: number[], block: number[]): HostParams => ({
  'embed.W': host([embed.length], embed),
  'blocks.0.w': host([block.length], block),
});
const snapshot: Snapshot = {
  ...{ epoch: 1, step: 1, params: {}, sites: {}, rows: Int32Array.of(0), history: [] },
  task: {
    vocabulary: 1,
    inputs: { data: Int32Array.of(0), shape: [1, 1], dtype: 'int32' },
    labels: Int32Array.of(0),
    show: String,
  },
  model: { layers: 1, width: 2, heads: 1, sites: [] },
};

describe('the probe', () => {
  const hardLoss = [gradient([3, 0], [1]), gradient([3, 8], [1])];
  it('gives norms of the mean over batches, their noise and agreement', async () => {
    const probe = probes.gradients({ batches: 2 });
    expect(probe.needs).toEqual({ rows: 'train', gradients: { batches: 2, byTerm: false } });
    expect(await probe.on({ ...snapshot, gradients: { hardLoss } })).toEqual({
      norms: { all: Math.sqrt(26), layers: { embed: 5, 'blocks.0': 1 } },
      noise: {
        all: { noise: 32, signal: 10, ratio: 3.2, signalToNoise: 0.3125 },
        layers: {
          embed: { noise: 32, signal: 9, ratio: 32 / 9, signalToNoise: 9 / 32 },
          'blocks.0': { noise: 0, signal: 1, ratio: 0, signalToNoise: null },
        },
      },
      agreement: {
        all: 10 / Math.sqrt(10 * 74),
        layers: { embed: 9 / (3 * Math.sqrt(73)), 'blocks.0': 1 },
      },
      batches: 2,
    });
  });

  it('gives the same of every term and of the total, and their angles', async () => {
    // Catches: cosines of batches in place of means, a term under another's name.
    const probe = probes.gradients({ batches: 2, byTerm: true });
    const logit = [gradient([-3, -4], [2]), gradient([-3, -4], [2])];
    const total = [gradient([0, -4], [3]), gradient([0, 4], [3])];
    const found = await probe.on({
      ...snapshot,
      gradients: { hardLoss, total, terms: { hard: hardLoss, logit } },
    });
    expect(found).toMatchObject({
      batches: 2,
      terms: { logit: { norms: { layers: { embed: 5 } } }, total: { norms: { all: 3 } } },
      cosines: {
        names: ['total', 'hard', 'logit'],
        layers: {
          embed: [
            [null, null, null],
            [null, 1, -1],
            [null, -1, 1],
          ],
          'blocks.0': [
            [1, 1, 1],
            [1, 1, 1],
            [1, 1, 1],
          ],
        },
        chance: { layers: { embed: 1 / Math.sqrt(2), 'blocks.0': 1 } },
      },
    });
  });
});

describe('chance', () => {
  it('is as stated: cosines of random directions spread by 1/√parameters, signal and agreement are 0 on average', () => {
    const draw = (label: string): HostParams => ({
      w: host([40], gaussian(label, 1, 40).to1DArray()),
    });
    const [cosines, signals, agreements]: [number[], number[], number[]] = [[], [], []];
    for (let i = 0; i < 1000; i++) {
      const batches = ['a', 'b', 'c'].map((name) => draw(`${name}${i}`));
      const [x = {}, y = {}] = batches;
      const { all, chance } = gradientCosines({ x, y });
      cosines.push((all[0]?.[1] ?? 0) / chance.all);
      signals.push(noiseToSignal(batches).all.signal);
      agreements.push(batchAgreement(batches).all);
    }
    const spread = Math.sqrt(average(cosines.map((c) => c * c)));
    expect(spread).toBeGreaterThan(0.93);
    expect(spread).toBeLessThan(1.07);
    expect(Math.abs(average(signals))).toBeLessThan(1); // 40 is the noise.
    expect(Math.abs(average(agreements))).toBeLessThan(0.02);
  });
});
