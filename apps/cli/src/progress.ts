/** A run's progress for people: a line that moves on a terminal, one every 10 s or 10 % elsewhere. */
import type { MetricsRow, RunEvent, RunListener } from '@grok/core';
import type { Piece } from './colors.js';
import type { Sink } from './io.js';
import { clock, progressLines, share } from './progress-lines.js';
import { sparkline } from './sparkline.js';

const REDRAW_MS = 100;

type StartEvent = Extract<RunEvent, { type: 'start' }>;

/** A listener that shows a run under `label` on `sink`. */
export function progress(
  sink: Sink,
  label: string,
  now: () => number = () => performance.now(),
): RunListener {
  const lines = progressLines(sink, REDRAW_MS, now);
  let [epochs, stepsPerEpoch, lastStep] = [0, 1, 0];
  let began = { step: 0, at: now() };
  const accuracies: number[] = [];
  let last: MetricsRow | undefined;
  const left = (step: number): string => {
    const done = step - began.step;
    if (done <= 0) return '';
    const seconds = (now() - began.at) / 1000;
    return `  ETA ${clock((seconds / done) * (lastStep - step))}`;
  };
  const showStart = (event: StartEvent): void => {
    ({ epochs, stepsPerEpoch } = event);
    began = { step: event.from.step, at: now() };
    lastStep = epochs * stepsPerEpoch;
    lines.print(`${label}: ${describeStart(event)}`);
  };
  const show = (epoch: number, step: number, loss: number): void =>
    lines.show(lastStep === 0 ? 1 : step / lastStep, () => [
      `${label}  epoch ${epoch}/${epochs}${left(step)}`,
      ...describeEpoch(accuracies, last),
      `  loss ${loss.toFixed(3)}`,
    ]);
  const showEpoch = (row: MetricsRow): void => {
    accuracies.push(row.validation.accuracy);
    last = row;
    show(row.epoch, row.step, row.train.loss);
  };
  return (event) => {
    switch (event.type) {
      case 'start':
        showStart(event);
        break;
      case 'step':
        if (sink.isTTY === true && lines.isDue()) show(event.epoch, event.step, event.loss);
        break;
      case 'epoch':
        showEpoch(event.row);
        break;
      case 'crossing':
        if (sink.isTTY === true)
          lines.print(
            `${label}: validation accuracy ${100 * event.threshold} % at epoch ${event.epoch}`,
          );
        break;
      case 'notice':
        lines.print(`${label}: ${event.message}`);
        break;
      case 'end':
        lines.print(
          `${label}: `,
          [event.status === 'finished' ? 'green' : 'red', event.status],
          ` at epoch ${event.epoch}`,
          ...(accuracies.length === 0 ? [] : ['  ', ['cyan', sparkline(accuracies, 24)] as const]),
        );
        break;
    }
  };
}

/** The curve so far and the accuracies of the newest epoch; nothing before the first. */
function describeEpoch(
  accuracies: readonly number[],
  last: MetricsRow | undefined,
): readonly Piece[] {
  if (last === undefined) return [];
  const { train, validation } = last;
  return [
    '  ',
    ['cyan', sparkline(accuracies, 8)],
    ` val ${share(validation.accuracy)}  train ${share(train.accuracy)}`,
  ];
}

function describeStart({ parameters, epochs, device, from }: StartEvent): string {
  const length = `${epochs} epoch${epochs === 1 ? '' : 's'}`;
  const start = from.step > 0 ? `, from step ${from.step}` : '';
  return `${parameters.toLocaleString('en-US')} parameters, ${length}, ${device}${start}`;
}
