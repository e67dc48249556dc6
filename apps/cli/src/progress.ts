/** A run's progress for people: one line rewritten on a terminal, a line an epoch elsewhere. */
import type { MetricsRow, RunEvent, RunListener } from '@grok/core';
import type { Sink } from './io.js';

const REDRAW_MS = 100;

/** A listener that shows a run under `label` on `sink`. */
export function progress(
  sink: Sink,
  label: string,
  now: () => number = () => performance.now(),
): RunListener {
  const live = sink.isTTY === true;
  let epochs = 0;
  let stepsPerEpoch = 1;
  let began = { step: 0, at: now() };
  let before = 0; // the epoch of the last row: a row may stand for several
  let drawn = Number.NEGATIVE_INFINITY;
  let last = '';
  const write = (text: string): void => {
    if (live) sink.eraseLine?.();
    sink.write(text);
  };
  const line = (text: string): void => write(`${text}\n`);
  const left = (step: number): string => {
    const done = step - began.step;
    if (done === 0) return '';
    const seconds = (now() - began.at) / 1000;
    return `  ETA ${clock((seconds / done) * (epochs * stepsPerEpoch - step))}`;
  };
  const draw = (text: string): void => write(text.slice(0, (sink.columns || 80) - 1));
  const statusLine = (epoch: number, step: number, loss: number): string =>
    `${label}  epoch ${epoch}/${epochs}${left(step)}  loss ${loss.toFixed(3)}${last}`;
  const showStart = (event: Extract<RunEvent, { type: 'start' }>): void => {
    ({ epochs, stepsPerEpoch } = event);
    const { parameters, device, from } = event;
    began = { step: from.step, at: now() };
    before = from.epoch;
    const length = `${epochs} epoch${epochs === 1 ? '' : 's'}`;
    const start = from.step > 0 ? `, from step ${from.step}` : '';
    line(
      `${label}: ${parameters.toLocaleString('en-US')} parameters, ${length}, ${device}${start}`,
    );
  };
  const showEpoch = ({ epoch, step, train, validation, time }: MetricsRow): void => {
    const pace = (time.seconds / (epoch - before)).toFixed(2);
    last = `  validation ${share(validation.accuracy)}  train ${share(train.accuracy)}  ${pace} s/epoch`;
    before = epoch;
    const show = live ? draw : line;
    show(statusLine(epoch, step, train.loss));
  };
  return (event) => {
    switch (event.type) {
      case 'start':
        showStart(event);
        break;
      case 'step':
        if (!live || now() - drawn < REDRAW_MS) break;
        drawn = now();
        draw(statusLine(event.epoch, event.step, event.loss));
        break;
      case 'epoch':
        showEpoch(event.row);
        break;
      case 'crossing':
        if (live)
          line(`${label}: validation accuracy ${100 * event.threshold} % at epoch ${event.epoch}`);
        break;
      case 'notice':
        line(`${label}: ${event.message}`);
        break;
      case 'end':
        line(`${label}: ${event.status} at epoch ${event.epoch}`);
        break;
    }
  };
}

/** Seconds as `m:ss` or `h:mm:ss`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function share(accuracy: number): string {
  return `${(100 * accuracy).toFixed(1)} %`;
}
