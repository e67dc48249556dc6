/** The conformance suite of executors: what a study relies on when it hands out runs. */
import {
  type Executor,
  experimentHash,
  type Job,
  type JobOutcome,
  type Manifest,
  type RunEvent,
  type RunListener,
  type RunSpec,
  readManifest,
  readMetrics,
  type Store,
  type TeacherRef,
} from '@grok/core';
import { afterEach, describe, expect } from 'vitest';
import { registerTests, type Tests } from './tests-by-title.js';

/** An executor, and the folder that it shares with who asks. */
export interface ExecutorAtWork {
  readonly executor: Executor;
  /** A run's folder, by name. */
  readonly open: (folder: string) => Store;
}
/** What the suite is told of an executor. */
export interface ExecutorSuiteOptions {
  /** A short run; default: two epochs of `add` modulo 5 by a tiny transformer, on `wasm`. Ten times its epochs must be long enough to be stopped. */
  readonly spec?: RunSpec;
  /** The same with a teacher; default: the strategy `logit` beside `hard`. */
  readonly student?: (spec: RunSpec, teacher: TeacherRef) => RunSpec;
}

const tiny: RunSpec = {
  experiment: {
    task: { use: 'add', options: { p: 5 } },
    model: { use: 'transformer', options: { dim: 8, depth: 1 } },
    optimizer: { use: 'adamw' },
    batch: 8,
    epochs: 2,
    seed: 1,
  },
  execution: { backend: 'wasm', threads: 1, checkpointEvery: 5 },
};
const withLogits = (spec: RunSpec, teacher: TeacherRef): RunSpec => ({
  ...spec,
  experiment: {
    ...spec.experiment,
    objective: [{ use: 'hard' }, { use: 'logit' }],
    teachers: { teacher },
  },
});
const seeded = (spec: RunSpec, seed: number): RunSpec => ({
  ...spec,
  experiment: { ...spec.experiment, seed, splitSeed: spec.experiment.seed },
});

/** A way to begin with an executor and an empty folder, and what is to be run. */
interface Subject extends Required<ExecutorSuiteOptions> {
  readonly begin: () => Promise<ExecutorAtWork>;
}

/** Describes and tests an executor; `make` gives one with an empty folder at each call. */
export function executorSuite(
  name: string,
  make: () => ExecutorAtWork | Promise<ExecutorAtWork>,
  { spec = tiny, student = withLogits }: ExecutorSuiteOptions = {},
): void {
  describe(`executor ${name}`, () => {
    const made: Executor[] = [];
    afterEach(async () => {
      for (const executor of made.splice(0)) await executor.dispose();
    });
    const begin = async (): Promise<ExecutorAtWork> => {
      const at = await make();
      made.push(at.executor);
      return at;
    };
    registerTests(executorTests, () => ({ begin, spec, student }));
  });
}

