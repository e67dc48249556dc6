/** `grok export`: runs and studies as other tools read them, and nothing written where that cannot be. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { paramsSha256 } from '@grok/core';
import { readSafetensors } from '@grok/core/internal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bench, TINY } from './helpers.js';

const at = bench({ GROK_BACKEND: 'wasm' });
afterAll(() => at.remove());
const path = (file: string): string => join(at.dir, file);
const lines = (file: string): readonly string[] =>
  readFileSync(path(file), 'utf8').trim().split('\n');

beforeAll(async () => {
  await at.grok('train', ...TINY, '--out', 'study/a');
  await at.grok('train', ...TINY, '--seed', '3', '--out', 'study/b');
}, 120_000);

describe('export', () => {
  it('writes a folder of runs as one table, under the folder unless told otherwise', async () => {
    // Catches: a run left out, a table that mixes with the runs' own files.
    const done = await at.grok('export', 'csv', 'study', '--json');
    expect(done.code, done.err).toBe(0);
    expect(done.json()).toEqual({
      ...{ exporter: 'csv', out: 'study/export/csv', leftOut: [] },
      files: ['study/export/csv/metrics.csv'],
    });
    expect(lines('study/export/csv/metrics.csv')).toHaveLength(5);
    expect((await at.grok('export', 'parquet', 'study', '--out', 'table')).code).toBe(0);
    expect(existsSync(path('table/metrics.parquet'))).toBe(true);
  });
  it.each([
    ['huggingface', ['model.safetensors', 'config.json', 'README.md']],
    ['transformerlens', ['model.safetensors', 'config.json', 'load.py']],
    ['onnx:sites=["pooled"]', ['model.onnx']],
  ])('writes the model of a run: %s', async (exporter, files) => {
    const done = await at.grok('export', exporter, 'study/a', '--out', 'model', '--json');
    expect(done.code, done.err).toBe(0);
    expect(done.json()).toMatchObject({ files: files.map((name) => `model/${name}`) });
  });
  it('writes the parameters that the manifest names', async () => {
    await at.grok('export', 'huggingface', 'study/a', '--out', 'hub');
    const { tensors } = readSafetensors(readFileSync(path('hub/model.safetensors')), 'file');
    const { paramsSha256: hash } = JSON.parse(readFileSync(path('study/a/manifest.json'), 'utf8'));
    const params = Object.entries(tensors).flatMap(([name, tensor]) =>
      tensor.dtype === 'float32' ? [[name, tensor] as const] : [],
    );
    expect(paramsSha256(Object.fromEntries(params))).toBe(hash);
  });
});

describe('bad input is one line, and nothing is written', () => {
  it.each([
    [['csw', 'study'], 'unknown exporter "csw": did you mean "csv"?'],
    [['onnx', 'study'], 'study: has 2 runs, and this exporter writes the model of one'],
    [['onnx', 'nowhere'], 'no such folder: nowhere'],
    [['onnx', 'study/a', '--step', '7'], 'no checkpoint of step 7; there are 2'],
    [['onnx:sites=["hook_embeds"]', 'study/a'], 'unknown site "hook_embeds"'],
    [['onnx:site=x', 'study/a'], 'exporter "onnx"'],
    [['csv', 'study', '--out', 'study/b'], '--out study/b: is the folder of a run or a study'],
    [['csv', 'study', '--out', 'file'], '--out file: is a file; give a folder'],
  ])('export %j', async (args, rule) => {
    writeFileSync(path('file'), '');
    const before = at.files();
    const { code, err } = await at.grok('export', ...args);
    expect(err).toContain(rule);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(2);
    expect(at.files()).toEqual(before);
  });
});
