/** A run that goes on from a checkpoint of another. */
import { branchRun, memoryStore, readManifest, resumeRun, type Store } from '@grok/core';
import { paramsSha256, readCheckpoint } from '@grok/core/internal';
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

it('a branch has the bits and rows of its parent up to there, and another id', async () => {
  // Catches: a state without the optimizer's, a history that begins anew, two runs of one id.
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
  // The state that it began with is kept, and asked for again it is what it was.
  expect((await readCheckpoint(other.store, 9)).run).toBe(other.manifest.run);
  expect((await branch(slower, from, other.store)).already).toBe(true);
  const longer = await resumeRun({ registry, store: other.store }, {}, { epochs: 5 });
  expect(longer.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5]);
});

it('a branch whose copy was broken off is begun again (catches: a folder that is no run, and no vacant one)', async () => {
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

it('a branch evaluated more often than its parent goes on after it (its rows are no hole)', async () => {
  const parent = await trainSmall({ evalEvery: 2 }, { how: { checkpointEvery: 1 } });
  const { store } = await branch({ evalEvery: 1 }, { store: parent.store, step: 9 });
  const { history } = await resumeRun({ registry, store }, {}, { epochs: 6 });
  expect(history.map(({ epoch }) => epoch)).toEqual([2, 4, 5, 6]);
});

it('a branch begins at a checkpoint, at the end of an epoch, and with branchRun', async () => {
  const parent = await trainSmall(inSteps(8));
  const from = (step: number) => ({ store: parent.store, step });
  await expect(branch({}, from(3))).rejects.toThrow('no checkpoint of step 3; there are 6, 8');
  await expect(branch({}, from(8))).rejects.toThrow('step 8 is in the middle of an epoch');
  const reference = { run: parent.manifest.run, step: 6, paramsSha256: 'a'.repeat(64) };
  await expect(trainSmall({ parent: reference })).rejects.toThrow('start it with branchRun');
});
