/** The reference's results on every available backend; `npm run test:parity` prints them line by line. */
import { readSafetensors, writeSafetensors } from '@grok/core/internal';
import { type ParityFile, runParity } from '@grok/testing/parity';
import { describe, expect, it } from 'vitest';
import { backends, files, find, metrics, statistics } from './parity/at-hand.mjs';

// Catches: any number that differs from the reference's by more than float32 explains.
describe.each(backends)('$name', (backend) => {
  it.each(files())('$name', async (file) => {
    const what = { backends: [backend], files: [file], find, metrics, statistics };
    const [result] = await runParity(what);
    expect(result?.status, result?.where).toBe('passed');
  });
});

describe('the runner', () => {
  const own = (name: string): ParityFile => files().find((file) => file.name === name)!;
  const run = async (file: ParityFile) => {
    const [result] = await runParity({
      ...{ backends: backends.filter(({ name }) => name === 'wasm'), files: [file] },
      ...{ find, metrics, statistics },
    });
    if (result === undefined) throw new Error('wasm did not start');
    return result;
  };
  /** The file with one number changed. */
  const changed = (name: string, tensor: string, by: number): ParityFile => {
    const { tensors, metadata } = readSafetensors(own(name).bytes, name);
    const { data } = tensors[tensor]!;
    data[data.length - 1]! += by;
    return { name, bytes: writeSafetensors(tensors, metadata) };
  };

  // Catches: a comparison that is skipped, or too lax by a factor of two.
  it.each([
    ['model-dim32.safetensors', 'sites/blocks.0.attn.hook_pattern', 4e-5],
    ['model-dim32.safetensors', 'grads/unembed.W_U', 6e-5],
    ['dropout.safetensors', 'loss/ce', 4e-5],
    ['distill-all.safetensors', 'teacher/sites/pooled', 4e-5],
    ['distill-all.safetensors', 'grads/extra/projector.5.W', 6e-5],
    ['distill-all.safetensors', 'step2/feature_loss', 4e-5],
    ['distill-all.safetensors', 'step1/params/student/ln_final.w', 4e-5],
    ['distill-all.safetensors', 'step3/params/extra/projector.5.W', 4e-3],
    ['metrics.safetensors', 'cka/X,Y', 2e-5],
  ])('%s with another %s fails by that name', async (name, tensor, by) => {
    const { status, where } = await run(changed(name, tensor, by));
    expect(status).toBe('failed');
    expect(where).toContain(tensor);
  });

  it.each([
    ['"p_wilcoxon_exact": 0.005859375', '"p_wilcoxon_exact": 0.00585939'],
    ['"n": 34', '"n": 35'],
    ['"rmst_150_a": 132.7', '"rmst_150_a": 132.7003'],
    ['"rmst_150_a": 132.7', '"rmst_150_a": 132.7, "rmst_150_c": 1'],
    ['"value": 0.4', '"value": 0.4000005'],
  ])('statistics with %s as %s fail', async (text, other) => {
    const json = new TextDecoder().decode(own('statistics.json').bytes);
    expect(json).toContain(text);
    const bytes = new TextEncoder().encode(json.replace(text, other));
    expect(await run({ name: 'statistics.json', bytes })).toMatchObject({ status: 'failed' });
  });

  // Catches: an unsupported file that passes silently.
  it('fails on unknown files', async () => {
    const { tensors, metadata } = readSafetensors(own('metrics.safetensors').bytes, 'metrics');
    const odd = writeSafetensors(tensors, { ...metadata, kind: '"odd"' });
    expect(await run({ name: 'odd.safetensors', bytes: odd })).toMatchObject({
      status: 'failed',
      where: expect.stringContaining('odd'),
    });
    const truncated = own('splits.json').bytes.slice(0, 100);
    expect((await run({ name: 'splits.json', bytes: truncated })).status).toBe('failed');
    const text = new TextDecoder().decode(own('splits.json').bytes);
    const bytes = new TextEncoder().encode(text.replace('1277a03f', '1277a03e'));
    const { status, where } = await run({ name: 'splits.json', bytes });
    expect(status).toBe('failed');
    expect(where).toContain('sha256_train_tokens');
  });
});
