import type { MetricsRow, RunEvent } from '@grok/core';
import {
  checkPlan,
  estimate,
  expandPlan,
  measurePace,
  type StudyEvent,
  type StudyRun,
} from '@grok/study';
import { describe, expect, it } from 'vitest';
import { tinyPlan } from '../../../tests/tiny-plan.js';
import { hasColors, writePieces } from '../src/colors.js';
import { Folder, foldText } from '../src/fold.js';
import type { Sink } from '../src/io.js';
import { printableSink } from '../src/printable-sink.js';
import { progress } from '../src/progress.js';
import { clock } from '../src/progress-lines.js';
import { sparkline } from '../src/sparkline.js';
import { studyProgress } from '../src/study-progress.js';

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
const row = (n: number): MetricsRow => ({
  epoch: n,
  step: 10 * n,
  train: { loss: 1.5, accuracy: 0.25 },
  terms: {},
  validation: { loss: 1, accuracy: 0.125 },
  time: { seconds: 0.5 },
});
const epoch = (n: number): RunEvent => ({ type: 'epoch', row: row(n) });
/** A run of a small plan, of four epochs. */
function plannedRun(key: string): StudyRun {
  const plan = checkPlan(
    { ...tinyPlan, shared: { ...tinyPlan.shared, epochs: 4 }, arms: { none: {}, logit: {} } },
    'test',
  );
  const found = expandPlan(plan).find((run) => run.key === key);
  if (found === undefined) throw new Error(key);
  return { ...found, state: 'waiting' };
}

/** A clock and what was written. */
function written(columns?: number): { sink: Sink; text: () => string; clear: () => void } {
  let text = '';
  const write = (part: string): unknown => (text += part);
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  return {
    sink: printableSink({ write, ...terminal }),
    text: () => text,
    clear: () => {
      text = '';
    },
  };
}

describe('progress', () => {
  it('writes plain lines where there is no terminal', () => {
    // Catches: control characters in a log file; an ETA from the wrong end.
    let time = 0;
    const { sink, text } = written();
    const tell = progress(sink, 'teacher', () => time);
    for (const event of [start, { type: 'step', epoch: 1, step: 1, loss: 2 } as const, epoch(1)]) {
      time += 500;
      tell(event);
    }
    expect(text().split('\n')).toEqual([
      'teacher: 550,272 parameters, 4 epochs, onnx, 2 threads',
      'teacher  epoch 1/4  ETA 0:03  ▂ val 12.5 %  train 25.0 %  loss 1.500',
      '',
    ]);
  });
  it.each([
    ['one every 10 % of a quick run', 10, 10],
    ['one every 10 s of a slow run', 1000, 100],
  ])('writes %s, not one an epoch', (_, ms, lines) => {
    // Catches: 15,000 lines in the log of a run of 15,000 epochs; silence for an hour.
    let time = 0;
    const { sink, text, clear } = written();
    const tell = progress(sink, 'teacher', () => time);
    tell({ ...start, epochs: 1000 });
    clear();
    for (let n = 1; n <= 1000; n++) {
      time += ms;
      tell(epoch(n));
    }
    expect(text().split('\n')).toHaveLength(lines + 1);
  });
  it('rewrites one line on a terminal, not at every step', () => {
    // Catches: a terminal flooded with lines, or lines longer than it.
    let time = 0;
    const { sink, text, clear } = written(40);
    const tell = progress(sink, 'teacher', () => time);
    tell(start);
    clear();
    for (let step = 1; step <= 10; step++) {
      time += 20;
      tell({ type: 'step', epoch: 1, step, loss: 2 });
    }
    expect(text().match(/\r/g)?.length).toBeLessThanOrEqual(3);
    expect(text()).not.toContain('\n');
    for (const line of text().split('\r\x1b[K')) expect(line.length).toBeLessThan(40);
  });
  it('counts the time left from where a resumed run began', () => {
    // Catches: steps of before the stop counted as done in no time.
    let time = 0;
    const { sink, text } = written();
    const tell = progress(sink, 'teacher', () => time);
    tell({ ...start, from: { epoch: 2, step: 20 } });
    time = 10_000;
    tell(epoch(3));
    expect(text()).toContain('from step 20');
    expect(text()).toContain('ETA 0:10');
  });
});

