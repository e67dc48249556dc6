/** Probes inside runs: when they run, where their results go, and what a failing one costs. */
import wasm from '@grok/backend-wasm';
import {
  createRegistry,
  defineProbe,
  defineStrategy,
  type Experiment,
  isRunError,
  memoryStore,
  type Plugin,
  type Probe,
  readManifest,
  resumeRun,
  type Snapshot,
  type Store,
  schema,
  startRun,
} from '@grok/core';
import { readEvents } from '@grok/core/internal';
import data from '@grok/data';
import metrics from '@grok/metrics';
import model from '@grok/model';
import optim from '@grok/optim';
import { expect, test } from 'vitest';

/** A custom probe that does `on` at `when`. */
function own(when: unknown, on: (snapshot: Snapshot) => unknown, sites: string[] = []): Plugin {
  const create = (): Probe => ({ when, needs: { sites }, on }) as Probe;
  const probe = defineProbe({ name: 'own', summary: '', options: schema({}), create });
  return { name: 'own', version: '1.0.0', core: '>=0.1.0', components: [probe] };
}

const experiment: Experiment = {
  task: { use: 'div', options: { p: 5 } },
  model: { use: 'transformer', options: { dim: 8, depth: 1, heads: 1 } },
  optimizer: { use: 'adamw', options: { learningRate: 1e-2 } },
  batch: 4,
  epochs: 6,
  seed: 1,
};
const execution = { backend: 'wasm', checkpointEvery: 2 };
const makeRegistry = (...more: Plugin[]) =>
  createRegistry([data, model, optim, wasm, metrics, ...more]);

async function run(
  probes: readonly { use: string; as?: string; options?: object }[],
  {
    with: more = [],
    store = memoryStore(),
    ...changes
  }: {
    with?: Plugin[];
    store?: Store;
    epochs?: number;
    evalEvery?: number;
  } = {},
) {
  const spec = { experiment: { ...experiment, ...changes, probes }, execution };
  const host = { registry: makeRegistry(...more), store, peakMemoryBytes: () => 12345 };
  return { store, ...(await startRun(spec, host)) };
}

test('probes add to the metrics or leave an analysis', async () => {
  const { store, history } = await run([
    { use: 'weight-norms', options: { every: 1 } },
    { use: 'crossings' },
    { use: 'peak-memory' },
  ]);
  expect(history[0]?.probes?.['weight-norms']).toMatchObject({ l2: expect.any(Number) });
  expect(await store.list('analysis')).toEqual(['crossings-end.json', 'peak-memory-end.json']);
  const found = JSON.parse(
    new TextDecoder().decode(await store.read('analysis/peak-memory-end.json')),
  );
  expect(found.result).toBe(12345);
});

test('probes of what is inside a model fit a run’s sites, and leave JSON', async () => {
  const used = ['attention-modes', 'attention-flow', 'singular-spectra', 'neuron-images'];
  const sites = ['blocks.0.hook_resid_post'];
  const { store, manifest } = await run([
    ...used.map((use) => ({ use })),
    ...['pca', 'tsne', 'umap'].map((method) => ({
      ...{ use: 'layouts', as: method, options: { method, sites } },
    })),
  ]);
  expect(manifest.status).toBe('finished');
  const read = async (name: string) => {
    const bytes = await store.read(`analysis/${name}-end.json`);
    return JSON.parse(new TextDecoder().decode(bytes)).result;
  };
  const [head] = (await read('attention-modes'))['blocks.0.attn.hook_pattern'];
  expect(Object.keys(head.related)).toEqual(['label', 'a', 'b']);
  const { rollout, flow } = await read('attention-flow');
  expect(rollout.reduce((sum: number, share: number) => sum + share, 0)).toBeCloseTo(1, 5);
  expect(flow).toHaveLength(4);
  const { weights } = await read('singular-spectra');
  expect(weights['embed.W_E'].values).toHaveLength(7);
  const images = (await read('neuron-images'))['blocks.0.mlp.hook_post'];
  expect(images).toMatchObject({ p: 5, residues: [1, 2, 4, 3] });
  expect(images.neurons[0].image).toHaveLength(25);
  for (const method of ['pca', 'tsne', 'umap']) {
    const { labels, sites: found } = await read(method);
    expect(found['blocks.0.hook_resid_post'].points).toHaveLength(labels.length);
    expect(found['blocks.0.hook_resid_post'].trustworthiness).toBeGreaterThan(0.5);
  }
});

