/** Runs from specification to folder, small and on the eager backend. */
import wasm from '@grok/backend-wasm';
import {
  createRegistry,
  type MetricsRow,
  memoryStore,
  type Registry,
  type RunEvent,
  readManifest,
  readMetrics,
  resumeRun,
  type Store,
  startRun,
} from '@grok/core';
import { checkpointFile, listCheckpoints } from '@grok/core/internal';
import data from '@grok/data';
import attention from '@grok/distill-attention';
import feature from '@grok/distill-feature';
import logit from '@grok/distill-logit';
import metrics from '@grok/metrics';
import model from '@grok/model';
import optim from '@grok/optim';
import * as tf from '@grok/tfjs';
import { expect, test, vi } from 'vitest';

const registry: Registry = createRegistry([
  ...[data, model, optim, wasm, metrics],
  ...[logit, attention, feature],
]);
const experiment = {
  task: { use: 'div', options: { p: 13 } },
  model: { use: 'transformer', options: { dim: 16, depth: 2, heads: 1, dropout: 0.2 } },
  optimizer: { use: 'adamw', options: { learningRate: 1e-3, weightDecay: 1, warmup: 10 } },
  batch: 32,
  epochs: 4,
  seed: 42,
};
const execution = { backend: 'wasm', checkpointEvery: 1 };
const timeless = (rows: readonly MetricsRow[]) => rows.map(({ time: _, ...row }) => row);

async function finish(changes: object = {}, store: Store = memoryStore()) {
  const spec = { experiment: { ...experiment, ...changes }, execution };
  return { store, ...(await startRun(spec, { registry, store })) };
}
/** Starts a run, and interrupts it after a step. */
async function stopAfter(
  step: number,
  store: Store,
  changes: object = {},
  how: object = execution,
) {
  const stop = new AbortController();
  const listener = (event: RunEvent): void => {
    if (event.type === 'step' && event.step === step) stop.abort();
  };
  const spec = { experiment: { ...experiment, ...changes }, execution: how };
  const host = { registry, store, listeners: [listener], signal: stop.signal };
  expect((await startRun(spec, host)).status).toBe('interrupted');
}
async function describeTeacher(store: Store) {
  const manifest = (await readManifest(store))!;
  return { teacher: { run: manifest.run, paramsSha256: manifest.paramsSha256! } };
}

test('a run leaves its parameters, metrics and manifest in its folder (catches: a lost file or epoch)', async () => {
  const { store, manifest, history, status } = await finish();
  expect(status).toBe('finished');
  expect(history.map((row) => row.epoch)).toEqual([1, 2, 3, 4]);
  expect(history.at(-1)?.step).toBe(4 * Math.ceil(78 / 32));
  expect(history[0]?.terms.hard).toBeCloseTo(history[0]!.train.loss, 6);
  expect(await readMetrics(store)).toEqual(history);
  expect(await readManifest(store)).toEqual(manifest);
  expect(manifest).toMatchObject({ status: 'finished', backend: 'wasm', epoch: 4, step: 12 });
});

test('the manifest has the versions of all used packages, including defaults, and no others', async () => {
  // Catches: the package of the default loss missing; a package whose probe has the name of a task.
  const namesake = {
    ...metrics,
    name: 'namesake',
    components: [{ ...metrics.components.find(({ kind }) => kind === 'probe')!, name: 'div' }],
  };
  const among = createRegistry([data, model, optim, wasm, metrics, namesake]);
  const spec = { experiment: { ...experiment, epochs: 1 }, execution };
  const { manifest } = await startRun(spec, { registry: among, store: memoryStore() });
  expect(Object.keys(manifest.versions).sort()).toEqual([
    '@grok/core',
    '@grok/data',
    '@grok/model',
    '@grok/optim',
  ]);
});

test('a run interrupted at any step and resumed ends in the same bits (catches: a stream with history)', async () => {
  const whole = await finish({ objective: [{ use: 'hard' }] });
  for (const stopAt of [1, 2, 3, 5, 11]) {
    const store = memoryStore();
    await stopAfter(stopAt, store, { objective: [{ use: 'hard' }] });
    const second = await resumeRun({ registry, store });
    expect(second.manifest.paramsSha256).toBe(whole.manifest.paramsSha256);
    expect(timeless(await readMetrics(store))).toEqual(timeless(whole.history));
  }
});

