/** The exporter `onnx`: the file computes in onnxruntime what the model computes here, for any number of rows. */
import { onnxModel } from '@grok/backend-onnx';
import { expect, test } from 'vitest';
import { largestDistance, MODELS, makeSource } from './exported/model.js';

process.env.ORT_DISABLE_TELEMETRY ||= '1';
const ort = await import('onnxruntime-node');

test.each(Object.entries(MODELS))(
  'a model %s has equal values at every site',
  async (_, options) => {
    // Catches: rows fixed to those that were recorded, an output under another site's name, a transposed factor.
    for (const rows of [1, 2, 5]) {
      const { distance } = await largestDistance(ort, options, rows);
      expect(distance).toBeLessThan(1e-5);
    }
  },
);
test('sites are outputs where they are asked for, logits always', async () => {
  const source = makeSource({ dim: 8 });
  const names = async (sites?: string[]): Promise<readonly string[]> => {
    const { 'model.onnx': file } = await onnxModel(sites && { sites })(source);
    const session = await ort.InferenceSession.create(file as Uint8Array);
    await session.release();
    return session.outputNames;
  };
  expect(await names([])).toEqual(['logits']);
  expect(await names(['blocks.*.attn.hook_pattern'])).toEqual([
    ...['logits', 'blocks.0.attn.hook_pattern', 'blocks.1.attn.hook_pattern'],
  ]);
  expect(await names()).toHaveLength(source.exported.model.sites().length);
  await expect(names(['blocks.0.attn.hook_patterns'])).rejects.toThrow(
    'unknown site "blocks.0.attn.hook_patterns": did you mean "blocks.0.attn.hook_pattern"?',
  );
});
test('the file has standard operators alone, and says what it is of', async () => {
  // Catches: an operator of onnxruntime's own, which no other program could run.
  const { 'model.onnx': file } = await onnxModel()(makeSource({ dim: 8, heads: 2 }));
  const text = Buffer.from(file as Uint8Array).toString('latin1');
  expect(text).not.toContain('com.microsoft');
  for (const part of ['params_sha256', '"use":"div"', 'blocks.1.mlp.W_out', 'rows'])
    expect(text).toContain(part);
});
