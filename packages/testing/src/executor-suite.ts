/** The conformance suite for executors: what a study relies on when it submits runs. */
import {
  type Executor,
  experimentHash,
  type Job,
  type JobOutcome,
  type RunEvent,
  type RunSpec,
  readManifest,
  readMetrics,
  type Store,
} from '@grok/core';
import { formatSlug, type JobEdge, type JobEvent, readEvents } from '@grok/core/internal';
import { afterEach, describe, expect } from 'vitest';
import { registerTests, type Tests } from './tests-by-title.js';

/** An executor under test, with the folder that it shares with the suite. */
export interface ExecutorAtWork {
  readonly executor: Executor;
  /** Opens a run's folder by name. */
  readonly open: (folder: string) => Store;
}
/** Options of `executorSuite`. */
export interface ExecutorSuiteOptions {
  /**
   * A short run; default: two epochs of `add` modulo 5 with a tiny transformer on `wasm`. A run of ten times
   * its epochs must be long enough to interrupt.
   */
  readonly spec?: RunSpec;
  /** The same run with a teacher named `teacher`, which the job leaves out; default: `logit` and `hard`. */
  readonly student?: (spec: RunSpec) => RunSpec;
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
const withLogits = (spec: RunSpec): RunSpec => ({
  ...spec,
  experiment: { ...spec.experiment, objective: [{ use: 'hard' }, { use: 'logit' }] },
});
const seeded = (spec: RunSpec, seed: number): RunSpec => ({
  ...spec,
  experiment: { ...spec.experiment, seed, splitSeed: spec.experiment.seed },
});

/** Creates an executor with an empty folder, and the runs to execute. */
interface Subject extends Required<ExecutorSuiteOptions> {
  readonly begin: () => Promise<ExecutorAtWork>;
}

/** Registers the conformance tests of an executor; each call of `make` returns one with an empty folder. */
export function executorSuite(
  name: string,
  make: () => ExecutorAtWork | Promise<ExecutorAtWork>,
  { spec = tiny, student = withLogits }: ExecutorSuiteOptions = {},
): void {
  describe(`executor ${name}`, () => {
    const closing: Executor[] = [];
    afterEach(async () => {
      for (const executor of closing.splice(0)) await executor.dispose();
    });
    const begin = async (): Promise<ExecutorAtWork> => {
      const at = await make();
      closing.push(at.executor);
      return at;
    };
    registerTests(executorTests, () => ({ begin, spec, student }));
  });
}

const executorTests: Tests<Subject> = {
  'has a name and slots (catches: a study that submits no jobs)': async ({ begin }) => {
    const { executor } = await begin();
    expect(executor.name, 'a name, for errors').toMatch(/\S/);
    expect(
      Number.isInteger(executor.slots) && executor.slots > 0,
      `slots must be an integer ≥ 1, got ${executor.slots}`,
    ).toBe(true);
    expect(await executor.collect(), 'without jobs there is nothing to collect').toEqual([]);
  },
  'executes a run in its folder, and leaves a finished one alone (catches: another folder, a finished run restarted)':
    async ({ begin, spec }) => {
      const { executor, open } = await begin();
      const job = makeJob('run', spec);
      const place = locateRun(spec);
      expect(
        await awaitOutcome(executor, job),
        'a job must end finished, with its run and its folder',
      ).toEqual({ status: 'finished', ...place });
      const store = open(place.folder);
      const found = 'the folder that the outcome names holds the finished run';
      expect(await readManifest(store), found).toMatchObject({
        ...{ run: place.run, status: 'finished' },
      });
      expect(await readMetrics(store), 'every epoch must have a row of metrics').toHaveLength(
        spec.experiment.epochs ?? 0,
      );

      const before = await readFiles(store);
      expect(
        await awaitOutcome(executor, job),
        'a job of a finished run must end finished again',
      ).toEqual({ status: 'finished', ...place });
      expect(await readFiles(store), 'a finished run is left as it is').toEqual(before);
    },
  'reports events in order, and returns each outcome once (catches: an epoch shown before its start)':
    async ({ begin, spec }) => {
      const { executor } = await begin();
      const heard: JobEvent[] = [];
      const unwatch = executor.watch((event) => void heard.push(event));
      await awaitOutcome(executor, makeJob('run', spec));
      const steps = heard.map(orderKey);
      expect(steps, 'events of a job: begin, then those of its run: start, epochs, end').toEqual(
        steps.toSorted((a, b) => a - b),
      );
      unwatch();
      const count = heard.length;
      const other = seeded(spec, 7);
      expect(
        [...(await collectOutcomes(executor, [makeJob('other', other)])).keys()],
        'each outcome must be given once, and only those of jobs that were handed in',
      ).toEqual(['other']);
      expect(heard, 'nothing is told to who watches no more').toHaveLength(count);
    },
  'ignores a listener that throws (catches: a study stopped by its progress bar)': async ({
    begin,
    spec,
  }) => {
    const { executor } = await begin();
    executor.watch(() => {
      throw new Error('the terminal is gone');
    });
    expect(
      await awaitOutcome(executor, makeJob('run', spec)),
      'a listener that throws must not stop a run',
    ).toMatchObject({ status: 'finished' });
  },
  'fails an impossible job, says why, and runs the next (catches: a rejection, a lost slot)':
    async ({ begin, spec }) => {
      const { executor } = await begin();
      const impossible = { ...spec.experiment, model: { use: 'no-such-model' } };
      const outcome = await awaitOutcome(
        executor,
        makeJob('bad', { ...spec, experiment: impossible }),
      );
      expect(outcome, 'failed, with the error that the run told').toMatchObject({
        status: 'failed',
        error: expect.stringContaining('no-such-model'),
      });
      expect(
        await awaitOutcome(executor, makeJob('run', spec)),
        'a failed job must leave its slot to the next',
      ).toMatchObject({ status: 'finished' });
    },
  'saves when canceled, and resumes from there (catches: lost hours, another result)': async ({
    begin,
    spec,
  }) => {
    const { executor, open } = await begin();
    const epochs = 10 * (spec.experiment.epochs ?? 1);
    const long = { ...spec, experiment: { ...spec.experiment, epochs } };
    const job = makeJob('run', long);
    const store = open(locateRun(long).folder);
    const outcome = await stopped(executor, job, store);
    expect(outcome, 'a run that is cancelled is saved, and its outcome says so').toMatchObject({
      status: 'interrupted',
    });
    const saved = await store.list('checkpoints');
    expect(saved.length, 'a checkpoint is saved before it stops').toBeGreaterThan(0);

    expect(
      await awaitOutcome(executor, job),
      'a job that was interrupted must be finished when it is handed in again',
    ).toMatchObject({ status: 'finished' });
    const began = (await readEvents(store)).flatMap((event) =>
      event.type === 'start' ? [event.from.step] : [],
    );
    expect(began.at(-1), 'it goes on from its newest checkpoint').toBeGreaterThan(0);
    const unbroken = await begin();
    await awaitOutcome(unbroken.executor, job);
    const [broken, whole] = await Promise.all(
      [store, unbroken.open(locateRun(long).folder)].map(readManifest),
    );
    expect(broken?.paramsSha256, 'the parameters of a run never stopped').toBe(whole?.paramsSha256);
  },
  'does not start a job canceled before its turn (catches: a queue that cannot be stopped)':
    async ({ begin, spec }) => {
      const { executor, open } = await begin();
      const specs = Array.from({ length: executor.slots + 1 }, (_, i) => seeded(spec, i));
      const jobs = specs.map((each, i) => makeJob(`run ${i}`, each));
      await executor.submit(jobs, []);
      const [last, lastSpec] = [jobs.at(-1), specs.at(-1)];
      await executor.cancel(last === undefined ? [] : [last.key]);
      const outcomes = await collectAll(executor);
      expect(outcomes.get(last?.key ?? ''), 'what never began is interrupted').toMatchObject({
        status: 'interrupted',
      });
      const folder = lastSpec === undefined ? '' : locateRun(lastSpec).folder;
      const rows = await open(folder).read('metrics.jsonl');
      expect(rows?.length ?? 0, 'no epoch was trained').toBe(0);
    },
  'keeps jobs apart (catches: two at once in one folder, or of one specification)': async ({
    begin,
    spec,
  }) => {
    const { executor, open } = await begin();
    const specs = Array.from({ length: 3 }, (_, i) => seeded(spec, i));
    const jobs = specs.map((each, i) => makeJob(`run ${i}`, each));
    await collectOutcomes(executor, jobs);
    const found = await Promise.all(
      specs.map((each) => readManifest(open(locateRun(each).folder))),
    );
    expect(
      found.map((manifest) => manifest?.run),
      'each in its own folder',
    ).toEqual(specs.map((each) => locateRun(each).run));
    expect(
      new Set(found.map((manifest) => manifest?.paramsSha256)).size,
      'runs of different seeds must end with different parameters',
    ).toBe(3);
  },
  'ignores a job that it already has (catches: a restarted coordinator that starts everything twice)':
    async ({ begin, spec }) => {
      const { executor, open } = await begin();
      const job = makeJob('run', spec);
      await executor.submit([job], []);
      await executor.submit([job], []);
      expect(
        [...(await collectAll(executor)).keys()],
        'a job that is handed in twice must have one outcome',
      ).toEqual(['run']);
      const events = await readEvents(open(locateRun(spec).folder));
      expect(
        events.filter(({ type }) => type === 'start'),
        'a job that is handed in twice must be run once',
      ).toHaveLength(1);
    },
  'waits for a teacher, and binds the run to it (catches: ignored edges, a folder looked for elsewhere)':
    async ({ begin, spec, student }) => {
      const { executor, open } = await begin();
      const jobs = [makeJob('student', student(spec)), makeJob('teacher', spec)];
      const edge: JobEdge = { job: 'student', as: 'teacher', teacher: 'teacher', at: 'last' };
      const outcomes = await collectOutcomes(executor, jobs, [edge]);
      expect(
        [...outcomes].map(([key, { status }]) => [key, status]),
        'the teacher first, then its student',
      ).toEqual([
        ['teacher', 'finished'],
        ['student', 'finished'],
      ]);
      const teacher = locateRun(spec);
      const learned = outcomes.get('student');
      const folder = learned?.status === 'finished' ? learned.folder : '';
      const taught = await readManifest(open(folder));
      expect(taught?.teachers?.teacher?.run, 'the teacher that its edge names').toBe(teacher.run);
      // Already finished, so its folder is given instead.
      const again = { ...edge, job: 'late', folder: teacher.folder };
      const other = await collectOutcomes(
        executor,
        [makeJob('late', seeded(student(spec), 3))],
        [again],
      );
      expect(
        other.get('late'),
        'a job whose teacher was finished before must be run',
      ).toMatchObject({ status: 'finished' });
    },
  'does not start a job whose teacher failed, and refuses an edge to nothing (catches: a queue that never empties)':
    async ({ begin, spec, student }) => {
      const { executor } = await begin();
      const impossible = { ...spec.experiment, model: { use: 'no-such-model' } };
      const jobs = [
        makeJob('teacher', { ...spec, experiment: impossible }),
        makeJob('student', student(spec)),
      ];
      const edge: JobEdge = { job: 'student', as: 'teacher', teacher: 'teacher', at: 'last' };
      const outcomes = await collectOutcomes(executor, jobs, [edge]);
      expect(
        outcomes.get('student'),
        'a job whose teacher failed must be blocked by it, not begun',
      ).toEqual({ status: 'blocked', by: 'teacher' });
      const lost = { ...edge, teacher: 'nobody' };
      await expect(
        executor.submit([makeJob('student', student(spec))], [lost]),
        'a job that waits for one that nobody handed in must be refused',
      ).rejects.toThrow('nobody');
    },
};

function makeJob(key: string, { experiment, execution }: RunSpec): Job {
  return { key, experiment, ...(execution === undefined ? {} : { execution }) };
}

/** The id of a run without teachers, and its required folder. */
function locateRun({ experiment }: RunSpec): { run: string; folder: string } {
  const run = experimentHash(experiment);
  return { run, folder: `${formatSlug(experiment)}-${run.slice(0, 10)}` };
}

async function collectOutcomes(
  executor: Executor,
  jobs: readonly Job[],
  edges: readonly JobEdge[] = [],
): Promise<ReadonlyMap<string, JobOutcome>> {
  await executor.submit(jobs, edges);
  return collectAll(executor);
}

async function awaitOutcome(executor: Executor, job: Job): Promise<JobOutcome | undefined> {
  return (await collectOutcomes(executor, [job])).get(job.key);
}

/** All outcomes in order, until no job is left. */
async function collectAll(executor: Executor): Promise<ReadonlyMap<string, JobOutcome>> {
  const found = new Map<string, JobOutcome>();
  for (;;) {
    const ended = await executor.collect().catch((error: unknown) => {
      throw new Error(
        `collect must never reject for what a job does; give { status: 'failed', error } instead. It rejected with: ${error}`,
        { cause: error },
      );
    });
    if (ended.length === 0) return found;
    for (const { key, outcome } of ended) {
      expect(found.has(key), `the outcome of "${key}" is given once`).toBe(false);
      found.set(key, outcome);
    }
  }
}

/** Runs a job that is canceled after its first epoch. */
async function stopped(
  executor: Executor,
  job: Job,
  store: Store,
): Promise<JobOutcome | undefined> {
  let over = false;
  const look = setInterval(async () => {
    const rows = await store.read('metrics.jsonl');
    if (!over && (rows?.length ?? 0) > 0) void executor.cancel([job.key]);
  }, 20);
  const unwatch = executor.watch((event) => {
    if (event.type === 'run' && event.event.type === 'epoch') void executor.cancel([job.key]);
  });
  try {
    return await awaitOutcome(executor, job);
  } finally {
    over = true;
    clearInterval(look);
    unwatch();
  }
}

/** The position of an event within a run. */
function orderKey(event: JobEvent): number {
  return event.type === 'begin' ? Number.NEGATIVE_INFINITY : stepOfRun(event.event);
}
function stepOfRun(event: RunEvent): number {
  if (event.type === 'start') return -1;
  if (event.type === 'end') return Number.POSITIVE_INFINITY;
  return event.type === 'epoch' ? event.row.step : 'step' in event ? event.step : 0;
}

async function readFiles(store: Store): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const folder of ['', 'checkpoints'])
    for (const name of await store.list(folder)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      files[path] = new TextDecoder('latin1').decode(await store.read(path));
    }
  return files;
}
