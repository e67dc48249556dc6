/** `grok import`: what is exported comes back with the same bits, teaches, and trains on. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafetensors } from '@grok/core/internal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bench, configIn, TINY } from './helpers.js';

const at = bench({ GROK_BACKEND: 'wasm' });
afterAll(() => at.remove());
const SIZES = ['--p', '7', '--dim', '8', '--heads', '2'];
let trained = { paramsSha256: '', run: '' };

beforeAll(async () => {
  trained = (await at.grok('train', ...TINY, '--heads', '2', '--out', 'run', '--json')).json();
  for (const name of ['huggingface', 'transformerlens', 'onnx'])
    await at.grok('export', name, 'run');
}, 120_000);

describe('import', () => {
  it.each([
    ['huggingface/model.safetensors', []],
    ['transformerlens/model.safetensors', ['--map', 'transformerlens']],
    ['onnx/model.onnx', []],
  ])('gives the bits that were exported: %s', async (file, flags) => {
    // Catches: a layout that comes back turned, a float that was printed, a run that takes the other's id.
    const out = `from-${file.split('/')[0]}`;
    const args = ['import', `run/export/${file}`, ...SIZES, ...flags, '--out', out, '--json'];
    const done = await at.grok(...args);
    expect(done.code, done.err).toBe(0);
    const found = done.json<{ paramsSha256: string; run: string; accuracy: number }>();
    expect(found.paramsSha256).toBe(trained.paramsSha256);
    expect(found.run).not.toBe(trained.run);
    const { accuracy } = (await at.grok('eval', 'run', '--json')).json<{ accuracy: number }>();
    expect(found.accuracy).toBe(accuracy);
    expect((await at.grok(...args)).json()).toEqual(found);
  });
  it('is a run that can be looked at, and can teach', async () => {
    expect((await at.grok('inspect', 'from-onnx')).code).toBe(0);
    const taught = await at.grok(
      ...[
        'distill',
        '--teacher',
        'from-onnx',
        '--strategy',
        'logit',
        '--dim',
        '4',
        '--epochs',
        '2',
      ],
      ...['--out', 'student', '--quiet', '--json'],
    );
    expect(taught.code, taught.err).toBe(0);
    const { teachers } = configIn(at)('student').experiment as {
      teachers: Record<string, { paramsSha256: string }>;
    };
    expect(Object.values(teachers)[0]?.paramsSha256).toBe(trained.paramsSha256);
  });
  it('is finished until it is asked for epochs, which it then trains', async () => {
    // Catches: an optimizer’s state that is asked of a file, a run that trains by itself.
    const rest = await at.grok('resume', 'from-huggingface');
    expect(rest.code, rest.err).toBe(0);
    expect(rest.out).toContain('already finished');
    const more = await at.grok('resume', 'from-huggingface', '--epochs', '2', '--json');
    expect(more.code, more.err).toBe(0);
    expect(more.json()).toMatchObject({ epochs: 2, status: 'finished' });
  });
});

describe('bad input is one line, and nothing is written', () => {
  it.each([
    [['nothing.safetensors'], 'import: no such file: nothing.safetensors'],
    [['run/export/onnx/model.onnx', '--p', '7', '--dim', '16'], 'and the model needs'],
    [
      ['run/export/huggingface/model.safetensors', ...SIZES, '--map', 'no.json'],
      '--map: no such file: no.json',
    ],
    [['run/export/huggingface/model.safetensors', ...SIZES, '--map', 'bad.json'], 'bad.json'],
    [['ints.safetensors', ...SIZES], 'unknown tensor "embed.W_E"'],
    [
      ['run/export/huggingface/model.safetensors', ...SIZES, '--out', 'run'],
      'contains another experiment',
    ],
  ])('import %j', async (args, rule) => {
    writeFileSync(join(at.dir, 'bad.json'), '{ "param": {} }');
    const data = Int32Array.of(1);
    writeFileSync(
      join(at.dir, 'ints.safetensors'),
      writeSafetensors({ n: { shape: [1], dtype: 'int32', data } }),
    );
    const before = at.files();
    const { code, err } = await at.grok('import', ...args);
    expect(err).toContain(rule);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(2);
    expect(at.files()).toEqual(before);
  });
});
