import type { RunEvent } from '@grok/core';
import { describe, expect, it } from 'vitest';
import { printableSink } from '../src/printable-sink.js';
import { clock, progress } from '../src/progress.js';

const start: RunEvent = {
  type: 'start',
  run: 'a',
  parameters: 550272,
  epochs: 4,
  stepsPerEpoch: 10,
  from: { epoch: 0, step: 0 },
  backend: 'onnx',
  device: 'onnx, 2 threads',
};
const epoch = (n: number): RunEvent => ({
  type: 'epoch',
  row: {
    epoch: n,
    step: 10 * n,
    train: { loss: 1.5, accuracy: 0.25 },
    terms: {},
    validation: { loss: 1, accuracy: 0.125 },
    time: { seconds: 0.5 },
  },
});

describe('progress', () => {
  it('writes a line an epoch where there is no terminal', () => {
    // Catches: control characters in a log file; an ETA from the wrong end.
    let [text, time] = ['', 0];
    const tell = progress({ write: (part) => (text += part) }, 'teacher', () => time);
    for (const event of [start, { type: 'step', epoch: 1, step: 1, loss: 2 } as const, epoch(1)]) {
      time += 500;
      tell(event);
    }
    expect(text.split('\n')).toEqual([
      'teacher: 550,272 parameters, 4 epochs, onnx, 2 threads',
      'teacher  epoch 1/4  ETA 0:03  loss 1.500  validation 12.5 %  train 25.0 %  0.50 s/epoch',
      '',
    ]);
  });
  it('rewrites one line on a terminal, not at every step', () => {
    // Catches: a terminal flooded with lines, or lines longer than it.
    let [text, time] = ['', 0];
    const tell = progress(
      printableSink({ write: (part) => (text += part), isTTY: true, columns: 40 }),
      'teacher',
      () => time,
    );
    tell(start);
    text = '';
    for (let step = 1; step <= 10; step++) {
      time += 20;
      tell({ type: 'step', epoch: 1, step, loss: 2 });
    }
    expect(text.match(/\r/g)?.length).toBeLessThanOrEqual(3);
    expect(text).not.toContain('\n');
    for (const line of text.split('\r\x1b[K')) expect(line.length).toBeLessThan(40);
  });
  it('counts the time left from where a resumed run began', () => {
    // Catches: steps of before the stop counted as done in no time.
    let [text, time] = ['', 0];
    const tell = progress({ write: (part) => (text += part) }, 'teacher', () => time);
    tell({ ...start, from: { epoch: 2, step: 20 } });
    time = 10_000;
    tell(epoch(3));
    expect(text).toContain('from step 20');
    expect(text).toContain('ETA 0:10');
  });
});

it.each([
  [0, '0:00'],
  [59.6, '1:00'],
  [3599, '59:59'],
  [3661, '1:01:01'],
  [-3, '0:00'],
])('clock(%d) is %s', (seconds, text) => {
  expect(clock(seconds)).toBe(text);
});
