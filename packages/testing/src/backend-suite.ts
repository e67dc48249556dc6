/**
 * The conformance suite for backends: one call in a vitest file, and any backend that passes can
 * train. It checks values and gradients against float64, state carried between steps, memory, and
 * isolation from other backends in the process.
 */
import { type Backend, type HostArray, type Params, rng } from '@grok/core';
import { valueAndGrads } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { f32, i32, readAndFree } from './arrays.js';
import { type BackendCase, backendCases, drawInputs } from './backend-cases.js';
import { isolationSuite } from './backend-isolation.js';
import { programTests } from './backend-programs.js';
import { tensorTests } from './backend-tensors.js';
import { exactCases } from './exact-cases.js';
import './matchers.js';
import { finiteDifferences } from './reference.js';
import { load, runOnce } from './run-once.js';
import { registerTests, type Tests } from './tests-by-title.js';

/** Options of `backendSuite`. */
export interface BackendSuiteOptions {
  /** Additional operations to compare with float64. */
  readonly cases?: readonly BackendCase[];
  /** How many runs of the embedding's gradient must be bit-identical (default 20; 0 skips the test). */
  readonly repeats?: number;
}

/** Registers the conformance tests of a backend; `makeBackend` is called twice. */
export function backendSuite(
  name: string,
  makeBackend: () => Backend | Promise<Backend>,
  { cases = [], repeats = 20 }: BackendSuiteOptions = {},
): void {
  describe(`backend ${name}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => backend.dispose());

    describe('tensors', () => registerTests(tensorTests, () => backend));
    describe('programs', () => registerTests(programTests, () => backend));
    describe.each([...backendCases, ...cases])('$name', (entry) => {
      it('matches float64 in value and gradient', () => checkCase(backend, entry));
    });
    it.each(exactCases)('$name: exact', async ({ inputs, tensor, want }) => {
      const { y } = await runOnce(backend, 'exact', (x: Params) => ({ y: tensor(x) }), inputs);
      expect(
        y,
        'must give exactly this: integers, comparisons and copies are never rounded',
      ).toEqual(want);
    });
    describe('training', () => {
      it.skipIf(repeats === 0)(
        `adds an embedding’s gradient exactly, ${repeats} times alike (catches: threads that race for a row)`,
        () => checkEmbedding(backend, repeats),
        60_000 + 1_000 * repeats, // plain JavaScript takes longer than the runner's default 5 s
      );
      registerTests(gradientTests, () => backend);
    });
    isolationSuite(() => ({ backend, makeBackend }));
  });
}

async function checkCase(backend: Backend, entry: BackendCase): Promise<void> {
  const inputs = drawInputs(entry);
  const value = Float64Array.from(entry.reference(inputs));
  // A weighted sum of the results, so that errors do not cancel.
  const weights = rng(2).split(entry.name).normal(value.length);
  const host = Object.fromEntries(
    Object.entries(inputs).map(([key, { shape, data }]) => [key, f32(shape, data)]),
  );
  const got = await runOnce(
    backend,
    entry.name,
    ({ x, weights }: { x: Params; weights: tf.Tensor }) => {
      const { loss, aux, grads } = valueAndGrads((x) => {
        const flat = tf.reshape(entry.tensor(x), [-1]);
        return { loss: tf.sum(tf.mul(flat, weights)), aux: { value: flat } };
      }, x);
      return { loss, value: aux.value, grads };
    },
    { x: host, weights: f32([weights.length], weights) },
  );
  expect(got.value, 'value').toBeCloseToTensor(value, { absolute: 1e-5, relative: 1e-5 });
  for (const [key, { shape, data }] of Object.entries(host)) {
    const want = finiteDifferences((at) => {
      const out = entry.reference({ ...inputs, [key]: { shape, data: at } });
      return weights.reduce((sum, weight, i) => sum + weight * (out[i] ?? Number.NaN), 0);
    }, data);
    const close = { absolute: 5e-5, relative: 5e-5 };
    expect(got[`grads/${key}`], `gradient of ${key}`).toBeCloseToTensor(want, close);
  }
}

async function checkEmbedding(backend: Backend, repeats: number): Promise<void> {
  const [rows, classes, width] = [2048, 99, 32];
  const ids = Int32Array.from(rng(3).words(rows), (word) => word % classes);
  const dy = rng(4).normal(rows * width);
  const want = new Float64Array(classes * width);
  for (const [row, id] of ids.entries())
    for (let j = 0; j < width; j++) want[id * width + j]! += dy[row * width + j]!;
  const { program, inputs, unload } = await load(
    backend,
    'embedding',
    ({ table, ids, dy }: Record<'table' | 'ids' | 'dy', tf.Tensor>) => ({
      grad: tf.grad((table) => tf.sum(tf.mul(tf.gather(table, ids), dy)))(table),
    }),
    {
      table: f32([classes, width], new Float32Array(classes * width)),
      ids: i32([rows], ids),
      dy: f32([rows, width], dy),
    },
  );
  const seen = new Set<string>();
  for (let i = 0; i < repeats; i++) {
    const { grad } = await readAndFree(backend, await program.run(inputs));
    expect(grad, 'rows that share a class must all be added to its gradient').toBeCloseToTensor(
      want,
      { absolute: 1e-4 },
    );
    if (backend.capabilities.bitExact) seen.add(readBits(grad));
  }
  expect(
    seen.size,
    'a backend that says bitExact must give the same bits at every run',
  ).toBeLessThanOrEqual(1);
  unload();
}

const readBits = (array: HostArray | undefined): string =>
  array === undefined ? '' : String(new Uint32Array(array.data.slice().buffer));

const gradientTests: Tests<Backend> = {
  'gives zero gradients for unused parameters (catches: unused parameters that throw)': async (
    backend,
  ) => {
    const out = await runOnce(
      backend,
      'unused',
      (params: { used: tf.Tensor; unused: tf.Tensor }) =>
        valueAndGrads(({ used = params.used }) => ({ loss: tf.sum(used), aux: {} }), params).grads,
      { used: f32([2], [1, 2]), unused: f32([3], [1, 2, 3]) },
    );
    expect(out.used, 'a parameter that the loss reaches must have its gradient').toBeCloseToTensor([
      1, 1,
    ]);
    expect(
      out.unused,
      'a parameter that the loss does not reach must have a gradient of zeros',
    ).toEqual(f32([3], [0, 0, 0]));
  },

  'differentiates twice (catches: gradients that are not on the tape)': async (backend) => {
    const out = await runOnce(
      backend,
      'twice',
      ({ x }: { x: tf.Tensor }) => ({
        y: tf.grad((x) => tf.sum(tf.grad((x) => tf.sum(tf.pow(x, 3)))(x)))(x),
      }),
      { x: f32([2], [1, 2]) },
    );
    expect(
      out.y,
      'the second derivative of x³ must be 6x: gradients must be on the tape',
    ).toBeCloseToTensor([6, 12], { absolute: 1e-4 });
  },
};
