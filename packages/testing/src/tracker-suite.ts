/** The conformance suite of trackers: every epoch recorded once, runs kept apart, whatever their end. */
import type { MetricsRow, Provision, RunEvent, TrackedRun, Tracker } from '@grok/core';
import { describe, expect, it } from 'vitest';
import { createOf, isProvision, type OptionsGiven, optionsSuite } from './options-suite.js';

/** What the suite is told of a tracker. */
export interface TrackerSuiteOptions extends OptionsGiven {
  /** The epochs of a run that are found where it tracks to, in order, each as often as it is found. */
  readonly recorded: (run: TrackedRun) => readonly number[] | Promise<readonly number[]>;
  /** Where a run's folder is, by the run's readable name; default: nowhere. */
  readonly where?: (slug: string) => string;
}

type Status = Extract<RunEvent, { type: 'end' }>['status'];

/** What an imagined run tells between two epochs: of two steps each, with one event of every kind. */
export function imaginedEvents(
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
      ...{ backend: 'imagined', device: 'none' },
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

let runs = 0;

/** Describes and tests a tracker, or a bare one (whose options nobody can test). */
export function trackerSuite(
  name: string,
  subject: Provision<'tracker'> | Tracker,
  { recorded, where = () => 'memory', ...given }: TrackerSuiteOptions,
): void {
  const offered = isProvision<'tracker'>(subject) ? subject : undefined;
  const make = (): Tracker =>
    offered === undefined ? (subject as Tracker) : createOf(offered, given.options);
  const imaginedRun = (): TrackedRun => {
    const slug = `imagined-${++runs}`;
    const use = { use: 'imagined' };
    return {
      run: runs.toString(16).padStart(64, '0'),
      slug,
      experiment: { task: use, model: use, optimizer: use, batch: 1, epochs: 10, seed: runs },
      where: where(slug),
    };
  };
  /** Follows some epochs of a run to their end. */
  const follow = async (run: TrackedRun, from: number, to: number, status?: Status) => {
    const tracking = await make()(run);
    for (const event of imaginedEvents(run.run, from, to, status)) await tracking.on(event);
    await tracking.finish();
  };

  describe(`tracker ${name}`, () => {
    optionsSuite('tracker', offered, given);

    it('has recorded every epoch once it is finished (catches: the last ones, never sent)', async () => {
      const run = imaginedRun();
      const tracking = await make()(run);
      // No run waits for what `on` returns until it has ended.
      const sent = imaginedEvents(run.run, 0, 4).map((event) => tracking.on(event));
      await Promise.all(sent);
      await tracking.finish();
      expect(await recorded(run), 'finish must wait for all that was sent').toEqual([1, 2, 3, 4]);
    });
    it.each(['interrupted', 'failed'] as const)(
      'bears a run that is %s (catches: an end taken for good)',
      async (status) => {
        const run = imaginedRun();
        await follow(run, 0, 2, status);
        expect(await recorded(run), 'epochs until the end').toEqual([1, 2]);
      },
    );
    it('finishes where no event came (catches: a session closed that never was opened)', async () => {
      const tracking = await make()(imaginedRun());
      await tracking.finish();
    });
    it('leaves events as they are (catches: a number rounded for all who hear it next)', async () => {
      const run = imaginedRun();
      const tracking = await make()(run);
      for (const event of imaginedEvents(run.run, 0, 2)) {
        const before = structuredClone(event);
        await tracking.on(event);
        expect(event, 'the next listener hears the same event').toEqual(before);
      }
      await tracking.finish();
    });
    it('keeps runs apart (catches: state shared by the runs of a study)', async () => {
      const tracker = make();
      const both = [imaginedRun(), imaginedRun()] as const;
      const [long, short] = await Promise.all(both.map((run) => tracker(run)));
      const [first, second] = both.map(({ run }, i) => imaginedEvents(run, 0, 3 - i));
      for (const [i, event] of first!.entries()) {
        await long!.on(event);
        if (i < second!.length) await short!.on(second![i]!);
      }
      await short!.finish();
      await long!.finish();
      const why = 'keep what you know of a run in what the tracker returns for it';
      expect(await recorded(both[0]), why).toEqual([1, 2, 3]);
      expect(await recorded(both[1]), why).toEqual([1, 2]);
    });
    it('has an epoch once, though the run went back (catches: doubles after a kill)', async () => {
      const run = imaginedRun();
      await follow(run, 0, 3);
      await follow(run, 2, 4);
      expect(
        await recorded(run),
        'a run that goes on tells from start.from.epoch + 1: replace what is known of later epochs',
      ).toEqual([1, 2, 3, 4]);
    });
  });
}
