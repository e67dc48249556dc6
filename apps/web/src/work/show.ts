/** What a study that trains is shown by: its events, thinned to what people can read, and pictures of its checkpoints. */
import {
  type Execution,
  type MetricsRow,
  type Registry,
  type RunEvent,
  readMetrics,
} from '@grok/core';
import { epochsTo } from '@grok/metrics';
import {
  isFinished,
  type StudyEvent,
  type StudyFolder,
  type StudyRun,
  secondsPerEpoch,
} from '@grok/study';
import type { FromWorker, RunView } from '../protocol.js';
import { createSnapshotter, type Snapshotter } from './snapshots.js';

/** Steps are told no more often than people can read, in milliseconds. */
const STEP_EVERY = 100;

/** Rows in one message, which the page takes in within milliseconds. */
const ROWS_AT_ONCE = 100;

/** Where messages go. */
export type Tell = (message: FromWorker) => void;

/** Tells a run's rows, a part a message. */
export function tellRows(tell: Tell, index: number, rows: readonly MetricsRow[]): void {
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE)
    tell({ type: 'rows', index, rows: rows.slice(at, at + ROWS_AT_ONCE) });
}

/** What a run's rows come to, for the table of runs. */
export function readMeasures(
  history: readonly MetricsRow[] = [],
): Pick<RunView, 'secondsPerEpoch' | 'epochsTo99'> {
  return { secondsPerEpoch: secondsPerEpoch(history), epochsTo99: epochsTo(history, 0.99) };
}

/** What runs are looked into with. */
export interface ShowHost extends Pick<StudyFolder, 'open'> {
  readonly registry: Registry;
  readonly execution: Execution;
  readonly tell: Tell;
  readonly signal: AbortSignal;
}

/** Takes a picture of every run that has a checkpoint and is among those wanted, one after another. */
export async function takePictures(
  runs: readonly StudyRun[],
  host: ShowHost,
  isWanted: (run: StudyRun) => boolean = () => true,
): Promise<void> {
  for (const [index, run] of runs.entries()) {
    const step = run.manifest?.step;
    if (run.folder === undefined || !step || !isWanted(run) || host.signal.aborted) continue;
    const camera = cameraFor(run, host);
    const picture = await camera.at(step).catch(() => undefined);
    if (picture !== undefined) host.tell({ type: 'picture', index, picture });
    await camera.dispose();
  }
}

const cameraFor = (
  { experiment, folder = '' }: StudyRun,
  { registry, execution, open }: ShowHost,
): Snapshotter => createSnapshotter(registry, experiment, execution, open(folder));

/** Tells what a study tells, with a picture of every checkpoint of the run that trains, and of those that were finished before. */
export function showRuns(
  runs: readonly StudyRun[],
  host: ShowHost,
): { hear(event: StudyEvent): void; dispose(): Promise<void> } {
  const { tell, open } = host;
  let camera: Snapshotter | undefined;
  let earlier: Promise<void> | undefined;
  let last = 0;
  const begin = (run: StudyRun, index: number): void => {
    tell({ type: 'stage', stage: 'compiling', index });
    void camera?.dispose();
    camera = cameraFor(run, host);
    readMetrics(open(run.folder ?? '')).then((rows) => tellRows(tell, index, rows), ignore);
    last = 0;
  };
  const tellEvent = (event: RunEvent, index: number): void => {
    if (event.type === 'step') {
      if (performance.now() - last < STEP_EVERY) return;
      last = performance.now();
    }
    tell({ type: 'event', index, event });
    // After the first step of all, which people wait for.
    if (event.type === 'step') earlier ??= takePictures(runs, host, isFinished).catch(ignore);
    if (event.type !== 'checkpoint') return;
    camera
      ?.at(event.step)
      .then((picture) => picture && tell({ type: 'picture', index, picture }), ignore);
  };
  return {
    hear({ study, ...event }) {
      if (event.type !== 'begin' && event.type !== 'run') return;
      const index = runs.findIndex(({ key }) => key === event.run.key);
      if (event.type === 'begin') return begin(event.run, index);
      tellEvent(event.event, index);
      if (event.event.type === 'epoch')
        tell({
          ...{ type: 'progress', index, secondsLeft: study.estimate.secondsLeft },
          ...readMeasures(event.run.history),
        });
    },
    async dispose() {
      await earlier;
      await camera?.dispose();
    },
  };
}

/** A picture that could not be made: the checkpoint went meanwhile, or the run ended. */
function ignore(): void {}