test('students learn from a teacher of the same split; terms are logged unweighted', async () => {
  const { store } = await finish();
  const teachers = await describeTeacher(store);
  const student = {
    ...experiment,
    model: { use: 'transformer', options: { dim: 8, depth: 2, dropout: 0.2 } },
    teachers,
    objective: [
      { use: 'hard', weight: 0.5 },
      { use: 'logit', weight: 0.5, options: { temperature: 2 } },
      { use: 'attention' },
      { use: 'feature', as: 'states', weight: 2 },
    ],
  };
  const tensors = tf.memory().numTensors;
  const result = await startRun(
    { experiment: student, execution },
    { registry, store: memoryStore(), teacherStores: { teacher: store } },
  );
  expect(tf.memory().numTensors).toBe(tensors);
  const { train, terms } = result.history[0]!;
  expect(Object.keys(terms)).toEqual(['hard', 'logit', 'attention', 'states']);
  const total = 0.5 * terms.hard! + 0.5 * terms.logit! + terms.attention! + 2 * terms.states!;
  expect(total).toBeCloseTo(train.loss, 5);
  expect(result.manifest.leaked).toBeUndefined();
});

test('a teacher of another split needs permission, and the manifest says so (catches: a hidden leak)', async () => {
  const { store } = await finish({ splitSeed: 1 });
  const student = {
    ...experiment,
    teachers: await describeTeacher(store),
    objective: [{ use: 'hard' }, { use: 'logit' }],
  };
  const host = () => ({ registry, store: memoryStore(), teacherStores: { teacher: store } });
  await expect(startRun({ experiment: student, execution }, host())).rejects.toThrow(
    /teacher "teacher": was trained on another split .* allow the leak/,
  );
  const leaky = { ...student, allowLeak: true };
  const { manifest } = await startRun({ experiment: leaky, execution }, host());
  expect(manifest.leaked).toBe(true);
});

test('a teacher of another task, changed or unfinished is refused before anything is written', async () => {
  const attempt = async (store: Store, changes: object): Promise<void> => {
    const mine = memoryStore();
    const spec = { experiment: { ...experiment, ...changes }, execution };
    try {
      await startRun(spec, { registry, store: mine, teacherStores: { teacher: store } });
    } finally {
      expect(await mine.read('config.json')).toBeUndefined();
    }
  };
  const { store } = await finish({ task: { use: 'div', options: { p: 11 } } });
  const teachers = await describeTeacher(store);
  await expect(attempt(store, { teachers })).rejects.toThrow(
    'was trained on another task ({"use":"div","options":{"p":11}}, this run\'s is {"use":"div","options":{"p":13}}); both must have the same rows and labels',
  );
  const other = { teacher: { ...teachers.teacher, run: '0'.repeat(64) } };
  await expect(attempt(store, { teachers: other })).rejects.toThrow(
    /is run [0-9a-f]{10}, not 0000000000/,
  );
  // Catches: tasks compared by vocabulary; permission for another split accepted for another task.
  const add = { use: 'add', options: { p: 7 } };
  for (const use of ['sub', 'div']) {
    const trained = await finish({ task: { ...add, use }, epochs: 1 });
    const own = { task: add, teachers: await describeTeacher(trained.store), allowLeak: true };
    await expect(attempt(trained.store, own)).rejects.toThrow(
      `another task ({"use":"${use}","options":{"p":7}}, this run's is {"use":"add",`,
    );
  }
});

test('a teacher with shuffled labels, or with an explicit default, is of the same task (catches: a control refused)', async () => {
  const task = { use: 'add' };
  const small = {
    task,
    epochs: 1,
    batch: 4096,
    model: { use: 'transformer', options: { dim: 4 } },
  };
  const { store } = await finish({
    ...{ ...small, task: { use: 'add', options: { p: 97 } } },
    shuffleLabels: true,
  });
  const student = {
    ...{ ...experiment, ...small, teachers: await describeTeacher(store) },
    objective: [{ use: 'hard' }, { use: 'logit' }],
  };
  const host = { registry, store: memoryStore(), teacherStores: { teacher: store } };
  const { status } = await startRun({ experiment: student, execution }, host);
  expect(status).toBe('finished');
});

