/** Recorded runs sent later, with their analyses: small, on the eager backend. */
import wasm from '@grok/backend-wasm';
import { createRegistry, memoryStore, readMetrics, startRun } from '@grok/core';
import { resendRun } from '@grok/core/internal';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';
import { expect, test } from 'vitest';
import { createTracker } from '../src/index.js';
import { Place } from './place.js';

const registry = createRegistry([data, model, optim, wasm]);
const spec = {
  experiment: {
    task: { use: 'add', options: { p: 5 } },
    model: { use: 'transformer', options: { dim: 8, depth: 1 } },
    optimizer: { use: 'adamw' },
    ...{ batch: 8, epochs: 4, seed: 1 },
  },
  execution: { backend: 'wasm', checkpointEvery: 2 },
};

test('what a dead place missed is sent later, once (a run that is never complete, or told twice)', async () => {
  const place = new Place();
  place.isUp = false;
  const trackers = { place: createTracker(place.connect, { interval: 0 }) };
  const store = memoryStore('runs/it');
  const notices: string[] = [];
  const { status } = await startRun(spec, {
    ...{ registry, store, trackers },
    listeners: [(event) => void (event.type === 'notice' && notices.push(event.message))],
  });
  expect(status).toBe('finished');
  expect(notices.at(-1)).toContain(
    '4 metrics rows are not sent yet: send them with: grok track sync runs/it',
  );

  place.isUp = true;
  const rows = await readMetrics(store);
  const placed = () => [...place.runs.values()][0];
  expect(await resendRun(store, { trackers })).toBe(true);
  expect(placed()?.rows).toEqual(rows);
  expect(placed()?.parameters).toEqual([2, 4].map((epoch) => rows[epoch - 1]?.step));
  expect(placed()?.status).toBe('finished');

  const { opened } = place;
  await resendRun(store, { trackers });
  expect(place.opened, 'nothing was missing').toBe(opened);
  const analysis = '{"answer":42}';
  await store.write('analysis/norms-last.json', new TextEncoder().encode(analysis));
  await resendRun(store, { trackers });
  expect(placed()?.artifacts).toEqual({ 'analysis/norms-last.json': analysis });
  expect(placed()?.rows).toEqual(rows);
  expect(place.runs.size).toBe(1);
});
