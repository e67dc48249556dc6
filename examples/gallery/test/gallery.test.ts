/** Each example as its author would test it: the conformance suites, and runs in code. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ComponentDefinition,
  createRegistry,
  memoryStore,
  type Plugin,
  type RunResult,
  startRun,
} from '@grok/core';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';
import {
  backendSuite,
  fakeModel,
  optimizerSuite,
  probeSuite,
  strategySuite,
  taskSuite,
  trackerSuite,
} from '@grok/testing';
import * as tf from '@grok/tfjs';
import { afterAll, expect, test } from 'vitest';
import entry from '../index.js';
import { teachAndLearn } from '../plain.js';

const plugin = entry as unknown as Plugin;
const registry = createRegistry([plugin, data, model, optim]);
const backend = () => registry.create('backend', 'counted', {}, { tf });
const [cka, twoTeachers, points, , gap, oneCycle, csv] = plugin.components as unknown as [
  ComponentDefinition<'strategy'>,
  ComponentDefinition<'strategy'>,
  ComponentDefinition<'task'>,
  ComponentDefinition<'backend'>,
  ComponentDefinition<'probe'>,
  ComponentDefinition<'optimizer'>,
  ComponentDefinition<'tracker'>,
];

strategySuite('cka', cka, { backend, refuses: [{ site: '' }] });
const teachers = { teacher: fakeModel(), second: fakeModel({ width: 12 }) };
strategySuite('two-teachers', twoTeachers, {
  backend,
  refuses: [{ temperature: 0 }, { teachers: ['one'] }],
  zeroWhenEqual: false,
  models: { 'two teachers': { student: fakeModel(), teachers } },
});
taskSuite('points', points, { options: { rows: 50 }, refuses: [{ rows: 2 }] });
backendSuite('counted', backend, { repeats: 0 });
probeSuite('gap', gap, { refuses: [{ every: 0 }] });
optimizerSuite('one-cycle', oneCycle, { backend, options: { steps: 60 }, refuses: [{ steps: 1 }] });
const folder = mkdtempSync(join(tmpdir(), 'grok-gallery-'));
afterAll(() => rmSync(folder, { recursive: true }));
const table = (where: string): string[][] =>
  readFileSync(join(where, 'epochs.csv'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
trackerSuite('csv', csv, {
  refuses: [{ file: '' }],
  where: (slug) => join(folder, slug),
  recorded: ({ where }) =>
    table(where)
      .slice(1)
      .map(([epoch]) => Number(epoch)),
});

const experiment = {
  task: { use: 'add', options: { p: 5 } },
  model: { use: 'transformer', options: { dim: 8, depth: 1 } },
  optimizer: { use: 'one-cycle', options: { steps: 30, weightDecay: 0 } },
  probes: [{ use: 'gap' }],
  batch: 12,
  epochs: 4,
  seed: 2,
};
const run = (change: object, host: object = {}): Promise<RunResult> =>
  startRun(
    { experiment: { ...experiment, ...change }, execution: { backend: 'counted' } },
    { registry, store: memoryStore(), ...host },
  );

test('one student learns from two teachers, by CKA and by their mean (catches: a teacher mixed up)', async () => {
  const stores = { teacher: memoryStore(), second: memoryStore() };
  const named: Record<string, object> = {};
  // Another initialization on the same split.
  for (const [i, name] of (['teacher', 'second'] as const).entries()) {
    const { manifest } = await run({ seed: 7 + i, splitSeed: 2 }, { store: stores[name] });
    named[name] = { run: manifest.run, paramsSha256: manifest.paramsSha256 };
  }
  const { history, manifest } = await run(
    { teachers: named, objective: [{ use: 'hard' }, { use: 'cka' }, { use: 'two-teachers' }] },
    { teacherStores: stores },
  );
  const [first, last] = [history[0], history.at(-1)];
  expect(Object.keys(first?.terms ?? {})).toEqual(['hard', 'cka', 'two-teachers']);
  expect(last?.train.loss).toBeLessThan(Number(first?.train.loss));
  expect(last?.probes).toMatchObject({ gap: { now: expect.any(Number), at: expect.any(Number) } });
  expect(manifest.device).toContain('cpu');
});
test('inputs may be numbers instead of tokens (catches: an embedding lookup of row 0.3)', async () => {
  const { history } = await run({ task: { use: 'points', options: { rows: 40 } } });
  expect(history.at(-1)?.train.loss).toBeLessThan(Number(history[0]?.train.loss));
});
test('plain JavaScript trains a teacher and its student', async () => {
  const heard: string[] = [];
  const history = await teachAndLearn((line: string) => heard.push(line));
  expect(heard.filter((line) => line.startsWith('student'))).toHaveLength(5);
  expect(history.at(-1)?.terms.logit).toBeLessThan(Number(history[0]?.terms.logit));
});
test('a tracker writes the metrics of a run to its folder (catches: columns out of order)', async () => {
  const where = join(folder, 'tracked');
  const { history } = await startRun(
    { experiment, execution: { backend: 'counted', trackers: [{ use: 'csv' }] } },
    { registry, store: memoryStore(where) },
  );
  const [names, ...lines] = table(where);
  expect(names?.[4]).toBe('validation loss');
  expect(lines.map((line) => Number(line[4]))).toEqual(history.map((row) => row.validation.loss));
});
