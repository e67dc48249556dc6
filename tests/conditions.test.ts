/** Controls with special conditions: stopped once memorized, with required accuracies, trained on shuffled labels. */
import wasm from '@grok/backend-wasm';
import {
  createRegistry,
  evaluateRun,
  memoryStore,
  type Registry,
  readManifest,
  resumeRun,
  rng,
  type Store,
  startRun,
} from '@grok/core';
import {
  checkExperiment,
  composeExperiment,
  data as dataOf,
  readCheckpoint,
  withoutAuxiliary,
} from '@grok/core/internal';
import data from '@grok/data';
import feature from '@grok/distill-feature';
import metrics from '@grok/metrics';
import model from '@grok/model';
import optim from '@grok/optim';
import { describe, expect, test } from 'vitest';

const registry: Registry = createRegistry([data, model, optim, wasm, metrics, feature]);
const experiment = {
  task: { use: 'div', options: { p: 7 } },
  model: { use: 'transformer', options: { dim: 16, depth: 1, dropout: 0.2 } },
  optimizer: { use: 'adamw', options: { learningRate: 1e-2, weightDecay: 0 } },
  batch: 32,
  epochs: 200,
  seed: 3,
};
const execution = { backend: 'wasm', checkpointEvery: 50 };
const finish = (changes: object, store: Store = memoryStore()) =>
  startRun({ experiment: { ...experiment, ...changes }, execution }, { registry, store });

describe('stop', () => {
  test('ends after the first epoch that meets it, with its state saved (catches: an extra epoch, a lost state)', async () => {
    const store = memoryStore();
    const { history, manifest } = await finish({ stop: { trainAccuracy: 0.9 } }, store);
    const last = history.at(-1)!;
    expect(last.epoch).toBeLessThan(200);
    expect(last.trainEval?.accuracy).toBeGreaterThanOrEqual(0.9);
    expect(history.slice(0, -1).every((row) => row.trainEval!.accuracy < 0.9)).toBe(true);
    // Catches: training accuracy measured with dropout on, as in the row's `train`.
    const judged = await evaluateRun({ registry, store }, 'train', execution);
    expect(judged.accuracy).toBeCloseTo(last.trainEval!.accuracy, 12);
    expect(manifest).toMatchObject({ status: 'finished', epoch: last.epoch, step: last.step });
    expect(await store.list('checkpoints')).toContain(
      `step-${String(last.step).padStart(6, '0')}.safetensors`,
    );
  });
  test('also ends a run that was killed between its last checkpoint and its end', async () => {
    // Catches: a resumed run that trains past its stop.
    const store = memoryStore();
    const whole = await finish({ stop: { trainAccuracy: 0.9 } }, store);
    const text = JSON.stringify({ ...whole.manifest, status: 'running' });
    await store.write('manifest.json', new TextEncoder().encode(text));
    const resumed = await resumeRun({ registry, store });
    expect(resumed.history).toEqual(whole.history);
    expect(resumed.manifest.paramsSha256).toBe(whole.manifest.paramsSha256);
  });
});

describe('require', () => {
  test('fails a run outside its bounds, and names the bound (catches: a control that grokked)', async () => {
    const store = memoryStore();
    const bounds = { validationAccuracy: { atMost: 0 }, trainAccuracy: { atLeast: 0.1 } };
    await expect(finish({ epochs: 60, require: bounds }, store)).rejects.toThrow(
      /last epoch \(60\): validation accuracy .*0\.\d+.* must be at most 0 \(require\.validationAccuracy\.atMost\)/,
    );
    expect(await readManifest(store)).toMatchObject({ status: 'failed', epoch: 60 });
    await expect(resumeRun({ registry, store })).rejects.toThrow('must be at most 0');
  });
  test('accepts a run within its bounds, both inclusive', async () => {
    const require = { validationAccuracy: { atMost: 1 }, trainAccuracy: { atLeast: 0 } };
    expect(await finish({ epochs: 1, require })).toMatchObject({ status: 'finished' });
  });
});

describe('shuffleLabels', () => {
  const labels = (changes: object): Int32Array =>
    dataOf({ ...experiment, ...changes }, registry).task.labels;
  const { split } = dataOf(experiment, registry);
  const pick = (rows: Int32Array, of: Int32Array): number[] => [...rows].map((row) => of[row]!);

  test('permutes the training labels only', () => {
    // Catches: shuffled validation labels; labels drawn instead of permuted; nothing shuffled.
    const [before, after] = [labels({}), labels({ shuffleLabels: true })];
    expect(pick(split.validation, after)).toEqual(pick(split.validation, before));
    expect(pick(split.train, after)).not.toEqual(pick(split.train, before));
    expect(pick(split.train, after).sort()).toEqual(pick(split.train, before).sort());
    expect(labels({ shuffleLabels: false })).toEqual(before);
  });
  test('depends on the seed only', () => {
    // Catches: a shuffle that differs between runs, or is the same for every seed of one split.
    const own = labels({ shuffleLabels: true });
    expect(labels({ shuffleLabels: true, epochs: 7 })).toEqual(own);
    expect(labels({ shuffleLabels: true, seed: 4, splitSeed: 3 })).not.toEqual(own);
  });
});

