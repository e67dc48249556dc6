/** The plugin as its author would test it: the conformance suite, values by hand, a run in code. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import wasm from '@grok/backend-wasm';
import {
  type ComponentDefinition,
  createRegistry,
  memoryStore,
  type Plugin,
  readManifest,
  startRun,
} from '@grok/core';
import { compose } from '@grok/core/internal';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';
import { fakeModel, strategySuite } from '@grok/testing';
import * as tf from '@grok/tfjs';
import { afterAll, expect, test } from 'vitest';
import entry from '../index.js';

const plugin = entry as unknown as Plugin;
const registry = createRegistry([plugin, data, model, optim, wasm]);
const backend = () => registry.create('backend', 'wasm', {}, { tf });
const cosine = plugin.components[0] as ComponentDefinition<'strategy'>;
const pattern = 'blocks.0.attn.hook_pattern';

strategySuite('cosine', cosine, { backend, refuses: [{ site: 'logits' }, { layers: { 0: 0.5 } }] });
strategySuite('cosine of patterns', cosine, { backend, options: { site: 'pattern' } });
const deep = { student: fakeModel({ layers: 1 }), teachers: { teacher: fakeModel() } };
strategySuite('cosine across depths', cosine, {
  backend,
  options: { layers: { 1: 0 } },
  zeroWhenEqual: false,
  models: { 'a shallower student': deep },
});

const bind = (options: object, models: Parameters<typeof compose>[1]) =>
  compose([{ name: 'cosine', weight: 1, objective: cosine.create(options, { tf }) }], models);

test('patterns at 60° have a loss of one half, whatever their length (catches: a missing norm)', async () => {
  const own = await backend();
  const one = fakeModel({ layers: 1, heads: 1, length: 1 });
  const few = fakeModel({ layers: 1, heads: 2, length: 1 });
  const program = await own.compile(
    'angle',
    ({ a, b }: { a: tf.Tensor; b: tf.Tensor }) => {
      const { total } = bind(
        { site: 'pattern' },
        { student: one, teachers: { teacher: few } },
      ).loss({
        student: { [pattern]: a },
        teachers: { teacher: { [pattern]: b } },
        params: {},
        teacherParams: {},
        random: {},
        inputs: tf.tensor2d([[0]], [1, 1], 'int32'),
        labels: tf.tensor1d([0], 'int32'),
        step: tf.scalar(0, 'int32'),
      });
      return { total };
    },
    { a: { shape: [1, 1, 1, 2], dtype: 'float32' }, b: { shape: [1, 2, 1, 2], dtype: 'float32' } },
  );
  const a = own.upload(Float32Array.from([3, 0]), [1, 1, 1, 2], 'float32');
  // Two heads, [2, √3] and [0, √3]: their mean [1, √3] is at 60° to [3, 0].
  const heads = Float32Array.from([2, Math.sqrt(3), 0, Math.sqrt(3)]);
  const b = own.upload(heads, [1, 2, 1, 2], 'float32');
  const { total } = await program.run({ a, b });
  expect((await own.read(total))[0]).toBeCloseTo(0.5, 6);
  for (const tensor of [a, b, total]) own.free(tensor);
  program.dispose();
});

test('blocks of unequal depth need a map, which is teacher → student', () => {
  expect(() => bind({}, deep)).toThrow('cosine: 2 blocks meet 1; give "layers"');
  expect(bind({ layers: { 1: 0 } }, deep).needs).toEqual({
    student: ['blocks.0.hook_resid_post'],
    teachers: { teacher: ['blocks.1.hook_resid_post'] },
  });
});

const experiment = {
  task: { use: 'add', options: { p: 7 } },
  model: { use: 'transformer', options: { dim: 16, depth: 2, heads: 2 } },
  optimizer: { use: 'adamw', options: { learningRate: 0.01, weightDecay: 0 } },
  batch: 24,
  epochs: 8,
  seed: 3,
};
const execution = { backend: 'wasm' };

test('trains a student in code, together with core’s hard loss', async () => {
  const teacherStore = memoryStore();
  await startRun({ experiment, execution }, { registry, store: teacherStore });
  const { run, paramsSha256 = '' } = (await readManifest(teacherStore)) ?? { run: 'none' };
  const student = {
    ...experiment,
    model: { use: 'transformer', options: { dim: 8, depth: 2, heads: 2 } },
    teachers: { teacher: { run, paramsSha256 } },
    objective: [
      { use: 'hard' },
      { use: 'cosine' },
      { use: 'cosine', as: 'eyes', options: { site: 'pattern' } },
    ],
  };
  const { history } = await startRun(
    { experiment: student, execution },
    { registry, store: memoryStore(), teacherStores: { teacher: teacherStore } },
  );
  const [first = {}, last = {}] = [history[0]?.terms, history.at(-1)?.terms];
  expect(Object.keys(first)).toEqual(['hard', 'cosine', 'eyes']);
  expect(last.cosine).toBeLessThan(0.8 * Number(first.cosine));
  expect(last.eyes).toBeLessThan(Number(first.eyes));
});

const elsewhere = mkdtempSync(join(tmpdir(), 'grok-cosine-'));
afterAll(() => rmSync(elsewhere, { recursive: true }));

test('works from a copy anywhere (catches: an import of ours, which would not resolve)', async () => {
  for (const file of ['index.js', 'package.json'])
    cpSync(fileURLToPath(new URL(`../${file}`, import.meta.url)), join(elsewhere, file));
  const href = pathToFileURL(join(elsewhere, 'index.js')).href;
  const copy = (await import(/* @vite-ignore */ href)) as { default: Plugin };
  const created = createRegistry([copy.default]).create('strategy', 'cosine', {}, { tf });
  const sizes = deep.teachers.teacher;
  const models = { student: sizes, teachers: { teacher: sizes } };
  expect(created(models).needs.student).toEqual(bind({}, models).needs.student);
});
