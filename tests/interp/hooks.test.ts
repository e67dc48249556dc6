/** Opening runs for interpretation, hooks on any model, and errors for bad input. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import onnx from '@grok/backend-onnx';
import wasm from '@grok/backend-wasm';
import {
  type Backend,
  createRegistry,
  type HostArray,
  type Model,
  openBackend,
  rng,
  startRun,
} from '@grok/core';
import { computeSites } from '@grok/core/internal';
import { fileStore } from '@grok/core/node';
import data, { modularTask } from '@grok/data';
import {
  drawPairs,
  getActName,
  type Hook,
  hookModel,
  logitLens,
  makeBatch,
  type OpenedRun,
  pairRows,
} from '@grok/interp';
import { openRun } from '@grok/interp/node';
import model, { transformer } from '@grok/model';
import optim from '@grok/optim';
import * as tf from '@grok/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { distance } from './fixtures.js';

const registry = createRegistry([data, model, optim, onnx, wasm]);
const folder = mkdtempSync(join(tmpdir(), 'grok-interp-'));
let run: OpenedRun;
let backend: Backend;

beforeAll(async () => {
  const spec = {
    experiment: {
      task: { use: 'div', options: { p: 11 } },
      model: { use: 'transformer', options: { dim: 16, depth: 2, heads: 2, dMlp: 24 } },
      optimizer: { use: 'adamw', options: { learningRate: 3e-3 } },
      ...{ batch: 32, epochs: 6, seed: 3 },
    },
    execution: { backend: 'onnx', threads: 1, checkpointEvery: 3 },
  };
  await startRun(spec, { registry, store: fileStore(folder) });
  run = await openRun(folder, { registry });
  backend = await openBackend(registry, { backend: 'wasm' });
}, 60_000);
afterAll(async () => {
  await run.close();
  await backend.dispose();
  rmSync(folder, { recursive: true });
});

describe('openRun', () => {
  test('opens the last step, any step between checkpoints, and accuracies', async () => {
    // Catches: a step rounded to its checkpoint; the last step's parameters for every step.
    expect(run.step).toBe(12);
    const first = await openRun(folder, { registry, at: 6 });
    const between = await openRun(folder, { registry, at: 5 });
    const start = await openRun(folder, { registry, at: { validationAccuracy: 0 } });
    const embed = (opened: OpenedRun): ArrayLike<number> =>
      opened.model.params['embed.W_E']?.data ?? [];
    expect(distance(embed(first), embed(between))).toBeGreaterThan(1e-4);
    expect([first.step, between.step, start.step]).toEqual([6, 5, 2]);
    for (const opened of [first, between, start]) await opened.close();
  });

  test('names the available steps and accuracies', async () => {
    await expect(openRun(folder, { registry, at: 99 })).rejects.toThrow(
      'step 99 is not a step of the run; give one from 0 to 12',
    );
    await expect(openRun(folder, { registry, at: 'crossing' })).rejects.toThrow(
      /never reached a validation accuracy of 0.99, its best is/,
    );
    await expect(openRun(join(folder, 'nowhere'), { registry })).rejects.toThrow('nowhere');
  });
});

describe('hooks', () => {
  test('accept rows outside the task, with the values of the model with its shortcuts', async () => {
    // Catches: tables or prefixes that only cover the task's rows; shortcuts that change a value.
    const foreign: HostArray = {
      data: Int32Array.of(11, 0, 12, 3, 4, 4, 4, 4),
      shape: [2, 4],
      dtype: 'int32',
    };
    const { logits } = await run.model.runWithCache(foreign, []);
    const options = { dim: 16, depth: 2, heads: 2, dMlp: 24 };
    const { params } = run.model;
    const ofTask = transformer(options)(run.task);
    const hooked = hookModel({ backend, model: ofTask, params });
    expect(
      distance((await hooked.runWithCache(foreign, [])).logits.data, logits.data),
    ).toBeLessThan(1e-4);
    hooked.dispose();
    const { inputs } = run.task;
    const sites = ['logits', 'blocks.0.hook_resid_post', 'blocks.1.hook_resid_post'];
    const { cache } = await run.model.runWithCache(inputs, sites);
    const quick = await computeSites(backend, { model: ofTask, params }, sites, inputs);
    for (const [site, { data }] of Object.entries(quick))
      expect(distance(cache[site]?.data ?? [], data)).toBeLessThan(1e-4);
  });

  test('compile once for all positions, heads and strengths of a site', async () => {
    // Catches: coefficients that are constants in the graph.
    const another = hookModel({ backend, model: run.model.model, params: run.model.params });
    const batch = makeBatch(run.task, run.split.validation);
    const z = getActName('z', 0);
    const measured = [];
    for (const head of [0, 1])
      for (const position of [0, 3])
        measured.push(
          await another.measure(batch, 'loss', [{ site: z, head, position, ablate: 'zero' }]),
          await another.measure(batch, 'loss', [{ site: z, head, position, scale: 2 }]),
        );
    expect(new Set(measured).size).toBe(8);
    expect(another.compiled).toBe(1);
    await another.measure(batch, 'accuracy', [{ site: z, ablate: 'zero' }]);
    expect(another.compiled).toBe(2);
    another.dispose();
    expect(another.compiled).toBe(0);
  });

  test('give logits and metric of a depth in one pass', async () => {
    // Catches: a logit lens that runs each depth twice.
    const another = hookModel({ backend, model: run.model.model, params: run.model.params });
    const batch = makeBatch(run.task, run.split.validation);
    const lens = await logitLens(another, batch, 'loss');
    // The states, and every depth.
    expect(another.compiled).toBe(2);
    expect(lens.at(-1)?.value).toBeCloseTo(await another.measure(batch, 'loss'), 5);
    another.dispose();
  });

  test('read after their changes, apply in order, and run functions', async () => {
    // Catches: values read before their hooks, a later hook undone by an earlier one, a mask that a function ignores.
    const { inputs } = makeBatch(run.task, [0, 1, 2]);
    const site = getActName('mlp_out', 1);
    const read = async (
      ...hooks: Parameters<typeof run.model.runWithHooks>[1]
    ): Promise<number[]> => {
      const { cache } = await run.model.runWithHooks(inputs, hooks, [site]);
      return [...(cache[site]?.data ?? [])];
    };
    const plain = await read();
    const doubled = await read({ site, scale: 2 }, { site, add: 1 });
    expect(
      distance(
        doubled,
        plain.map((x) => 2 * x + 1),
      ),
    ).toBeLessThan(1e-5);
    const reversed = await read({ site, add: 1 }, { site, scale: 2 });
    expect(
      distance(
        reversed,
        plain.map((x) => 2 * (x + 1)),
      ),
    ).toBeLessThan(1e-5);
    const squared = await read({ site, position: 1, apply: (x) => tf.square(x) });
    expect(
      distance(
        squared,
        plain.map((x, i) => (Math.floor(i / 16) % 4 === 1 ? x * x : x)),
      ),
    ).toBeLessThan(1e-5);
  });

  test('ablate with the mean of other rows, and with other rows by a seed', async () => {
    // Catches: means over positions; a permutation that is the same for every seed.
    const { inputs } = makeBatch(run.task, run.split.validation);
    const over = makeBatch(run.task, run.split.train).inputs;
    const site = getActName('resid_mid', 0);
    const readValues = async (hook: {
      ablate: 'mean' | 'resample';
      over?: HostArray;
      seed?: number;
    }): Promise<Float32Array> => {
      const { cache } = await run.model.runWithHooks(inputs, [{ site, ...hook }], [site]);
      return Float32Array.from(cache[site]?.data ?? []);
    };
    const { cache } = await run.model.runWithCache(over, [site]);
    const values = cache[site]?.data ?? new Float32Array();
    const rows = values.length / 64;
    const mean = Array.from({ length: 64 }, (_, i) =>
      Array.from({ length: rows }, (_, row) => values[row * 64 + i] ?? 0).reduce(
        (sum, x) => sum + x / rows,
        0,
      ),
    );
    expect(
      distance((await readValues({ ablate: 'mean', over })).subarray(64, 128), mean),
    ).toBeLessThan(1e-5);
    const one = await readValues({ ablate: 'resample', over, seed: 1 });
    expect(one).not.toEqual(await readValues({ ablate: 'resample', over, seed: 2 }));
    const whole = Array.from({ length: rows }, (_, row) =>
      values.subarray(row * 64, row * 64 + 64).join(),
    );
    expect(whole).toContain(one.subarray(0, 64).join());
  });

  test('work on a third-party model', async () => {
    // Catches: names, parameters or shapes that only this project's transformer has.
    const bag: Model = {
      shape: { layers: 1, width: 5, heads: 1 },
      keepProbability: 1,
      init: (from) => ({
        table: { data: from.split('table').normal(60), shape: [12, 5], dtype: 'float32' },
      }),
      sites: () => [
        { name: 'sum', shape: [5], axes: ['d_model'] },
        { name: 'logits', shape: [5], axes: ['d_vocab'] },
      ],
      dropoutMaskShapes: () => ({}),
      apply(params, inputs, { sites, taps = {} }) {
        const through = (site: string, value: tf.Tensor): tf.Tensor => taps[site]?.(value) ?? value;
        const sum = through('sum', tf.sum(tf.gather(params('table'), tf.cast(inputs, 'int32')), 1));
        const found = { sum, logits: through('logits', tf.mul(sum, 3)) };
        return Object.fromEntries(Object.entries(found).filter(([site]) => sites.has(site)));
      },
    };
    const hooked = hookModel({ backend, model: bag, params: bag.init(rng(0)) });
    const inputs: HostArray = { data: Int32Array.of(1, 2, 3, 4), shape: [2, 2], dtype: 'int32' };
    const { logits, cache } = await hooked.runWithHooks(inputs, [{ site: 'sum', add: 1 }], ['sum']);
    expect(
      distance(
        logits.data,
        Array.from(cache.sum?.data ?? [], (x) => 3 * x),
      ),
    ).toBeLessThan(1e-5);
    const slopes = await hooked.gradients(
      { inputs, labels: Int32Array.of(0, 4) },
      'logitDifference',
      ['sum'],
    );
    expect(
      distance(
        slopes.sum?.data ?? [],
        [3, -0.75, -0.75, -0.75, -0.75, -0.75, -0.75, -0.75, -0.75, 3],
      ),
    ).toBeLessThan(1e-5);
    hooked.dispose();
  });
});

describe('bad input', () => {
  const { inputs } = makeBatch(modularTask('div', 11), [0, 1]);
  const batch = { inputs, labels: Int32Array.of(0, 1) };
  const attempt = (hook: Hook): Promise<unknown> => run.model.runWithHooks(inputs, [hook]);

  test.each<[string, Hook, string]>([
    [
      'a site',
      { site: 'blocks.0.attn.hook_zz', scale: 0 },
      'unknown site "blocks.0.attn.hook_zz": did you mean "blocks.0.attn.hook_z"?',
    ],
    [
      'a head',
      { site: 'blocks.0.attn.hook_z', head: 5, scale: 0 },
      'head must be an integer from 0 to 1 (or −2 to −1), got 5; the nearest is 1',
    ],
    [
      'a neuron',
      { site: 'blocks.1.mlp.hook_post', neuron: 24, scale: 0 },
      'neuron must be an integer from 0 to 23 (or −24 to −1), got 24; the nearest is 23',
    ],
    [
      'an axis',
      { site: 'blocks.0.hook_resid_pre', head: 0, scale: 0 },
      'has no head; its axes are pos, d_model',
    ],
    [
      'a value',
      {
        site: 'blocks.0.hook_resid_pre',
        replace: { data: new Float32Array(3), shape: [1, 3], dtype: 'float32' },
      },
      'a value must be [2,4,16] or [1,4,16], got [1,3]',
    ],
    [
      'a shape',
      { site: 'blocks.0.hook_resid_pre', apply: (x: tf.Tensor) => tf.sum(x, -1) },
      'must return the shape of its input, [2,4,16], got [2,4]',
    ],
  ])('that is unknown: %s', async (_, hook, message) => {
    await expect(attempt(hook)).rejects.toThrow(message);
  });

  test('with mismatched tokens, labels, metrics and pairs', async () => {
    const many: HostArray = { data: Int32Array.of(1, 2, 3, 99), shape: [1, 4], dtype: 'int32' };
    await expect(run.model.runWithCache(many)).rejects.toThrow(
      "tokens must be from 0 to 12, the model's vocabulary, got 99 in row 0",
    );
    await expect(run.model.measure({ ...batch, labels: Int32Array.of(1) }, 'loss')).rejects.toThrow(
      'must have one "labels" per row, got 1 for 2 rows',
    );
    await expect(run.model.measure(batch, JSON.parse('"acuracy"'))).rejects.toThrow(
      'did you mean "accuracy"?',
    );
    const broken = (logits: tf.Tensor): tf.Tensor => tf.div(tf.zerosLike(tf.sum(logits, -1)), 0);
    await expect(run.model.measure(batch, broken)).rejects.toThrow(
      'metric "broken": is NaN in row 0',
    );
    expect(() => pairRows(run.task, [1], [])).toThrow('equal numbers of clean and corrupted rows');
    const { pairs: _, ...without } = run.task;
    expect(() => drawPairs(without, 0, 4)).toThrow('this task has none');
  });
});
