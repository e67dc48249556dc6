/** The conformance suite of trackers: every epoch recorded once, runs kept apart, whatever their end. */
import {
  type ComponentDefinition,
  type MetricsRow,
  memoryStore,
  type RunEvent,
  readMetrics,
  type TrackedRun,
  type Tracker,
} from '@grok/core';
import { appendMetrics, type Tracking } from '@grok/core/internal';
import { describe, expect } from 'vitest';
import { type OptionsGiven, optionsSuite, subjectMaker } from './options-suite.js';
import { registerTests, type Tests } from './tests-by-title.js';

/** Options of `trackerSuite`. */
export interface TrackerSuiteOptions extends OptionsGiven {
  /** Returns the recorded epochs of a run, in order and with repetitions. */
  readonly recorded: (run: TrackedRun) => readonly number[] | Promise<readonly number[]>;
  /** The run folder, by the run's readable name; default: none. */
  readonly where?: (slug: string) => string;
}

type Status = Extract<RunEvent, { type: 'end' }>['status'];

/** Events of a fake run between two epochs of two steps each, with one event of every type. */
export function fakeEvents(
  run: string,
  from: number,
  to: number,
  status: Status = 'finished',
): readonly RunEvent[] {
  const row = (epoch: number): MetricsRow => ({
    epoch,
    step: 2 * epoch,
    train: { loss: 1 / epoch, accuracy: epoch / 10 },
    terms: { hard: 1 / epoch },
    validation: { loss: 2 / epoch, accuracy: epoch / 20 },
    time: { seconds: 1 },
  });
  const at = { epoch: to, step: 2 * to };
  const sizes = { parameters: 100, epochs: 10, stepsPerEpoch: 2 };
  return [
    {
      ...{ type: 'start', run, ...sizes, from: { epoch: from, step: 2 * from } },
      ...{ backend: 'fake', device: 'none' },
    },
    { type: 'notice', message: 'a checkpoint is passed over' },
    ...Array.from({ length: to - from }, (_, i) => from + i + 1).flatMap((epoch): RunEvent[] => [
      { type: 'step', epoch, step: 2 * epoch - 1, loss: 1 / (epoch + 2) },
      { type: 'step', epoch, step: 2 * epoch, loss: 1 / (epoch + 2) },
      { type: 'epoch', row: row(epoch) },
    ]),
    { type: 'crossing', ...at, threshold: 0.9 },
    { type: 'checkpoint', ...at, file: `step-${at.step}.safetensors`, pinned: false },
    { type: 'end', ...at, status, ...(status === 'failed' ? { error: 'the disk is full' } : {}) },
  ];
}

/** Creates a tracker, and reads what it recorded. */
interface Subject {
  readonly make: () => Tracker;
  readonly fakeRun: () => TrackedRun;
  readonly recorded: TrackerSuiteOptions['recorded'];
}

let runs = 0;

/** Registers the conformance tests of a tracker, or of a bare one (without tests of options). */
export function trackerSuite(
  name: string,
  subject: ComponentDefinition<'tracker'> | Tracker,
  { recorded, where = () => 'memory', ...given }: TrackerSuiteOptions,
): void {
  const { offered, make } = subjectMaker<'tracker'>(subject, given.options);
  const fakeRun = (): TrackedRun => {
    const slug = `fake-${++runs}`;
    const use = { use: 'fake' };
    return {
      run: runs.toString(16).padStart(64, '0'),
      slug,
      experiment: { task: use, model: use, optimizer: use, batch: 1, epochs: 10, seed: runs },
      ...{ where: where(slug), store: memoryStore(where(slug)) },
      ...{ name, timeout: 30_000, notice: () => {} },
    };
  };
  describe(`tracker ${name}`, () => {
    optionsSuite('tracker', offered, given);
    registerTests(trackerTests, () => ({ make, fakeRun, recorded }));
  });
}