describe('studyProgress', () => {
  const run = (key: string, state: StudyRun['state'], done: number): StudyRun => ({
    ...plannedRun(key),
    ...{ state, history: Array.from({ length: done }, (_, i) => row(i + 1)) },
  });
  const view = (...runs: StudyRun[]): StudyEvent['study'] => ({
    runs,
    estimate: estimate(runs, 1, measurePace(runs)),
  });
  it('tells how far the whole is, with one ETA and the accuracies so far', () => {
    // Catches: an ETA of the run alone; a line an epoch in the log of sixty runs.
    let time = 0;
    const { sink, text, clear } = written();
    const tell = studyProgress(sink, 'study', () => time);
    const other = run('none@0', 'waiting', 0);
    for (let n = 1; n <= 4; n++) {
      time += 1000;
      const one = run('logit@0', 'running', n);
      tell({ type: 'run', run: one, event: epoch(n), study: view(one, other) });
    }
    expect(text().split('\n')).toEqual([
      '[0/2] 12 %  ETA 0:04  logit@0 1/4 ▂ 12.5 %',
      '[0/2] 25 %  ETA 0:03  logit@0 2/4 ▂▂ 12.5 %',
      '[0/2] 37 %  ETA 0:03  logit@0 3/4 ▂▂▂ 12.5 %',
      '[0/2] 50 %  ETA 0:02  logit@0 4/4 ▂▂▂▂ 12.5 %',
      '',
    ]);
    clear();
    const lost = { ...run('logit@0', 'failed', 4), error: 'loss is NaN' };
    tell({ type: 'end', run: lost, study: view(lost, other) });
    expect(text()).toBe('[1/2] logit@0: failed (loss is NaN)  ETA 0:02\n');
  });
});

describe('sparkline', () => {
  it('shows the last of each stretch, from 0 to 1', () => {
    // Catches: a curve scaled to its own range, in which chance looks like success.
    expect(sparkline([0, 0.5, 1])).toBe('▁▅█');
    expect(sparkline([0, 0, 0, 1], 2)).toBe('▁█');
    expect(sparkline([])).toBe('');
    expect(sparkline([Number.NaN, -1, 2])).toHaveLength(3);
  });
});

describe('colors', () => {
  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
    [{ TERM: 'dumb' }, true, false],
  ])('%j on a terminal (%s): %s', (env, isTTY, colored) => {
    expect(hasColors({ isTTY }, env)).toBe(colored);
  });
  it('never come from what is shown', () => {
    // Catches: a name that colors the rest of the screen.
    let text = '';
    const sink = printableSink({ write: (part) => (text += part) }, { FORCE_COLOR: '1' });
    writePieces(sink, [['green', 'fin\x1b[31mished'], ' \x1b[31mred']);
    expect(text).toBe('\x1b[32mfin\\u001b[31mished\x1b[0m \\u001b[31mred');
  });
});

describe('folding', () => {
  it('breaks between words, under the indentation of the line, and never within one', () => {
    expect(foldText('  one two three', 9)).toBe('  one two\n  three');
    expect(foldText('runs/a-path-longer-than-the-line x', 10)).toBe(
      'runs/a-path-longer-than-the-line\nx',
    );
  });
  it.each([
    [['one two ', 'three', ' four\n', 'five']],
    [['one', ' two', ' three fo', 'ur', '\nfive']],
  ])('knows what stands in the line: %j', (pieces) => {
    // Catches: a line written in pieces that is as long as all of them.
    const folder = new Folder(10);
    const text = pieces.map((piece) => folder.fold(piece)).join('');
    expect(text.split('\n').every((line) => line.length <= 10)).toBe(true);
    expect(text.split(/\s+/)).toEqual(['one', 'two', 'three', 'four', 'five']);
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
