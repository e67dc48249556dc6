/** Trackers of runs, small and on the eager backend: what they receive, and that they never stop a run. */
import wasm from '@grok/backend-wasm';
import {
  createRegistry,
  defineTracker,
  memoryStore,
  type RunEvent,
  readConfig,
  resumeRun,
  type Store,
  schema,
  startRun,
  type TrackedRun,
  type Tracker,
  text,
} from '@grok/core';
import { createTrackers, resendRun, TRACKER_TIMEOUT } from '@grok/core/internal';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';
import { calibrate, checkPlan, expandPlan, jobRunner, queueExecutor, runStudy } from '@grok/study';
import { listConfig } from '@grok/track';
import { afterEach, expect, test, vi } from 'vitest';
import { tinyPlan } from './tiny-plan.js';

afterEach(() => void vi.useRealTimers());

const experiment = {
  task: { use: 'add', options: { p: 5 } },
  model: { use: 'transformer', options: { dim: 8, depth: 1 } },
  optimizer: { use: 'adamw' },
  batch: 8,
  epochs: 2,
  seed: 1,
};
const execution = { backend: 'wasm' };

/** A registry with a tracker `diary` that records events under the name in its options. */
function noted() {
  const notes: string[] = [];
  const runs: TrackedRun[] = [];
  const diary = defineTracker({
    name: 'diary',
    summary: 'Notes what it hears.',
    options: schema({ page: text().default('first') }),
    create:
      ({ page }): Tracker =>
      (run) => {
        runs.push(run);
        return {
          on: ({ type }) => void notes.push(`${page} ${type}`),
          finish: () => void notes.push(`${page} finish`),
        };
      },
  });
  const plugin = { name: 'diary', version: '1.0.0', core: '>=0.1.0', components: [diary] };
  return { notes, runs, registry: createRegistry([data, model, optim, wasm, plugin]) };
}
const registry = createRegistry([data, model, optim, wasm]);

async function heardWith(trackers: Readonly<Record<string, Tracker>>) {
  const notices: string[] = [];
  const listener = (event: RunEvent): void => {
    if (event.type === 'notice') notices.push(event.message);
  };
  const { status } = await startRun(
    { experiment, execution },
    { registry, store: memoryStore(), trackers, listeners: [listener] },
  );
  expect(status).toBe('finished');
  return notices;
}

test('a specification lists trackers with options, one of them twice (catches: one tracker for both)', async () => {
  const { notes, runs, registry } = noted();
  const trackers = [{ use: 'diary' }, { use: 'diary', as: 'other', options: { page: 'second' } }];
  const store = memoryStore('runs/it');
  const { manifest } = await startRun(
    { experiment, execution: { ...execution, trackers } },
    { registry, store },
  );
  const own = notes.filter((note) => note.startsWith('first'));
  expect(own[0]).toBe('first start');
  expect(own.filter((note) => note === 'first epoch')).toHaveLength(2);
  expect(own.slice(-2)).toEqual(['first end', 'first finish']);
  expect(notes.filter((note) => note.startsWith('second'))).toHaveLength(own.length);
  const { run, slug } = manifest;
  expect(runs[0]).toEqual({
    ...{ run, slug, experiment, where: 'runs/it', store },
    ...{ name: 'diary', timeout: TRACKER_TIMEOUT, notice: expect.any(Function) },
  });
  expect(runs[1]?.name).toBe('other');
  // Who follows a run changes none of its numbers, and so is no part of what it is.
  expect((await readConfig(store)).experiment).toEqual(experiment);
});

test('a resumed run keeps its trackers, or takes newly named ones', async () => {
  const { notes, registry } = noted();
  const store = memoryStore();
  const stop = new AbortController();
  const listener = ({ type }: RunEvent): void => {
    if (type === 'epoch') stop.abort();
  };
  const first = await startRun(
    { experiment, execution: { ...execution, trackers: [{ use: 'diary' }] } },
    { registry, store, listeners: [listener], signal: stop.signal },
  );
  expect(first.status).toBe('interrupted');
  expect(notes.at(-1)).toBe('first finish');
  const again = new AbortController();
  again.abort();
  notes.length = 0;
  await resumeRun({ registry, store, signal: again.signal });
  expect(notes[0]).toBe('first start');
  notes.length = 0;
  const trackers = [{ use: 'diary', options: { page: 'new' } }];
  expect((await resumeRun({ registry, store }, { trackers })).status).toBe('finished');
  expect(new Set(notes.map((note) => note.split(' ')[0]))).toEqual(new Set(['new']));
});

test('an unknown tracker, and duplicate names, are bad input: nothing is written', async () => {
  const { registry } = noted();
  const store = memoryStore();
  const start = (trackers: object[]) =>
    startRun({ experiment, execution: { ...execution, trackers } }, { registry, store });
  await expect(start([{ use: 'dairy' }])).rejects.toThrow('unknown tracker "dairy"');
  await expect(start([{ use: 'diary' }, { use: 'diary' }])).rejects.toThrow(
    'tracker "diary": appears twice; rename one of them ("as")',
  );
  await expect(start([{ use: 'diary', options: { pages: 1 } }])).rejects.toThrow('pages');
  expect(await store.list('')).toEqual([]);
});

