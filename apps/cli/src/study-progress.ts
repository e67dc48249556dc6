/** A study's progress: a line for every run that begins or ends, and on a terminal one that moves. */
import { isLost, type StudyEvent } from '@grok/study';
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
  const clear = live ? '\r\x1b[K' : '';
  let drawn = Number.NEGATIVE_INFINITY;
  const line = (text: string): void => void sink.write(`${clear}${text}\n`);
  return (event) => {
    // What is told with every event is only worked out where something is shown.
    if (
      event.type === 'run' &&
      event.event.type !== 'notice' &&
      !(live && now() - drawn >= REDRAW_MS)
    )
      return;
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
        line(
          `${where} ${event.run.key}: ${event.run.manifest === undefined ? 'begun' : `goes on from epoch ${event.run.manifest.epoch}`}${left}`,
        );
        break;
      case 'end': {
        const { key, state, record, error } = event.run;
        const reached = record?.epochsTo['0.99'];
        const what =
          state === 'finished'
            ? `finished at epoch ${record!.epochs}, validation ${(100 * record!.finalValAccuracy!).toFixed(2)} %, 99 % ${reached == null ? 'never' : `at epoch ${reached}`}`
            : error !== undefined
              ? `failed (${error})${event.again === true ? '; once more' : ''}`
              : state;
        line(`${where} ${key}: ${what}${left}`);
        break;
      }
      case 'run': {
        if (event.event.type === 'notice') line(`${event.run.key}: ${event.event.message}`);
        if (!live || now() - drawn < REDRAW_MS) break;
        drawn = now();
        const running = runs
          .filter(({ state }) => state === 'running')
          .map((run) => `${run.key} ${run.history?.at(-1)?.epoch ?? 0}/${run.experiment.epochs}`);
        const text = `${where} ${Math.floor(100 * estimate.done)} %${left}  ${running.join(', ')}`;
        sink.write(`${clear}${text.slice(0, (sink.columns || 80) - 1)}`);
        break;
      }
    }
  };
}