describe('shuffleTeachers', () => {
  const taught = async (changes: object) => {
    const store = memoryStore();
    const { manifest } = await finish({ epochs: 1 }, store);
    const { run, paramsSha256 = '' } = manifest;
    const student = {
      ...{ ...experiment, ...changes, teachers: { teacher: { run, paramsSha256 } } },
      objective: [{ use: 'hard' }, { use: 'feature' }],
    };
    const composed = await composeExperiment(student, registry, { teacher: store });
    return { ...composed, teacher: composed.teachers.teacher ?? expect.fail('no teacher') };
  };
  const takeRows = (data: ArrayLike<number>, width: number, rows: Int32Array): string[] =>
    [...rows].map((row) =>
      Array.from({ length: width }, (_, i) => data[row * width + i]).join(' '),
    );

  test('gives each training row another row’s inputs, and leaves validation rows unchanged', async () => {
    // Catches: rows swapped with validation rows (a leak); no rows swapped.
    const { teacher, task, split } = await taught({ shuffleTeachers: true });
    const theirs = teacher.inputs?.data ?? expect.fail('reads the rows as they are');
    const width = task.inputs.shape[1] ?? 0;
    const [mine, read] = [task.inputs.data, theirs].map((all) => takeRows(all, width, split.train));
    expect(read).not.toEqual(mine);
    expect(read?.toSorted()).toEqual(mine?.toSorted());
    expect(takeRows(theirs, width, split.validation)).toEqual(
      takeRows(task.inputs.data, width, split.validation),
    );
  });
  test('also applies to embeddings, which then have no table', async () => {
    // Catches: embeddings compared per token, which would pass on what the teacher knows of each
    // token.
    const [plain, shuffled] = [await taught({}), await taught({ shuffleTeachers: true })];
    expect(plain.teacher.inputs).toBeUndefined();
    const needed = (it: typeof plain) => it.objective.needs.teachers.teacher;
    expect(needed(plain)).not.toContain('hook_embed');
    expect(needed(shuffled)).toContain('hook_embed');
  });
  test('depends on the seed only', async () => {
    const rows = async (changes: object) =>
      (await taught({ shuffleTeachers: true, ...changes })).teacher.inputs?.data;
    expect(await rows({ epochs: 7 })).toEqual(await rows({}));
    expect(await rows({ seed: 4, splitSeed: 3 })).not.toEqual(await rows({}));
  });
});

test('a pin of step 0 keeps the initial state (an untrained teacher)', async () => {
  const store = memoryStore();
  const spec = { experiment: { ...experiment, epochs: 2 }, execution };
  const plain = await startRun(spec, { registry, store: memoryStore() });
  const pinned = { ...execution, pin: { steps: [0] } };
  const { manifest } = await startRun({ ...spec, execution: pinned }, { registry, store });
  const { params, position } = await readCheckpoint(store, 0);
  expect(position).toMatchObject({ epoch: 0, batch: 0, step: 0 });
  const { model: untrained } = dataOf(spec.experiment, registry);
  expect(withoutAuxiliary(params)).toEqual(untrained.init(rng(3).split('init')));
  expect(manifest.paramsSha256).toBe(plain.manifest.paramsSha256);
});

test.each([
  [{ stop: { trainAcuracy: 0.9 } }, 'trainAcuracy'],
  [{ stop: { trainAccuracy: 99 } }, 'stop.trainAccuracy'],
  [{ require: { accuracy: {} } }, 'accuracy'],
  [{ require: { validationAccuracy: { max: 0.2 } } }, 'max'],
  [
    { require: { trainAccuracy: { atLeast: 0.9, atMost: 0.1 } } },
    'key "require.trainAccuracy": "atLeast" must not be above "atMost", got {"atLeast":0.9,"atMost":0.1}',
  ],
  [{ shuffleLabels: 1 }, 'shuffleLabels'],
  [{ shuffleTeachers: 1 }, 'shuffleTeachers'],
])(
  '%j is refused (catches: a typo read as a condition, a condition that no run can meet)',
  (changes, message) => {
    expect(() => checkExperiment({ ...experiment, ...changes })).toThrow(message);
  },
);
test('bounds may be equal (catches: a control that must be at 0 or at 1 refused)', () => {
  const require = { trainAccuracy: { atLeast: 1 }, validationAccuracy: { atLeast: 0, atMost: 0 } };
  expect(checkExperiment({ ...experiment, require }).require).toEqual(require);
});