test.each<[string, Tracker]>([
  ['no network', () => Promise.reject(new Error('no network'))],
  ['no account', () => ({ on: () => Promise.reject(new Error('no account')), finish: () => {} })],
  [
    'no space',
    () => ({
      on() {
        throw new Error('no space');
      },
      finish() {},
    }),
  ],
  ['cut off', () => ({ on() {}, finish: () => Promise.reject(new Error('cut off')) })],
])(
  'a tracker that fails (%s) is detached with a notice, and the run continues',
  async (why, faulty) => {
    // Catches: a run stopped by a service; an unhandled rejection that ends the process.
    const heard: string[] = [];
    const sound: Tracker = () => ({ on: ({ type }) => void heard.push(type), finish() {} });
    const notices = await heardWith({ faulty, sound });
    expect(notices).toEqual([`tracker "faulty" failed and was removed from the run: ${why}`]);
    expect(heard.filter((type) => type === 'epoch')).toHaveLength(2);
  },
);

test.each<[string, Tracker]>([
  ['begin', () => new Promise(() => {})],
  ['finish', () => ({ on() {}, finish: () => new Promise(() => {}) })],
])('a tracker whose %s never returns times out', async (what, hanging) => {
  // Catches: a run that never returns although its work is done.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const running = heardWith({ hanging });
  const seconds = TRACKER_TIMEOUT / 1000;
  await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1), { interval: 5, timeout: 30_000 });
  vi.advanceTimersByTime(TRACKER_TIMEOUT);
  expect(await running).toEqual([
    `tracker "hanging" failed and was removed from the run: it did not ${what} within ${seconds} s`,
  ]);
});

test('the trial of a plan notifies no tracker (catches: two extra epochs among the results)', async () => {
  const { notes, registry } = noted();
  const { task, model, optimizer, batch, epochs } = experiment;
  const arms = { none: { objective: [{ use: 'hard' }] } };
  const plan = checkPlan(
    {
      ...{ name: 'trial', summary: 'For tests.', seeds: [0], arms },
      ...{ shared: { task, model, optimizer, batch, epochs }, teacher: {}, student: {} },
    },
    'plan',
  );
  const trackers = [{ use: 'diary' }];
  const { startup } = await calibrate(expandPlan(plan), {
    registry,
    execution: { ...execution, trackers },
  });
  expect(startup).toBeGreaterThan(0);
  expect(notes).toEqual([]);
});

test('what a tracker has to say reaches who listens, and it goes on following (a warning that costs the tracker)', async () => {
  let epochs = 0;
  const notices = await heardWith({
    wary: ({ name, notice }) => {
      notice(`${name}: the disk is nearly full`);
      return { on: ({ type }) => void (type === 'epoch' && epochs++), finish: () => {} };
    },
  });
  expect(notices).toEqual(['wary: the disk is nearly full']);
  expect(epochs).toBe(2);
});

test('a recorded run is told again as it was, its study with it (a tracker that missed a run stays without it)', async () => {
  const { notes, runs, registry } = noted();
  const store = memoryStore('runs/it');
  const study = { name: 'small', key: 'logit@1', arm: 'logit', role: 'student' } as const;
  await startRun({ experiment, execution: { ...execution, study } }, { registry, store });
  expect(notes).toEqual([]);
  const trackers = createTrackers(registry, [{ use: 'diary' }]);
  expect(await resendRun(store, { trackers })).toBe(true);
  expect(notes[0]).toBe('first start');
  expect(notes.filter((note) => note === 'first epoch')).toHaveLength(2);
  expect(notes.slice(-2)).toEqual(['first end', 'first finish']);
  expect(runs[0]?.study).toEqual(study);
});

test('runs of a study say which study, arm and seed they are of, and so do their folders (a heap of runs)', async () => {
  const { runs, registry } = noted();
  const stores = new Map<string, Store>();
  const open = (name: string): Store => {
    const store = stores.get(name) ?? memoryStore(name);
    stores.set(name, store);
    return store;
  };
  const carryOut = jobRunner({ registry, open });
  const executor = queueExecutor({ name: 'here', slots: 1, open, carryOut });
  const plan = checkPlan({ ...tinyPlan, arms: { none: {} } }, 'tiny');
  const { status } = await runStudy(plan, {
    ...{ registry, executor, open, root: memoryStore('study') },
    execution: { ...execution, trackers: [{ use: 'diary' }] },
  });
  expect(status).toBe('finished');
  const labels = runs.map((run) => listConfig(run));
  expect(labels.map(({ study, arm, role, seed }) => ({ study, arm, role, seed }))).toEqual([
    { study: 'tiny', arm: 'teacher', role: 'teacher', seed: 0 },
    { study: 'tiny', arm: 'none', role: 'control', seed: 0 },
  ]);
  for (const store of stores.values())
    expect((await readConfig(store)).execution.study?.name).toBe('tiny');
});
