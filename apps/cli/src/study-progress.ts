/** A study's progress: a line for every run that begins or ends, and how far the whole is, with one ETA. */
import { countEpochs } from '@grok/core/internal';
import { isLost, type StudyEvent, type StudyRun } from '@grok/study';
import type { Piece } from './colors.js';
import type { Sink } from './io.js';
import { clock, progressLines, share } from './progress-lines.js';
import { sparkline } from './sparkline.js';

const REDRAW_MS = 200;

/** A listener that shows a study on `sink`. */
export function studyProgress(
  sink: Sink,
  name: string,
  now: () => number = () => performance.now(),
): (event: StudyEvent) => void {
  const lines = progressLines(sink, REDRAW_MS, now);
  return (event) => {
    if (event.type === 'run' && event.event.type === 'notice')
      lines.print(`${event.run.key}: ${event.event.message}`);
    // What is told with every event is only worked out where something is shown.
    if (event.type === 'run' && !lines.isDue()) return;
    const { runs, estimate } = event.study;
    const over = runs.filter((run) => run.state === 'finished' || isLost(run)).length;
    const left = estimate.secondsLeft === null ? '' : `  ETA ${clock(estimate.secondsLeft)}`;
    const where = `[${over}/${runs.length}]`;
    switch (event.type) {
      case 'study': {
        const done = runs.filter(({ state }) => state === 'finished').length;
        lines.print(`${name}: ${runs.length} runs, ${done} already finished`);
        break;
      }
      case 'begin':
        lines.print(`${where} ${event.run.key}: ${describeBegin(event.run)}`);
        break;
      case 'end':
        lines.print(`${where} ${event.run.key}: `, ...describeEnd(event.run, event.again), left);
        break;
      case 'run':
        lines.show(estimate.done, () => [
          `${where} ${Math.floor(100 * estimate.done)} %${left}`,
          ...runs.filter(({ state }) => state === 'running').flatMap(describeRunning),
        ]);
        break;
    }
  };
}

function describeRunning({ key, history = [], experiment }: StudyRun): readonly Piece[] {
  const last = history.at(-1);
  const epochs = `  ${key} ${last?.epoch ?? 0}/${countEpochs(experiment, last) ?? '–'}`;
  if (last === undefined) return [epochs];
  const accuracies = history.map(({ validation }) => validation.accuracy);
  return [`${epochs} `, ['cyan', sparkline(accuracies, 8)], ` ${share(last.validation.accuracy)}`];
}

function describeBegin({ manifest }: StudyRun): string {
  return manifest === undefined ? 'started' : `resumes from epoch ${manifest.epoch}`;
}

function describeEnd(
  { state, record, error, history = [] }: StudyRun,
  again = false,
): readonly Piece[] {
  if (state === 'finished' && record !== undefined) {
    const { epochs, finalValAccuracy, epochsTo } = record;
    const accuracy = `${(100 * (finalValAccuracy ?? Number.NaN)).toFixed(2)} %`;
    const reached = epochsTo['0.99'] == null ? 'never' : `at ${epochsTo['0.99']}`;
    const accuracies = history.map(({ validation }) => validation.accuracy);
    return [
      ['green', 'finished'],
      ` at epoch ${epochs} `,
      ['cyan', sparkline(accuracies, 8)],
      ` ${accuracy}, 99 % ${reached}`,
    ];
  }
  if (error === undefined) return [state];
  return [['red', 'failed'], ` (${error})${again ? '; retrying' : ''}`];
}
