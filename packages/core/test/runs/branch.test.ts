/** Runs that continue from a checkpoint of another run. */
import { memoryStore, readManifest, resumeRun, type Store } from '@grok/core';
import { branchRun, paramsSha256, readCheckpoint } from '@grok/core/internal';
import { expect, it } from 'vitest';
import {
  execution,
  experiment,
  inSteps,
  registry,
  trainSmall,
  withoutTimes,
} from '../helpers/small.js';

const branch = (changes: object, from: { store: Store; step: number }, store = memoryStore()) =>
  branchRun(
    { experiment: { ...experiment, ...changes }, execution },
    { registry, store },
    from,
  ).then((result) => ({ store, ...result }));
const slower = { optimizer: { use: 'momentum', options: { learningRate: 0.01 } } };

it('a branch has its parent’s bits and rows up to the branch point, and its own id', async () => {
  // Catches: missing optimizer state, a history that restarts, two runs with one id.
  const parent = await trainSmall({}, { how: { checkpointEvery: 1 } });
  const from = { store: parent.store, step: 9 };
  const same = await branch({}, from);
  expect(same.manifest.paramsSha256).toBe(parent.manifest.paramsSha256);
  expect(withoutTimes(same.history)).toEqual(withoutTimes(parent.history));
  expect(same.manifest.run).not.toBe(parent.manifest.run);

  const other = await branch(slower, from);
  expect(withoutTimes(other.history).slice(0, 3)).toEqual(withoutTimes(parent.history).slice(0, 3));
  expect(other.manifest.paramsSha256).not.toBe(parent.manifest.paramsSha256);
  const { params } = await readCheckpoint(parent.store, 9);
  expect(await readManifest(other.store)).toMatchObject({
    status: 'finished',
    parent: { run: parent.manifest.run, step: 9, paramsSha256: paramsSha256(params) },
  });
  // The initial state is kept, and a second call returns the same run.
  expect((await readCheckpoint(other.store, 9)).run).toBe(other.manifest.run);
  expect((await branch(slower, from, other.store)).already).toBe(true);
  const longer = await resumeRun({ registry, store: other.store }, {}, { epochs: 5 });
  expect(longer.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5]);
});

it('a branch whose copy was interrupted starts over (catches: a folder that is neither a run nor vacant)', async () => {
  const parent = await trainSmall({}, { how: { checkpointEvery: 1 } });
  const from = { store: parent.store, step: 9 };
  const whole = await branch(slower, from);
  const store = memoryStore();
  const dying = {
    ...store,
    write: async (path: string, bytes: Uint8Array) => {
      if (path.endsWith('.safetensors')) throw new Error('killed');
      await store.write(path, bytes);
    },
  };
  await expect(branch(slower, from, dying)).rejects.toThrow('killed');
  await expect(resumeRun({ registry, store })).rejects.toThrow('start it again with branchRun');
  const { manifest, history } = await branch(slower, from, store);
  expect(manifest.paramsSha256).toBe(whole.manifest.paramsSha256);
  expect(withoutTimes(history)).toEqual(withoutTimes(whole.history));
});

it('a branch may evaluate more often than its parent (catches: the parent’s rows reported as missing)', async () => {
  const parent = await trainSmall({ evalEvery: 2 }, { how: { checkpointEvery: 1 } });
  const { store } = await branch({ evalEvery: 1 }, { store: parent.store, step: 9 });
  const { history } = await resumeRun({ registry, store }, {}, { epochs: 6 });
  expect(history.map(({ epoch }) => epoch)).toEqual([2, 4, 5, 6]);
});

it('a branch requires branchRun and a checkpoint at the end of an epoch', async () => {
  const parent = await trainSmall(inSteps(8));
  const from = (step: number) => ({ store: parent.store, step });
  await expect(branch({}, from(3))).rejects.toThrow('no checkpoint of step 3; there are 6, 8');
  await expect(branch({}, from(8))).rejects.toThrow('step 8 is in the middle of an epoch');
  const reference = { run: parent.manifest.run, step: 6, paramsSha256: 'a'.repeat(64) };
  await expect(trainSmall({ parent: reference })).rejects.toThrow('start it with branchRun');
});