test('a crossing may be of any accuracy (but for five of them it never came)', async () => {
  const received = { use: 'own' };
  const crossing = 1 / 12;
  const { store, history } = await run([received], {
    with: [own({ crossing }, ({ history: rows }) => rows.at(-1)!.epoch)],
    epochs: 40,
  });
  const first = history.find(({ validation }) => validation.accuracy >= crossing)!;
  const file = `analysis/own-crossing-${crossing}.json`;
  const { result } = JSON.parse(new TextDecoder().decode(await store.read(file)));
  expect(result).toBe(first.epoch);
});

test('a probe that is due between two rows runs at the next one (catches: a probe that never runs)', async () => {
  const rows = async (every: number, evalEvery: number): Promise<readonly number[]> => {
    const probes = [{ use: 'own' }];
    const options = { with: [own({ every }, () => true)], evalEvery, epochs: 10 };
    const { history } = await run(probes, options);
    return history.filter(({ probes: found }) => found?.own === true).map(({ epoch }) => epoch);
  };
  expect(await rows(3, 1)).toEqual([3, 6, 9]);
  expect(await rows(3, 4)).toEqual([4, 8, 10]);
  expect(await rows(1, 5)).toEqual([5, 10]);
});

test('a probe that fails only loses its result, and is reported once (catches: a lost run)', async () => {
  const plain = await run([]);
  const broken = own({ every: 1 }, () => {
    throw new Error('no such thing');
  });
  const { store, status, history, manifest } = await run([{ use: 'own' }], { with: [broken] });
  expect(status).toBe('finished');
  expect(manifest.paramsSha256).toBe(plain.manifest.paramsSha256);
  expect(history).toHaveLength(6);
  expect(history.some(({ probes }) => probes !== undefined)).toBe(false);
  const notices = (await readEvents(store)).filter(({ type }) => type === 'notice');
  expect(notices).toEqual([
    { type: 'notice', message: 'probe "own" failed and has no result: no such thing' },
  ]);
});

test.each([
  [
    'a site that the model does not have',
    [{ use: 'own' }],
    own('end', () => 0, ['ln_fina']),
    /probe "own": unknown site "ln_fina"/,
  ],
  [
    'no moment',
    [{ use: 'own' }],
    own(undefined, () => 0),
    /probe "own": "when" must be .* got undefined/,
  ],
  [
    'a moment that never comes',
    [{ use: 'own' }],
    own({ crossing: 2 }, () => 0),
    /at most 1 }, got \{"crossing":2\}/,
  ],
  [
    'a name that is no file’s',
    [{ use: 'own', as: '../x' }],
    own('end', () => 0),
    /probe "..\/x": its name becomes part of a file/,
  ],
  [
    'two of one name',
    [{ use: 'own' }, { use: 'own' }],
    own('end', () => 0),
    /probe "own": appears twice; rename one/,
  ],
] as const)('%s is refused before anything is written', async (_, probes, plugin, message) => {
  const store = memoryStore();
  await expect(run(probes, { with: [plugin], store })).rejects.toThrow(message);
  expect(await store.list('')).toEqual([]);
});

test('bad input found after a run has started is recorded, and the run can be resumed', async () => {
  const store = memoryStore();
  const term = (loss: 'wrong' | 'right'): Plugin => {
    const strategy = defineStrategy({
      name: 'term',
      summary: '',
      options: schema({}),
      create:
        (_, { tf }) =>
        () => ({
          needs: { student: ['logits'], teachers: {} },
          loss: ({ student }) => ({
            [loss]: tf.sum(student(loss === 'wrong' ? ('lugits' as 'logits') : 'logits')),
          }),
        }),
    });
    return { name: 'term', version: '1.0.0', core: '>=0.1.0', components: [strategy] };
  };
  const spec = { experiment: { ...experiment, objective: [{ use: 'term' }] }, execution };
  const failed = await startRun(spec, { registry: makeRegistry(term('wrong')), store }).catch(
    (e) => e,
  );
  expect(failed.message).toMatch(/lugits/);
  expect(isRunError(failed)).toBe(true); // exit code 1: 2 would mean that nothing was written
  expect(await readManifest(store)).toMatchObject({ status: 'failed' });
  expect((await readEvents(store)).at(-1)).toMatchObject({ type: 'end', status: 'failed' });
  const resumed = await resumeRun({ registry: makeRegistry(term('right')), store });
  expect(resumed.status).toBe('finished');
});
