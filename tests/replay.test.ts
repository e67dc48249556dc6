/** Replaying any step of a run, on the eager backend, gives the original bits. */
import wasm from '@grok/backend-wasm';
import {
  createRegistry,
  memoryStore,
  type Registry,
  readManifest,
  type Store,
  startRun,
} from '@grok/core';
import { encodeCheckpoint, listCheckpoints, readCheckpoint, replayTo } from '@grok/core/internal';
import data from '@grok/data';
import logit from '@grok/distill-logit';
import model from '@grok/model';
import optim from '@grok/optim';
import { expect, test } from 'vitest';

const registry: Registry = createRegistry([data, model, optim, wasm, logit]);
const experiment = {
  task: { use: 'div', options: { p: 13 } },
  model: { use: 'transformer', options: { dim: 16, depth: 2, heads: 1, dropout: 0.2 } },
  optimizer: { use: 'adamw', options: { learningRate: 1e-3, weightDecay: 1, warmup: 10 } },
  batch: 32,
  epochs: 4,
  seed: 42,
};
const execution = { backend: 'wasm', checkpointEvery: 2 };

async function trained(changes: object = {}, teacher?: Store): Promise<Store> {
  const store = memoryStore();
  await startRun(
    { experiment: { ...experiment, ...changes }, execution },
    { registry, store, ...(teacher === undefined ? {} : { teacherStores: { teacher } }) },
  );
  return store;
}

test('every step is replayed to the same bits: at checkpoints, within epochs, at their ends (catches: another stream or batch)', async () => {
  const store = await trained();
  const kept = await listCheckpoints(store);
  expect(kept).toEqual([6, 12]);
  const last = await readCheckpoint(store, 12);
  const bytes = (checkpoint: typeof last) => Buffer.from(encodeCheckpoint(checkpoint));
  expect(await replayTo({ registry, store }, 12)).toEqual({ checkpoint: last, from: 12 });
  for (const [step, from] of [
    [0, 0],
    [4, 0],
    [9, 6],
    [10, 6],
  ] as const) {
    const { checkpoint, from: began } = await replayTo({ registry, store }, step);
    expect([checkpoint.position.step, began]).toEqual([step, from]);
    // From there, the run ends as before, so the state is complete.
    await store.remove('checkpoints/step-000012.safetensors');
    const file = `checkpoints/step-${String(step).padStart(6, '0')}.safetensors`;
    const six = await store.read('checkpoints/step-000006.safetensors');
    await store.remove('checkpoints/step-000006.safetensors');
    await store.write(file, bytes(checkpoint));
    const again = await replayTo({ registry, store }, 12);
    expect(again.from).toBe(step);
    expect(bytes(again.checkpoint).equals(bytes(last))).toBe(true);
    await store.remove(file);
    await store.write('checkpoints/step-000006.safetensors', six!);
    await store.write('checkpoints/step-000012.safetensors', bytes(last));
  }
});

test('a student is replayed with its teacher; a missing teacher or a step beyond the end is an error', async () => {
  const teacher = await trained();
  const { run, paramsSha256 } = (await readManifest(teacher))!;
  const objective = [
    { use: 'hard', weight: 0.5 },
    { use: 'logit', weight: 0.5 },
  ];
  const teachers = { teacher: { run, paramsSha256: paramsSha256! } };
  const store = await trained({ objective, teachers }, teacher);
  const before = await store.list('checkpoints');
  const found = await replayTo({ registry, store, teacherStores: { teacher } }, 7);
  expect(found).toMatchObject({ from: 6, checkpoint: { position: { step: 7, epoch: 2 } } });
  expect(await store.list('checkpoints')).toEqual(before);
  await expect(replayTo({ registry, store }, 7)).rejects.toThrow(
    /teacher "teacher": run .* not found/,
  );
  await expect(replayTo({ registry, store }, 13)).rejects.toThrow(/step 13 .* 0 to 12/);
});
