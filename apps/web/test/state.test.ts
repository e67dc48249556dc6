/** What the page keeps of what the worker tells. */
import type { MetricsRow } from '@grok/core';
import { expect, test } from 'vitest';
import { initial, reduceState, type State } from '../src/page/state.js';
import type { FromWorker, RunView } from '../src/protocol.js';

const row = (epoch: number): MetricsRow => ({ epoch, step: 10 * epoch }) as MetricsRow;
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => row(from + i));
const run: RunView = { name: 'teacher', seed: 1, epochs: 9, history: [] };
const study = { type: 'study', folder: 'a', plan: {} as never, runs: [run] } as const;
const after = (...told: FromWorker[]): State => told.reduce(reduceState, initial);
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
  const record = { status: 'finished' } as never;
  const ended = { type: 'ended', status: 'finished', records: [record] } as const;
  const end = after(study, rows, study, ended);
  expect(epochs(end)).toHaveLength(9);
  expect(end).toMatchObject({ status: 'finished', runs: [{ record }] });
  expect(epochs(after(study, rows, { ...study, folder: 'b' }))).toEqual([]);
});