test('a store accepts only its own experiment, and a finished run stays finished', async () => {
  const { store, manifest } = await finish();
  const again = await finish({}, store);
  expect(again.already).toBe(true);
  expect(again.manifest).toEqual(manifest);
  await expect(finish({ seed: 7 }, store)).rejects.toThrow(/contains another experiment/);
});

test('the same request is accepted again, whatever the backend used', async () => {
  const store = memoryStore();
  const spec = { experiment, execution: { ...execution, threads: 2 } };
  await stopAfter(1, store, {}, spec.execution);
  await expect(resumeRun({ registry, store }, { threads: 4 })).rejects.toThrow(
    /run was started with threads=/,
  );
  expect((await startRun(spec, { registry, store })).status).toBe('finished');
});

test('a loss that is not a number fails the run, names the step and keeps the last checkpoint', async () => {
  const store = memoryStore();
  const wild = { use: 'adamw', options: { learningRate: 1e30, weightDecay: 1, warmup: 5 } };
  await expect(finish({ optimizer: wild }, store)).rejects.toThrow(/^step \d+: the loss is NaN/);
  const manifest = (await readManifest(store))!;
  expect(manifest.status).toBe('failed');
  expect(manifest.error).toMatch(/^step \d+: the loss is NaN/);
});

test('a failed write stops the run; a failing listener does not', async () => {
  const store = memoryStore();
  const full: Store = {
    ...store,
    append: async (path, bytes) => {
      if (path === 'metrics.jsonl') throw new Error('ENOSPC: no space left');
      await store.append(path, bytes);
    },
  };
  await expect(finish({}, full)).rejects.toThrow(/ENOSPC/);
  const heard: string[] = [];
  const result = await startRun(
    { experiment, execution },
    {
      registry,
      store: memoryStore(),
      listeners: [
        () => {
          throw new Error('broken');
        },
        (event) => heard.push(event.type === 'notice' ? event.message : event.type),
      ],
    },
  );
  expect(result.status).toBe('finished');
  expect(heard.filter((text) => text.includes('listener failed'))).toHaveLength(1);
});

test('a listener that returns a rejected promise is detached (catches: an unhandled rejection)', async () => {
  const heard: string[] = [];
  const broken = async (): Promise<void> => {
    throw new Error('broken later');
  };
  const listeners = [
    broken,
    (event: RunEvent) => heard.push(event.type === 'notice' ? event.message : event.type),
  ];
  const { status } = await startRun(
    { experiment, execution },
    { registry, store: memoryStore(), listeners },
  );
  expect(status).toBe('finished');
  expect(heard.filter((text) => text.includes('broken later'))).toHaveLength(1);
});

test('a run that diverges at its last step fails (catches: a validation loss of null in a finished run)', async () => {
  const store = memoryStore();
  const wild = { use: 'adamw', options: { learningRate: 1e30, weightDecay: 1, warmup: 0 } };
  const options = { optimizer: wild, batch: 100, epochs: 1 };
  await expect(finish(options, store)).rejects.toThrow(
    /^step 1: the validation loss is NaN; earlier checkpoints are kept/,
  );
  expect(await readManifest(store)).toMatchObject({ status: 'failed' });
  expect(await listCheckpoints(store)).toEqual([]);
});

test('an event that a full disk cut short does not prevent resuming', async () => {
  const store = memoryStore();
  let full = true;
  const filling: Store = {
    ...store,
    append: async (path, bytes) => {
      const last = path === 'events.jsonl' && new TextDecoder().decode(bytes).includes('"step":6');
      if (!last || !full) return store.append(path, bytes);
      await store.append(path, bytes.subarray(0, 10));
      full = false;
      throw new Error('ENOSPC: no space left');
    },
  };
  await expect(finish({}, filling)).rejects.toThrow(/ENOSPC/);
  expect(await readManifest(store)).toMatchObject({ status: 'failed' });
  const resumed = await resumeRun({ registry, store });
  expect(timeless(resumed.history)).toEqual(timeless((await finish()).history));
});

