/** Parameters recorded at chosen and log-spaced steps. */
import { memoryStore, type RunEvent, readManifest, resumeRun } from '@grok/core';
import { listRecordedSteps, listStates, readCheckpoint, readState } from '@grok/core/internal';
import { expect, it } from 'vitest';
import { listParams, registry, trainSmall } from '../helpers/small.js';

it('recorded steps are log-spaced from the first to the last, without duplicates', () => {
  expect([...listRecordedSteps({ logSpaced: 5 }, 10_000)]).toEqual([1, 10, 100, 1000, 10_000]);
  expect([...listRecordedSteps({ logSpaced: 4 }, 3)]).toEqual([1, 2, 3]);
  expect([...listRecordedSteps({ logSpaced: 1 }, 7)]).toEqual([7]);
  expect([...listRecordedSteps({ steps: [4, 2] }, 7)]).toEqual([4, 2]);
  expect([...listRecordedSteps(undefined, 7)]).toEqual([]);
});

it('a run records its parameters at chosen steps, with the same bits, and lists them', async () => {
  // Catches: a state of another step, one that changes the run, one that a later checkpoint
  // removes.
  const plain = await trainSmall();
  const recorded = await trainSmall({}, { how: { record: { steps: [2, 9, 12, 99] } } });
  expect(recorded.manifest.run).toBe(plain.manifest.run);
  expect(recorded.manifest.paramsSha256).toBe(plain.manifest.paramsSha256);
  expect(recorded.manifest.states).toEqual([2, 9, 12]);
  expect(await listStates(recorded.store)).toEqual([2, 9, 12]);
  const state = await readState(recorded.store, 9);
  expect(state.state).toEqual({});
  expect(listParams(state)).toEqual(listParams(await readCheckpoint(plain.store, 9)));
  await expect(readState(recorded.store, 3)).rejects.toThrow('there are 2, 9, 12');
});

it('a resumed run keeps the states up to its checkpoint', async () => {
  const store = memoryStore();
  const stop = new AbortController();
  const listener = (event: RunEvent): void => {
    if (event.type === 'step' && event.step === 8) stop.abort();
  };
  const how = { record: { logSpaced: 4 }, checkpointEvery: 100 };
  await trainSmall({}, { store, how, listeners: [listener], signal: stop.signal });
  await store.remove('checkpoints/step-000008.safetensors');
  expect(await listStates(store)).toEqual([1, 2, 5]);
  const resumed = await resumeRun({ registry, store });
  expect(resumed.manifest.states).toEqual([1, 2, 5, 12]);
  expect((await readManifest(store))?.states).toEqual([1, 2, 5, 12]);
});
