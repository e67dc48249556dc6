/** Hooks and patching in a browser, with the same reference values as in Node. */
import { takeRows } from '@grok/core/internal';
import { activationPatching } from '@grok/interp';
import { describe, expect, test } from 'vitest';
import { decodeFixture, distance, fixtureUrl, withModel } from './fixtures.js';

const name = 'transformer-div23-heads4';
const bytes = new Uint8Array(await (await fetch(fixtureUrl(name))).arrayBuffer());
const fixture = decodeFixture(bytes, name);
const { get, pairs } = fixture;

describe.each(['onnx', 'wasm'])('on %s', (backend) => {
  test('runWithCache and a sweep match TransformerLens', async () => {
    // Catches: Node-only code; kernels that differ in a browser.
    await withModel(fixture, backend, async (model) => {
      const { logits, cache } = await model.runWithCache(takeRows(pairs.clean.inputs, [0, 1, 2]));
      expect(distance(logits.data, get('cache/logits').data)).toBeLessThan(1e-4);
      for (const site of ['blocks.0.attn.hook_pattern', 'blocks.1.mlp.hook_post'])
        expect(distance(cache[site]?.data ?? [], get(`cache/${site}`).data)).toBeLessThan(1e-4);
      const grid = await activationPatching(model, { ...pairs, activation: 'z' });
      expect(distance(grid.values, get('sweep/z').data)).toBeLessThan(1e-4);
    });
  });
});