test('another run’s checkpoint is skipped, by name (catches: a history of two runs)', async () => {
  const theirs = (await finish({ seed: 7 })).store;
  const store = memoryStore();
  await stopAfter(5, store);
  const file = checkpointFile(12);
  await store.write(file, (await theirs.read(file))!);
  const notices: string[] = [];
  const hearing = (event: RunEvent): void => {
    if (event.type === 'notice') notices.push(event.message);
  };
  const resumed = await resumeRun({ registry, store, listeners: [hearing] });
  expect(resumed.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
  expect(notices[0]).toMatch(/step-000012.safetensors is skipped: .* the file was copied here/);
});

test('a folder that lost its config.json is refused (catches: two runs in one history)', async () => {
  const { store } = await finish();
  await store.remove('config.json');
  await expect(finish({ seed: 7 }, store)).rejects.toThrow(
    /has a run's events.jsonl but no config.json; restore it, or choose another folder/,
  );
});

test('a finished run that lost rows or its last state is not accepted (catches: wrong results)', async () => {
  const { store, manifest, history } = await finish();
  const metrics = (await store.read('metrics.jsonl'))!;
  await store.truncate('metrics.jsonl', metrics.indexOf(10) + 1);
  await expect(finish({}, store)).rejects.toThrow(
    /metrics.jsonl: ends at epoch 1, the run at epoch 4; restore the file, or train again/,
  );
  await store.write('metrics.jsonl', metrics);
  await store.truncate(checkpointFile(12), 100);
  const mended = await finish({}, store);
  expect(mended.already).toBe(false);
  expect(mended.manifest.paramsSha256).toBe(manifest.paramsSha256);
  expect(timeless(await readMetrics(store))).toEqual(timeless(history));
  expect((await finish({}, store)).already).toBe(true);
});

test('a finished run belongs to its backend and threads (catches: another’s result returned for it)', async () => {
  const { store } = await finish();
  await expect(resumeRun({ registry, store }, { backend: 'onnx' })).rejects.toThrow(
    /run was started with backend=wasm; resuming with backend=onnx would not be bit-exact/,
  );
});

test('a resumed run may keep checkpoints more often', async () => {
  const store = memoryStore();
  await stopAfter(1, store, {}, { ...execution, checkpointEvery: 100 });
  const saved: number[] = [];
  const listener = (event: RunEvent): void => {
    if (event.type === 'checkpoint') saved.push(event.step);
  };
  await resumeRun({ registry, store, listeners: [listener] }, { checkpointEvery: 2 });
  expect(saved).toEqual([6, 12]);
});

test('a resume that fails early leaves no backend open', async () => {
  const store = memoryStore();
  await stopAfter(4, store);
  const createSpy = vi.spyOn(registry, 'create');
  await store.truncate('metrics.jsonl', 5);
  await store.append('metrics.jsonl', new TextEncoder().encode('\n'));
  await expect(resumeRun({ registry, store })).rejects.toThrow(/line 1 is not JSON/);
  const backends = createSpy.mock.calls.filter(([kind]) => kind === 'backend');
  createSpy.mockRestore();
  expect(backends).toEqual([]);
});

test('evaluated every few epochs, a run takes the same steps and keeps its rows (catches: a lost row or second)', async () => {
  const whole = await finish({ epochs: 5 });
  const sparse = await finish({ epochs: 5, evalEvery: 2 });
  expect(sparse.history.map((row) => row.epoch)).toEqual([2, 4, 5]);
  expect(timeless(sparse.history)).toEqual(
    timeless(whole.history).filter(({ epoch }) => [2, 4, 5].includes(epoch)),
  );
  expect(sparse.manifest.paramsSha256).toBe(whole.manifest.paramsSha256);
  const store = memoryStore();
  await stopAfter(8, store, { epochs: 5, evalEvery: 2 });
  const resumed = await resumeRun({ registry, store });
  expect(timeless(resumed.history)).toEqual(timeless(sparse.history));
});