/** Follows some epochs of a run to its end. */
async function follow(
  { make }: Subject,
  run: TrackedRun,
  { from, to, status }: { from: number; to: number; status?: Status },
): Promise<void> {
  const tracking = await make()(run);
  for (const event of fakeEvents(run.run, from, to, status)) await tell(run, tracking, event);
  await tracking.finish();
}

/** Writes an event into the run's folder, then tells it, as a run does. */
async function tell({ store }: TrackedRun, tracking: Tracking, event: RunEvent): Promise<void> {
  if (event.type === 'start') {
    const rows = await readMetrics(store);
    await store.remove('metrics.jsonl');
    for (const row of rows) if (row.epoch <= event.from.epoch) await appendMetrics(store, row);
  }
  if (event.type === 'epoch') await appendMetrics(store, event.row);
  await tracking.on(event);
}

async function bearsAnEnd(subject: Subject, status: Status): Promise<void> {
  const run = subject.fakeRun();
  await follow(subject, run, { from: 0, to: 2, status });
  expect(await subject.recorded(run), 'epochs until the end').toEqual([1, 2]);
}

const trackerTests: Tests<Subject> = {
  'has recorded every epoch when it finishes (catches: the last ones never sent)': async ({
    make,
    fakeRun,
    recorded,
  }) => {
    const run = fakeRun();
    const tracking = await make()(run);
    // No run waits for what `on` returns until it has ended.
    const sent: (void | Promise<void>)[] = [];
    for (const event of fakeEvents(run.run, 0, 4)) {
      if (event.type === 'epoch') await appendMetrics(run.store, event.row);
      sent.push(tracking.on(event));
    }
    await Promise.all(sent);
    await tracking.finish();
    expect(await recorded(run), 'finish must wait for all that was sent').toEqual([1, 2, 3, 4]);
  },
  'handles an interrupted run (catches: every end treated as success)': (subject) =>
    bearsAnEnd(subject, 'interrupted'),
  'handles a failed run (catches: every end treated as success)': (subject) =>
    bearsAnEnd(subject, 'failed'),
  'finishes without events (catches: closing a session that was never opened)': async ({
    make,
    fakeRun,
  }) => {
    const tracking = await make()(fakeRun());
    await tracking.finish();
  },
  'does not change events (catches: a number rounded for all later listeners)': async ({
    make,
    fakeRun,
  }) => {
    const run = fakeRun();
    const tracking = await make()(run);
    for (const event of fakeEvents(run.run, 0, 2)) {
      const before = structuredClone(event);
      await tell(run, tracking, event);
      expect(event, 'the next listener hears the same event').toEqual(before);
    }
    await tracking.finish();
  },
  'keeps runs apart (catches: state shared by the runs of a study)': async ({
    make,
    fakeRun,
    recorded,
  }) => {
    const tracker = make();
    const [a, b] = [fakeRun(), fakeRun()];
    const [long, short] = await Promise.all([tracker(a), tracker(b)]);
    const others = fakeEvents(b.run, 0, 2).values();
    for (const event of fakeEvents(a.run, 0, 3)) {
      await tell(a, long, event);
      const { value: other } = others.next();
      if (other !== undefined) await tell(b, short, other);
    }
    await short.finish();
    await long.finish();
    const why = 'keep what you know of a run in what the tracker returns for it';
    expect(await recorded(a), why).toEqual([1, 2, 3]);
    expect(await recorded(b), why).toEqual([1, 2]);
  },
  'records an epoch once, even if the run was set back (catches: duplicates after a kill)': async (
    subject,
  ) => {
    const run = subject.fakeRun();
    await follow(subject, run, { from: 0, to: 3 });
    await follow(subject, run, { from: 2, to: 4 });
    expect(
      await subject.recorded(run),
      'a run that goes on tells from start.from.epoch + 1: replace what is known of later epochs',
    ).toEqual([1, 2, 3, 4]);
  },
};
