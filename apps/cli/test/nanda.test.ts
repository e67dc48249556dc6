/** The preset of Nanda et al. 2023 is what the paper says, and begins to train. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Bench, bench, configIn } from './helpers.js';

let world: Bench;
beforeAll(() => {
  world = bench();
});
afterAll(() => world.remove());

it('is one layer without norm, four heads of 32, a full batch of 30 % of the pairs', async () => {
  const words = ['--preset', 'nanda', '--epochs', '1', '--out', 'run', '--quiet', '--json'];
  const { code, json } = await world.grok('train', ...words);
  expect(code).toBe(0);
  // Catches: a gate, a norm or a bias too many: E and U 115·128 each, positions 4·128, QKVO, two of the MLP.
  expect(json()).toMatchObject({
    epochs: 1,
    parameters: 2 * 115 * 128 + 4 * 128 + 4 * 128 ** 2 + 2 * 128 * 512,
  });
  const { experiment } = configIn(world)('run');
  // One step an epoch: the whole 30 %.
  expect(experiment).toMatchObject({ batch: Math.trunc(0.3 * 113 ** 2), evalEvery: 100 });
});
