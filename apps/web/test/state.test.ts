/** What the page keeps of what the worker tells. */
import type { MetricsRow } from '@grok/core';
import { expect, test } from 'vitest';
import { type Action, initial, reduceState, type State, shareDone } from '../src/page/state.js';
import type { RunView } from '../src/protocol.js';

const row = (epoch: number): MetricsRow => ({ epoch, step: 10 * epoch }) as MetricsRow;
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => row(from + i));
const run: RunView = {
  ...{ name: 'teacher', seed: 1, epochs: 9, history: [] },
  ...{ secondsPerEpoch: null, epochsTo99: null },
};
const study = { type: 'study', folder: 'a', plan: {} as never, runs: [run] } as const;
const after = (...apply: Action[]): State => apply.reduce(reduceState, initial);
const epochs = ({ runs }: State) => runs[0]!.history.map(({ epoch }) => epoch);

test('a history that comes in parts is whole, with what was heard meanwhile', () => {
  // Catches: a part that replaces the one before it, an epoch that is lost or told twice.
  const parts = [range(1, 3), range(4, 6)].map(
    (rows) => ({ type: 'rows', index: 0, rows }) as const,
  );
  const heard = {
    type: 'event',
    index: 0,
    event: { type: 'epoch', row: row(7) } as never,
  } as const;
  expect(epochs(after(study, heard, ...parts))).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(epochs(after(study, ...parts, heard, parts[1]!))).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('rows stay when the same study is told again and when it ends, and go with another', () => {
  // Catches: curves that vanish at the end, or are another study's.
  const rows = { type: 'rows', index: 0, rows: range(1, 9) } as const;
  const ended = {
    type: 'ended',
    status: 'finished',
    runs: [{ ...run, state: 'finished' }],
  } as const;
  const end = after(study, rows, study, ended);
  expect(epochs(end)).toHaveLength(9);
  expect(end).toMatchObject({ status: 'finished', runs: [{ state: 'finished' }] });
  expect(epochs(after(study, rows, { ...study, folder: 'b' }))).toEqual([]);
});

const start = {
  type: 'event',
  index: 0,
  event: {
    ...{ type: 'start', run: 'a', parameters: 1, epochs: 9, stepsPerEpoch: 10, backend: 'onnx' },
    ...{ device: 'cpu', from: { epoch: 0, step: 0 } },
  },
} as const;
const step = (at: number) =>
  ({ type: 'event', index: 0, event: { type: 'step', epoch: 1, step: at, loss: 1 } }) as const;

test('something moves from the click on: stages, then each step', () => {
  // Catches: a page that stands still until the first epoch has a row.
  const begun = [{ type: 'starting' }, study] as const;
  expect(after(...begun)).toMatchObject({ status: 'starting', stage: 'checking' });
  const loading = { type: 'stage', stage: 'loading' } as const;
  expect(after(...begun, loading)).toMatchObject({ status: 'starting', stage: 'loading' });
  const compiling = { type: 'stage', stage: 'compiling', index: 0 } as const;
  const training = after(...begun, loading, compiling, start);
  expect(training).toMatchObject({ status: 'training', stage: undefined });
  expect(shareDone(training)).toBe(0);
  expect(shareDone(after(...begun, start, step(5)))).toBeCloseTo(0.5 / 9, 12);
});

test('what cannot be started leaves the form free; what goes on is not stopped by another’s error', () => {
  // Catches: fields that a bad modulus locks, and a study shown as paused while it trains.
  const error = { type: 'error', message: 'p must be prime' } as const;
  const refused = after({ type: 'starting' }, error);
  expect(refused).toMatchObject({ status: 'idle', error: 'p must be prime' });
  expect(refused.study).toBeUndefined();
  expect(after(study, start, error).status).toBe('training');
});

test('a study that was left is heard no more; one that is watched stays watched', () => {
  // Catches: a form that locks itself when the last step of a stopped run is told.
  expect(after(study, start, { type: 'leave' }, step(1))).toMatchObject({
    status: 'idle',
    runs: [],
  });
  expect(after(study, { type: 'watching' }, start, step(1)).status).toBe('watching');
});
