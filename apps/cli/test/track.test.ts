/** `--track`: trackers of plugins follow runs from the command line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bench, root } from './helpers.js';

const at = bench({ GROK_BACKEND: 'wasm' });
afterAll(() => at.remove());
const TINY = ['--p', '5', '--dim', '8', '--depth', '1', '--epochs', '3', '--backend', 'wasm'];
const gallery = ['--plugin', join(root, 'examples/gallery')];
const epochs = (name: string): number[] =>
  readFileSync(join(at.dir, name), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => Number.parseInt(line, 10));

test('follows a run that is stopped and goes on, until another is named (a tracker forgotten by resume)', async () => {
  const file = join(at.dir, 'a.csv');
  const args = [...gallery, '--track', `csv:file=${file}`, '--out', 'run'];
  const stopped = await at.stopped((text) => /epoch 1\/3/.test(text), 'train', ...TINY, ...args);
  expect(stopped.code).toBe(130);
  expect(epochs('a.csv')).toEqual([1]);
  const resumed = await at.grok('resume', 'run', ...gallery);
  expect(resumed.code, resumed.err).toBe(0);
  expect(epochs('a.csv')).toEqual([1, 2, 3]);
});
test('none is nobody, also for a run that began with one (a table written all the same)', async () => {
  const file = join(at.dir, 'b.csv');
  const args = [...gallery, '--track', `csv:file=${file}`, '--out', 'silent'];
  await at.stopped((text) => /epoch 1\/3/.test(text), 'train', ...TINY, ...args);
  const resumed = await at.grok('resume', 'silent', ...gallery, '--track', 'none');
  expect(resumed.code, resumed.err).toBe(0);
  expect(epochs('b.csv')).toEqual([1]);
});
test('a tracker that nobody brings is bad input (a folder left behind)', async () => {
  for (const command of ['train', 'reproduce', 'study run'] as const) {
    const plan = command === 'study run' ? ['study-small'] : [];
    const { code, err } = await at.grok(
      ...[...command.split(' '), ...plan, ...gallery],
      ...['--track', 'cvs', '--out', 'none'],
    );
    expect(code).toBe(2);
    expect(err).toContain('unknown tracker "cvs"');
    expect(err).toContain('csv');
    expect(at.files()).not.toContain('none');
  }
  const { err } = await at.grok('train', ...gallery, '--track', 'csv:file');
  expect(err).toContain('--track: "file" is not key=value');
});

test('sync tells recorded runs to the trackers they had, or to those named now (a table without its lines)', async () => {
  const trained = await at.grok('train', ...TINY, '--out', 'later', '--quiet');
  expect(trained.code, trained.err).toBe(0);
  const file = join(at.dir, 'later.csv');
  const none = await at.grok('track', 'sync', 'later', ...gallery);
  expect([none.code, none.err]).toEqual([
    2,
    'grok: later: has no tracker; name one: --track mlflow\n',
  ]);
  const args = [...gallery, '--track', `csv:file=${file}`];
  const synced = await at.grok('track', 'sync', 'later', ...args, '--json');
  expect(synced.code, synced.err).toBe(0);
  expect(synced.json()).toEqual({
    runs: [{ out: 'later', trackers: ['csv'], failures: [] }],
    leftOut: [],
  });
  expect(epochs('later.csv')).toEqual([1, 2, 3]);
});
test('a tracker that cannot be told is a sync that failed, and the others are told (a 0 for half of it)', async () => {
  await at.grok('train', ...TINY, '--out', 'half', '--quiet');
  const file = join(at.dir, 'half.csv');
  const { code, err } = await at.grok(
    ...['track', 'sync', 'half', ...gallery, '--track', 'csv:file=/dev/null/x.csv,as=bad'],
    ...['--track', `csv:file=${file}`],
  );
  expect(code).toBe(1);
  expect(err).toContain('half: tracker "bad" failed and was removed from the run: ');
  expect(epochs('half.csv')).toEqual([1, 2, 3]);
});