const executorTests: Tests<Subject> = {
  'says who it is and how many jobs it takes (catches: a study that hands out none)': async ({
    begin,
  }) => {
    const { executor } = await begin();
    expect(executor.name, 'a name, for errors').toMatch(/\S/);
    expect(
      Number.isInteger(executor.slots) && executor.slots > 0,
      `slots is a whole number above 0, got ${executor.slots}`,
    ).toBe(true);
  },
  'carries out a run in its folder, and then leaves it (catches: another folder, a finished run begun anew)':
    async ({ begin, spec }) => {
      const { executor, open } = await begin();
      const job = jobOf(spec);
      expect(await outcomeOf(executor, job)).toEqual({ status: 'finished' });
      const store = open(job.folder);
      const found = 'the folder that the job names holds the finished run';
      expect(await readManifest(store), found).toMatchObject({ run: job.run, status: 'finished' });
      expect(await readMetrics(store)).toHaveLength(spec.experiment.epochs);

      const before = await filesOf(store);
      expect(await outcomeOf(executor, job)).toEqual({ status: 'finished' });
      expect(await filesOf(store), 'a finished run is left as it is').toEqual(before);
    },
  'tells what it tells in order (catches: an epoch shown before its start)': async ({
    begin,
    spec,
  }) => {
    const { executor } = await begin();
    const heard: RunEvent[] = [];
    await outcomeOf(executor, jobOf(spec), { listener: (event) => void heard.push(event) });
    const places = heard.map(placeOf);
    expect(places, 'events of a run: start, epochs as they come, end').toEqual(
      places.toSorted((a, b) => a - b),
    );
  },
  'bears a listener that throws (catches: a study stopped by its progress bar)': async ({
    begin,
    spec,
  }) => {
    const { executor } = await begin();
    const listener = (): void => {
      throw new Error('the terminal is gone');
    };
    expect(await outcomeOf(executor, jobOf(spec), { listener })).toEqual({ status: 'finished' });
  },
  'fails a job that cannot be done, says why, and does the next (catches: a rejection, a slot lost)':
    async ({ begin, spec }) => {
      const { executor } = await begin();
      const impossible = { ...spec.experiment, model: { use: 'no-such-model' } };
      const outcome = await outcomeOf(executor, jobOf({ ...spec, experiment: impossible }));
      expect(outcome, 'failed, with the error that the run told').toMatchObject({
        status: 'failed',
        error: expect.stringContaining('no-such-model'),
      });
      expect(await outcomeOf(executor, jobOf(spec))).toEqual({ status: 'finished' });
    },
  'saves when it is told to stop, and goes on from there (catches: hours lost, another result)':
    async ({ begin, spec }) => {
      const { executor, open } = await begin();
      const epochs = 10 * spec.experiment.epochs;
      const job = jobOf({ ...spec, experiment: { ...spec.experiment, epochs } });
      const outcome = await stopped(executor, job, open(job.folder));
      expect(outcome, 'when the signal aborts, a run is saved and its outcome says so').toEqual({
        status: 'interrupted',
      });
      const saved = await open(job.folder).list('checkpoints');
      expect(saved.length, 'a checkpoint is saved before it stops').toBeGreaterThan(0);

      expect(await outcomeOf(executor, job)).toEqual({ status: 'finished' });
      const began = (await eventsOf(open(job.folder))).flatMap((event) =>
        event.type === 'start' ? [event.from.step] : [],
      );
      expect(began.at(-1), 'it goes on from its newest checkpoint').toBeGreaterThan(0);
      const whole = { ...job, folder: 'unbroken' };
      await outcomeOf(executor, whole);
      expect(await paramsOf(open, job), 'the parameters of a run never stopped').toBe(
        await paramsOf(open, whole),
      );
    },
  'does not begin once it is told to stop (catches: a listener for what was before)': async ({
    begin,
    spec,
  }) => {
    const { executor, open } = await begin();
    const job = jobOf(spec);
    const signal = AbortSignal.abort();
    expect(
      await outcomeOf(executor, job, { signal }),
      'look at signal.aborted before listening to it',
    ).toEqual({ status: 'interrupted' });
    const rows = await open(job.folder).read('metrics.jsonl');
    expect(rows?.length ?? 0, 'no epoch was trained').toBe(0);
  },
  'keeps jobs apart (catches: two at once in one folder, or of one specification)': async ({
    begin,
    spec,
  }) => {
    const { executor, open } = await begin();
    const jobs = Array.from({ length: 3 }, (_, i) => jobOf(seeded(spec, i)));
    const atOnce = Math.max(1, Math.min(executor.slots, 3));
    for (let i = 0; i < 3; i += atOnce)
      await Promise.all(jobs.slice(i, i + atOnce).map((job) => outcomeOf(executor, job)));
    const found = await Promise.all(jobs.map(({ folder }) => readManifest(open(folder))));
    expect(
      found.map((manifest) => manifest?.run),
      'each in its own folder',
    ).toEqual(jobs.map(({ run }) => run));
    expect(new Set(found.map((manifest) => manifest?.paramsSha256)).size).toBe(3);
  },
  'finds a teacher beside the run (catches: a folder sought from somewhere else)': async ({
    begin,
    spec,
    student,
  }) => {
    const { executor, open } = await begin();
    const teacher = jobOf(spec);
    expect(await outcomeOf(executor, teacher)).toEqual({ status: 'finished' });
    const manifest = await readManifest(open(teacher.folder));
    expect(manifest, 'the teacher is in its folder').toBeDefined();
    const paramsSha256 = manifest?.paramsSha256 ?? '';
    const learning = student(spec, { run: teacher.run, paramsSha256 });
    const execution = { ...learning.execution, teachers: { teacher: `../${teacher.folder}` } };
    expect(
      await outcomeOf(executor, jobOf({ ...learning, execution })),
      'execution.teachers is seen from the run’s own folder',
    ).toEqual({ status: 'finished' });
  },
};

function jobOf(spec: RunSpec): Job {
  const run = experimentHash(spec.experiment);
  return { run, folder: `run-${run.slice(0, 10)}`, spec };
}

async function outcomeOf(
  executor: Executor,
  job: Job,
  how: { signal?: AbortSignal; listener?: RunListener } = {},
): Promise<JobOutcome> {
  try {
    return await executor.run(job, { signal: new AbortController().signal, ...how });
  } catch (error) {
    throw new Error(
      `run must never reject; give { status: 'failed', error } instead. It rejected with: ${error}`,
      { cause: error },
    );
  }
}

/** Carries out a job that is told to stop once its first epoch is done. */
async function stopped(executor: Executor, job: Job, store: Store): Promise<JobOutcome> {
  const stop = new AbortController();
  const look = setInterval(async () => {
    if (((await store.read('metrics.jsonl'))?.length ?? 0) > 0) stop.abort();
  }, 20);
  const listener: RunListener = ({ type }) => {
    if (type === 'epoch') stop.abort();
  };
  try {
    return await outcomeOf(executor, job, { signal: stop.signal, listener });
  } finally {
    clearInterval(look);
  }
}

function placeOf(event: RunEvent): number {
  if (event.type === 'start') return -1;
  if (event.type === 'end') return Number.POSITIVE_INFINITY;
  return event.type === 'epoch' ? event.row.step : 'step' in event ? event.step : 0;
}

async function filesOf(store: Store): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const folder of ['', 'checkpoints'])
    for (const name of await store.list(folder)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      files[path] = new TextDecoder('latin1').decode(await store.read(path));
    }
  return files;
}

async function eventsOf(store: Store): Promise<readonly RunEvent[]> {
  const text = new TextDecoder().decode(await store.read('events.jsonl'));
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

async function paramsOf(
  open: (folder: string) => Store,
  { folder }: Job,
): Promise<Manifest['paramsSha256']> {
  return (await readManifest(open(folder)))?.paramsSha256;
}
