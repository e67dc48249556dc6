/** Delivery: nothing is lost that can be sent later, nothing arrives twice, and no run waits. */
import {
  type MetricsRow,
  memoryStore,
  type RunEvent,
  type Store,
  type TrackedRun,
} from '@grok/core';
import { appendMetrics } from '@grok/core/internal';
import { trackerSuite } from '@grok/testing';
import { expect, test } from 'vitest';
import { createTracker, listConfig, listScalars } from '../src/index.js';
import { Place } from './place.js';

const use = { use: 'fake' };
const experiment = { task: use, model: use, optimizer: use, batch: 1, epochs: 9, seed: 3 };
const RUN = 'a'.repeat(64);
const row = (epoch: number): MetricsRow => ({
  ...{ epoch, step: 2 * epoch, train: { loss: 1 / epoch, accuracy: 0.1 + 0.2 } },
  ...{ terms: { hard: 1 / 3 }, validation: { loss: 2, accuracy: 0 }, time: { seconds: 1 } },
});

/** A run in a folder, told to a tracker that sends at once. */
function follow(place: Place, store: Store = memoryStore('runs/it')) {
  const notices: string[] = [];
  const run: TrackedRun = {
    ...{ run: RUN, slug: 'it', experiment, where: store.where, store },
    ...{ name: 'place', timeout: 1000, notice: (message) => void notices.push(message) },
  };
  const tracking = createTracker(place.connect, { interval: 0 })(run);
  const on = async (event: RunEvent): Promise<void> => {
    if (event.type === 'epoch') await appendMetrics(store, event.row);
    await (await tracking).on(event);
  };
  return {
    ...{ store, notices, on },
    begin: (epoch = 0) =>
      on({
        ...{ type: 'start', run: RUN, parameters: 1, epochs: 9, stepsPerEpoch: 2 },
        ...{ from: { epoch, step: 2 * epoch }, backend: 'fake', device: 'none' },
      }),
    async epochs(from: number, to: number) {
      for (let epoch = from; epoch <= to; epoch++) await on({ type: 'epoch', row: row(epoch) });
    },
    async end(status: 'finished' | 'interrupted' = 'finished') {
      await on({ type: 'end', epoch: 9, step: 18, status });
      await (await tracking).finish();
    },
    finish: async (): Promise<void> => (await tracking).finish(),
  };
}
const listEpochs = (place: Place): readonly (readonly number[])[] =>
  [...place.runs.values()].map(({ rows }) => rows.map(({ epoch }) => epoch));
const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

const suitePlace = new Place();
trackerSuite('made of a connection', createTracker(suitePlace.connect, { interval: 0 }), {
  recorded: ({ slug }) =>
    [...suitePlace.runs]
      .filter(([id]) => id.startsWith(`${slug}-`))
      .flatMap(([, { rows }]) => rows.map(({ epoch }) => epoch)),
});

test('a place that cannot be reached costs one notice, and gets everything once it can (rows lost, or a notice an epoch)', async () => {
  const place = new Place();
  place.isUp = false;
  const run = follow(place);
  await run.begin();
  await run.epochs(1, 1);
  await moment();
  await run.epochs(2, 2);
  await moment();
  expect(run.notices).toEqual([
    'tracker "place": the place cannot be reached; start it; the run goes on, and it is tried again',
  ]);
  place.isUp = true;
  await run.epochs(3, 4);
  await run.end();
  expect(listEpochs(place)).toEqual([[1, 2, 3, 4]]);
  expect([...place.runs.values()][0]?.status).toBe('finished');
});

test('a run that goes on sends nothing twice (doubles after a kill)', async () => {
  for (const place of [new Place(), new Place(true)]) {
    const first = follow(place);
    await first.begin();
    await first.epochs(1, 3);
    await first.finish();
    await first.store.remove('metrics.jsonl');
    await appendMetrics(first.store, row(1));
    const second = follow(place, first.store);
    await second.begin(1);
    await second.epochs(2, 4);
    await second.end();
    expect(listEpochs(place)).toEqual([[1, 2, 3, 4]]);
  }
});

test('a place that lost rows gets them again (a gap for good)', async () => {
  const place = new Place(true);
  const first = follow(place);
  await first.begin();
  await first.epochs(1, 3);
  await first.finish();
  [...place.runs.values()][0]?.rows.splice(1);
  const second = follow(place, first.store);
  await second.begin(3);
  await second.epochs(4, 4);
  await second.end();
  expect(listEpochs(place)).toEqual([[1, 2, 3, 4]]);
});

test('a tracker that comes later sends what the folder has (a run tracked from its middle on)', async () => {
  const place = new Place();
  const run = follow(place);
  for (const epoch of [1, 2]) await appendMetrics(run.store, row(epoch));
  await run.begin(2);
  await run.epochs(3, 3);
  await run.end('interrupted');
  expect(listEpochs(place)).toEqual([[1, 2, 3]]);
  expect([...place.runs.values()][0]?.status).toBe('interrupted');
});

test('a place that hangs is given up in time, with what to do (a run that never ends)', async () => {
  const hanging = createTracker(() => new Promise(() => {}), { interval: 0 });
  const store = memoryStore('runs/it');
  const tracking = await hanging({
    ...{ run: RUN, slug: 'it', experiment, where: store.where, store },
    ...{ name: 'slow', timeout: 50, notice: () => {} },
  });
  await tracking.on({
    ...{ type: 'start', run: RUN, parameters: 1, epochs: 9, stepsPerEpoch: 2 },
    ...{ from: { epoch: 0, step: 0 }, backend: 'fake', device: 'none' },
  });
  await appendMetrics(store, row(1));
  await tracking.on({ type: 'epoch', row: row(1) });
  await expect(tracking.finish()).rejects.toThrow(
    /not everything was sent within .* s; 1 metrics rows are not sent yet: send them with: grok track sync runs\/it/,
  );
});

test('every number of a row has a name, and what is not finite is NaN (a loss that became null)', () => {
  const probes = { norms: { total: 2.5, each: [1, 2], note: 'x' }, gap: 0.5 };
  const scalars = listScalars({ ...row(2), terms: { hard: Number.POSITIVE_INFINITY }, probes });
  expect(scalars).toEqual({
    epoch: 2,
    'train/loss': 0.5,
    'train/accuracy': 0.1 + 0.2,
    'terms/hard': Number.NaN,
    'validation/loss': 2,
    'validation/accuracy': 0,
    'probes/norms/total': 2.5,
    'probes/gap': 0.5,
    'time/seconds': 1,
  });
});

test('a configuration is flat, and names the study, the arm and the seed (arms that cannot be grouped)', () => {
  const study = { name: 'small', key: 'logit@3', arm: 'logit', role: 'student' } as const;
  const store = memoryStore();
  const config = listConfig({
    ...{ run: RUN, slug: 'it', where: 'memory', store, name: 'x', timeout: 1, notice: () => {} },
    ...{ study, experiment: { ...experiment, objective: [{ use: 'logit', weight: 0.7 }] } },
  });
  expect(config).toMatchObject({
    ...{ 'task.use': 'fake', 'objective.0.use': 'logit', 'objective.0.weight': 0.7, seed: 3 },
    ...{ study: 'small', arm: 'logit', role: 'student', 'study.key': 'logit@3', run: RUN },
  });
});
