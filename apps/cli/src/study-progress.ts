/** A study's progress: a line for every run that begins or ends, and on a terminal one that moves. */
import { countEpochs } from '@grok/core/internal';
import { isLost, type StudyEvent, type StudyRun } from '@grok/study';
import type { Sink } from './io.js';
import { clock } from './progress.js';

const REDRAW_MS = 200;

/** A listener that shows a study on `sink`. */
export function studyProgress(
  sink: Sink,
  name: string,
  now: () => number = () => performance.now(),
): (event: StudyEvent) => void {
  const live = sink.isTTY === true;
  let drawn = Number.NEGATIVE_INFINITY;
  const write = (text: string): void => {
    if (live) sink.eraseLine?.();
    sink.write(text);
  };
  const line = (text: string): void => write(`${text}\n`);
  return (event) => {
    if (event.type === 'run' && event.event.type === 'notice')
      line(`${event.run.key}: ${event.event.message}`);
    // What is told with every event is only worked out where something is shown.
    const isDue = live && now() - drawn >= REDRAW_MS;
    if (event.type === 'run' && !isDue) return;
    const { runs, estimate } = event.study;
    const over = runs.filter((run) => run.state === 'finished' || isLost(run)).length;
    const left = estimate.secondsLeft === null ? '' : `  ETA ${clock(estimate.secondsLeft)}`;
    const where = `[${over}/${runs.length}]`;
    switch (event.type) {
      case 'study': {
        const done = runs.filter(({ state }) => state === 'finished').length;
        line(`${name}: ${runs.length} runs, ${done} finished before`);
        break;
      }
      case 'begin':
        line(`${where} ${event.run.key}: ${describeBegin(event.run)}${left}`);
        break;
      case 'end':
        line(`${where} ${event.run.key}: ${describeEnd(event.run, event.again)}${left}`);
        break;
      case 'run': {
        drawn = now();
        const running = runs
          .filter(({ state }) => state === 'running')
          .map(({ key, history, experiment }) => {
            const last = history?.at(-1);
            return `${key} ${last?.epoch ?? 0}/${countEpochs(experiment, last) ?? '–'}`;
          });
        const text = `${where} ${Math.floor(100 * estimate.done)} %${left}  ${running.join(', ')}`;
        write(text.slice(0, (sink.columns || 80) - 1));
        break;
      }
    }
  };
}

function describeBegin({ manifest }: StudyRun): string {
  return manifest === undefined ? 'begun' : `goes on from epoch ${manifest.epoch}`;
}

function describeEnd({ state, record, error }: StudyRun, again = false): string {
  if (state === 'finished' && record !== undefined) {
    const { epochs, finalValAccuracy, epochsTo } = record;
    const accuracy = `${(100 * (finalValAccuracy ?? Number.NaN)).toFixed(2)} %`;
    const reached = epochsTo['0.99'] == null ? 'never' : `at epoch ${epochsTo['0.99']}`;
    return `finished at epoch ${epochs}, validation ${accuracy}, 99 % ${reached}`;
  }
  return error === undefined ? state : `failed (${error})${again ? '; once more' : ''}`;
}
