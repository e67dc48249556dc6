/** The exporters of metrics and of weights: every number as the run has it, and types that do not depend on values. */
import type { ExportedModel, ExportedRun, ExportSource, MetricsRow } from '@grok/core';
import { readSafetensors } from '@grok/core/internal';
import { fakeModel } from '@grok/testing';
import { parquetMetadata, parquetReadObjects, parquetSchema } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { csv, huggingFace, parquet } from '../src/index.js';

const row = (epoch: number, more: Partial<MetricsRow> = {}): MetricsRow => ({
  ...{ epoch, step: 3 * epoch, train: { loss: 1 / 3, accuracy: 0 }, terms: { hard: 1 / 3 } },
  ...{ validation: { loss: Number.NaN, accuracy: 1 }, time: { seconds: 1e-9 } },
  ...more,
});
const makeRun = (key: string, seed: number, history: readonly MetricsRow[]): ExportedRun => ({
  ...{ key, name: key.replace(/@.*/, ''), role: 'student', history },
  experiment: {
    ...{ task: { use: 'div', options: { p: 97 } }, model: { use: 'transformer' } },
    objective: [{ use: 'hard' }, { use: 'logit', weight: 0.5 }],
    ...{ optimizer: { use: 'adamw', options: { weightDecay: 1 } }, batch: 'full', epochs: 2, seed },
  },
  manifest: {
    ...{ format: 'grok manifest 1', run: `${seed}`.repeat(64), slug: `div97-hard-s${seed}` },
    ...{ status: 'finished', parameters: 4, epoch: 2, step: 6, splitHash: '0'.repeat(64) },
    ...{ seeds: { seed, splitSeed: seed }, backend: 'wasm', device: 'none', threads: 1 },
    ...{ execution: {}, versions: {}, seconds: 1 },
  },
});
const runs = [
  makeRun('logit@1', 1, [
    row(1),
    row(2, { probes: { rank: { pooled: [1, 2.5] }, 'a,b': 'x "y"' } }),
  ]),
  makeRun('none@2', 2, [row(1, { trainEval: { loss: 2, accuracy: 0.25 } })]),
];
const source: ExportSource = {
  ...{ title: 'small', runs },
  model: () => Promise.reject(new Error('two runs')),
};
const read = async (files: ReturnType<ReturnType<typeof parquet>>, name: string): Promise<Buffer> =>
  Buffer.from((await files)[name] ?? '');

describe('metrics as a table', () => {
  it('have a row for each run and epoch, and a column for each quantity of any of them', async () => {
    // Catches: columns of the first run alone, a column that shifts where a run lacks it, unquoted commas.
    const text = (await read(csv()(source), 'metrics.csv')).toString();
    const [head = '', ...lines] = text.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    const names = head.split(',');
    expect(names.slice(0, 5)).toEqual(['run', 'name', 'role', 'override', 'seed']);
    expect(names).toContain('"probes.a');
    expect(lines[1]).toContain('"x ""y"""');
    expect(lines[1]).toContain('"[1,2.5]"');
    expect(text).toContain(`${1 / 3}`);
    expect(names.at(-1)).toBe('experiment.epochs');
  });
  it('are the same in Parquet, with types', async () => {
    // Catches: NaN written as null, an accuracy of 0 and 1 alone written as an integer, big seeds cut.
    const bytes = await read(parquet()(source), 'metrics.parquet');
    const file = Uint8Array.from(bytes).buffer;
    const [first, second, third] = await parquetReadObjects({ file });
    expect(first).toMatchObject({
      ...{ run: 'logit@1', seed: 1n, epoch: 1n, step: 3n, leaked: false },
      ...{ 'train.loss': 1 / 3, 'validation.loss': Number.NaN, 'validation.accuracy': 1 },
      ...{ 'trainEval.accuracy': null, 'experiment.batch': 'full' },
      'experiment.objective': '[{"use":"hard"},{"use":"logit","weight":0.5}]',
    });
    expect(second?.['probes.rank.pooled']).toBe('[1,2.5]');
    expect(third?.['trainEval.accuracy']).toBe(0.25);
    const types = Object.fromEntries(
      parquetSchema(parquetMetadata(file)).children.map(({ element }) => [
        element.name,
        element.type,
      ]),
    );
    expect(types).toMatchObject({ epoch: 'INT64', 'train.accuracy': 'DOUBLE', run: 'BYTE_ARRAY' });
  });
  it('are whole without an epoch', async () => {
    const empty = { ...source, runs: [makeRun('none@1', 1, [])] };
    expect((await read(csv()(empty), 'metrics.csv')).toString()).toBe('\n');
  });
});

describe('a folder for the Hugging Face Hub', () => {
  const info = fakeModel();
  const exported: ExportedModel = {
    ...{ run: makeRun('logit@1', 1, [row(1)]), epoch: 1, step: 3 },
    task: {
      ...{ vocabulary: 7, labels: Int32Array.of(0), show: () => '' },
      inputs: { shape: [1, 4], dtype: 'int32', data: new Int32Array(4) },
    },
    model: {
      ...{ shape: info, keepProbability: 1, conventions: 'linear weights are [in, out]' },
      ...{ init: () => ({}), sites: () => info.sites, dropoutMaskShapes: () => ({}) },
      apply: () => ({}),
    },
    params: { w: { data: Float32Array.of(1, -2.5), shape: [2], dtype: 'float32' } },
  };
  it('has the weights’ bits, the experiment, and a card with its table and hash', async () => {
    // Catches: weights that are rounded, a card of another step, a hash of something else.
    const files = await huggingFace()({ ...source, model: async () => exported });
    const weights = files['model.safetensors'];
    expect(weights).toBeInstanceOf(Uint8Array);
    const { tensors, metadata } = readSafetensors(weights as Uint8Array, 'model.safetensors');
    expect(tensors.w?.data).toEqual(Float32Array.of(1, -2.5));
    const config = JSON.parse(String(files['config.json']));
    expect(config).toMatchObject({ step: 3, params_sha256: metadata.params_sha256, vocab_size: 7 });
    expect(config.experiment).toEqual(exported.run.experiment);
    const card = String(files['README.md']);
    for (const part of [
      metadata.params_sha256 ?? '',
      '| validation accuracy | 100.00 % |',
      '[in, out]',
    ])
      expect(card).toContain(part);
  });
});
