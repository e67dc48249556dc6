/** A run's folder must stay the run's during training, and a resumed run must have all its rows. */
import { memoryStore, readManifest, readMetrics, resumeRun, type Store } from '@grok/core';
import { expect, it } from 'vitest';
import { registry, trainSmall } from '../helpers/small.js';

const write = (store: Store, path: string, text: string): Promise<void> =>
  store.write(path, new TextEncoder().encode(text));

/** A run of 4 epochs, marked as interrupted, with rows of some epochs only. */
async function withRows(epochs: readonly number[]): Promise<Store> {
  const { store, history } = await trainSmall();
  const manifest = await readManifest(store);
  await write(store, 'manifest.json', JSON.stringify({ ...manifest, status: 'interrupted' }));
  const rows = history.filter(({ epoch }) => epochs.includes(epoch));
  await write(store, 'metrics.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return store;
}

it.each([
  { left: [1, 4], missing: 'epochs 2 and 3' },
  { left: [3, 4], missing: 'epochs 1 and 2' },
  { left: [1, 2], missing: 'epochs 3 and 4' },
  { left: [], missing: 'epochs 1 and 4' },
])('a run with rows of epochs $left of 4 is not resumed', async ({ left, missing }) => {
  // Catches: a history with a gap, which gives a wrong curve and first crossing.
  const store = await withRows(left);
  const message = `metrics.jsonl: rows between ${missing} are missing; restore the file`;
  await expect(resumeRun({ registry, store }, {}, { epochs: 6 })).rejects.toThrow(message);
  await expect(readMetrics(store, await readManifest(store))).rejects.toThrow(message);
});

it('a run with all its rows is resumed, whether evaluated every epoch or not', async () => {
  const { history } = await resumeRun({ registry, store: await withRows([1, 2, 3, 4]) });
  expect(history).toHaveLength(4);
  const { store } = await trainSmall({ evalEvery: 3 });
  const longer = await resumeRun({ registry, store }, {}, { epochs: 7 });
  expect(longer.history.map(({ epoch }) => epoch)).toEqual([3, 6, 7]);
});

it.each([
  ['removed', (store: Store) => store.remove('config.json'), 'config.json is missing'],
  [
    'replaced',
    async (store: Store) => {
      const other = await trainSmall({ seed: 99 }, { store: memoryStore() });
      const config = new TextDecoder().decode(await other.store.read('config.json'));
      await write(store, 'config.json', config);
    },
    'contains another run now',
  ],
  [
    'robbed of rows',
    (store: Store) => store.truncate('metrics.jsonl', 0),
    'rows between epochs 1 and 1 are missing',
  ],
])('a run fails when its folder is %s during training', async (_, act, message) => {
  // Catches: "finished" for a folder that holds no run.
  const store = memoryStore();
  let isDone = false;
  const meddled: Store = {
    ...store,
    async append(path, bytes) {
      await store.append(path, bytes);
      if (path !== 'metrics.jsonl' || isDone) return;
      isDone = true;
      await act(store);
    },
  };
  await expect(trainSmall({}, { store: meddled })).rejects.toThrow(message);
  expect((await readManifest(store))?.status).not.toBe('finished');
  if (message.includes('holds')) expect((await readManifest(store))?.status).toBe('running');
});
