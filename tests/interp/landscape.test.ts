/** Landscapes whose lines, valleys, barriers and curvature are known. */
import wasm from '@grok/backend-wasm';
import {
  type Backend,
  createRegistry,
  type HostArray,
  type HostParams,
  type Model,
  openBackend,
  rng,
} from '@grok/core';
import {
  compareBarriers,
  connectByBezier,
  connectLinearly,
  createLossSurface,
  filterNormalizedDirection,
  hessianEigenvalues,
  hessianTrace,
  hessianVectorProduct,
  type LabeledBatch,
  lossAlongDirection,
  lossOnLine,
  lossOnPlane,
  lossOnTrajectory,
  type MetricFunction,
} from '@grok/interp';
import { transformer } from '@grok/model';
import { adamw } from '@grok/optim';
import * as tf from '@grok/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let backend: Backend;
beforeAll(async () => {
  backend = await openBackend(createRegistry([wasm]), { backend: 'wasm' });
}, 60_000);
afterAll(() => backend.dispose());

const array = (shape: readonly number[], values: ArrayLike<number>): HostArray => ({
  data: Float32Array.from(values),
  ...{ shape, dtype: 'float32' },
});
const entries = (params: HostParams, name: string): number[] =>
  Array.from(params[name]?.data ?? []);

/** A model of features `[batch, d]` without blocks. */
function plainModel(
  classes: number,
  logits: (get: (name: string) => tf.Tensor, inputs: tf.Tensor) => tf.Tensor,
): Model {
  return {
    shape: { layers: 0, width: classes, heads: 0 },
    keepProbability: 1,
    init: () => ({}),
    sites: () => [{ name: 'logits', shape: [classes], axes: ['d_vocab'] }],
    dropoutMaskShapes: () => ({}),
    apply: (get, inputs) => ({ logits: logits(get, inputs) }),
  };
}

/** Logits x · W; row i is `sizes[i]` times the i-th unit vector, so that XᵀX is diagonal. */
const SIZES = [3, 2, 1.5, 1];
const CLASSES = 3;
const linear = plainModel(CLASSES, (get, x) => tf.matMul(x, get('W')));
const rows: LabeledBatch = {
  inputs: array(
    [4, 4],
    SIZES.flatMap((size, i) => SIZES.map((_, j) => (i === j ? size : 0))),
  ),
  labels: Int32Array.of(0, 1, 2, 0),
};
const weights = (values: (i: number) => number): HostParams => ({
  W: array(
    [4, CLASSES],
    Array.from({ length: 4 * CLASSES }, (_, i) => values(i)),
  ),
});
/** ½ Σ over classes of c · logit². */
const COSTS = [1, 0.7, 0.4];
const quadratic: MetricFunction = (logits) =>
  tf.sum(tf.mul(tf.square(logits), tf.mul(tf.tensor2d(COSTS, [1, CLASSES]), 0.5)), -1);

describe('curvature', () => {
  test('has the spectrum of a linear model', async () => {
    // Catches: sums in place of means, a tridiagonal matrix off by one, a start that misses directions.
    const surface = createLossSurface({ backend, model: linear, batch: rows, loss: quadratic });
    const at = weights((i) => Math.sin(i + 1));
    const known = SIZES.flatMap((size) => COSTS.map((cost) => (cost * size ** 2) / 4)).sort(
      (a, b) => b - a,
    );
    const { largest, smallest, residuals } = await hessianEigenvalues(surface, at, { count: 4 });
    for (const [i, value] of largest.entries())
      expect(value / (known[i] ?? Number.NaN)).toBeCloseTo(1, 3);
    expect(smallest).toBeCloseTo(known.at(-1) ?? Number.NaN, 3);
    expect(Math.max(...residuals)).toBeLessThan(1e-2);
    const { trace, standardError } = await hessianTrace(surface, at, { draws: 10 });
    // A diagonal Hessian: random signs give its trace in every draw.
    expect(trace / known.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 3);
    expect(standardError).toBeLessThan(1e-2);
    surface.dispose();
  });

  test('has that of softmax regression', async () => {
    // Catches: second derivatives of tfjs's own log-softmax.
    const surface = createLossSurface({ backend, model: linear, batch: rows });
    const zero = weights(() => 0);
    const product = await hessianVectorProduct(
      surface,
      zero,
      weights((i) => (i === 0 ? 1 : 0)),
    );
    // XᵀX/n ⊗ (I/K − 11ᵀ/K²).
    const [own, other] = [(9 / 4) * (1 / 3 - 1 / 9), (9 / 4) * (-1 / 9)];
    const expected = [own, other, other, ...new Array<number>(9).fill(0)];
    for (const [i, value] of entries(product, 'W').entries())
      expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 4);
    const { trace } = await hessianTrace(surface, zero, { draws: 200 });
    const sizes = SIZES.reduce((sum, size) => sum + size ** 2, 0);
    expect(trace / ((sizes / 4) * (2 / 3))).toBeCloseTo(1, 0);
    const { largest } = await hessianEigenvalues(surface, zero, { count: 1 });
    expect(largest[0]).toBeCloseTo(9 / 4 / 3, 3);
    surface.dispose();
  });

  test('of tfjs alone would be wrong', () => {
    // Fails when tfjs connects what it saves to the tape: then differences of gradients are not needed.
    const second = tf.tidy(() => {
      const first = (x: tf.Tensor) => tf.sum(tf.mul(x, tf.tensor1d([1, 0])));
      const value = (x: tf.Tensor) => first(tf.logSoftmax(tf.square(x)));
      const slope = (x: tf.Tensor) => first(tf.grad(value)(x));
      return tf
        .grad(slope)(tf.tensor1d([1, 1]))
        .dataSync()[0];
    });
    // 2(1 − p) − 4p(1 − p) at p = ½ is 0; tfjs leaves the second summand out.
    expect(second).toBeCloseTo(1, 3);
  });
});

/** Logit u · v of one row, and a loss of (logit − 1)²: its valleys are the two branches of u · v = 1. */
const hyperbola = plainModel(1, (get, x) => tf.mul(x, tf.mul(get('u'), get('v'))));
const one: LabeledBatch = { inputs: array([1, 1], [1]), labels: Int32Array.of(0) };
const toOne: MetricFunction = (logits) => tf.sum(tf.square(tf.sub(logits, 1)), -1);
const point = (u: number, v: number): HostParams => ({ u: array([1], [u]), v: array([1], [v]) });
const openHyperbola = () =>
  createLossSurface({ backend, model: hyperbola, batch: one, loss: toOne });

describe('lines, planes and paths', () => {
  test('have the loss of a known function', async () => {
    // Catches: ends exchanged, x and y of a grid exchanged.
    const surface = openHyperbola();
    const line = await lossOnLine(surface, point(0, 0), point(2, 1), { points: 3 });
    expect(line).toMatchObject({ t: [0, 0.5, 1], loss: [1, 0.25, 1], accuracy: [1, 1, 1] });
    const along = await lossAlongDirection(surface, point(1, 1), point(1, 0), { points: 3 });
    expect(along.loss).toEqual([1, 0, 1]);
    const axes = [point(1, 0), point(0, 1)] as const;
    const grid = await lossOnPlane(surface, point(0, 0), axes, {
      ...{ range: [0, 3], rangeY: [0, 1], points: 2 },
    });
    expect(grid).toMatchObject({ x: [0, 3], y: [0, 1], shape: [2, 2], loss: [1, 1, 1, 4] });
    surface.dispose();
  });

  test('a direction has the length of each filter', () => {
    // Catches: one norm for all of a weight, columns of an embedding, norms that move.
    const model = transformer({ dim: 8, depth: 1, dMlp: 6 })({
      ...{ vocabulary: 5, inputs: { shape: [1, 3], dtype: 'int32' } },
    });
    const params = model.init(rng(1));
    const direction = filterNormalizedDirection(model, params, 7);
    const lengths = (of: HostParams, name: string, byRow: boolean): number[] => {
      const [, columns = 1] = of[name]?.shape ?? [];
      const sums: number[] = [];
      for (const [i, value] of entries(of, name).entries()) {
        const filter = byRow ? Math.floor(i / columns) : i % columns;
        sums[filter] = (sums[filter] ?? 0) + value ** 2;
      }
      return sums.map(Math.sqrt);
    };
    for (const [name, byRow] of [
      ['embed.W_E', true],
      ['blocks.0.mlp.W_in', false],
    ] as const) {
      const wanted = lengths(params, name, byRow);
      for (const [i, length] of lengths(direction, name, byRow).entries())
        expect(length).toBeCloseTo(wanted[i] ?? Number.NaN, 5);
      expect(direction[name]).not.toEqual(params[name]);
    }
    expect(new Set(entries(direction, 'ln_final.w'))).toEqual(new Set([0]));
    expect(filterNormalizedDirection(model, params, 7)).toEqual(direction);
    expect(filterNormalizedDirection(model, params, 8)).not.toEqual(direction);
  });

  test('a trajectory lies in its plane at its own distances', async () => {
    // Catches: components that are not of unit length, a center that is not the last state.
    const surface = openHyperbola();
    const states = [point(3, 0), point(2, 1.5), point(1.5, 1), point(1, 1)];
    const plane = await lossOnTrajectory(surface, states, { points: 5 });
    expect(plane.explained[0] + plane.explained[1]).toBeCloseTo(1, 6);
    expect(plane.explained[0]).toBeGreaterThan(plane.explained[1]);
    expect(plane.path.at(-1)).toEqual([0, 0]);
    expect(Math.hypot(...(plane.path[0] ?? []))).toBeCloseTo(Math.sqrt(5), 5);
    expect(plane.shape).toEqual([5, 5]);
    await expect(lossOnTrajectory(surface, states.slice(2))).rejects.toThrow('3 states or more');
    const straight = [point(3, 1), point(2, 1), point(1, 1)];
    await expect(lossOnTrajectory(surface, straight)).rejects.toThrow('one line');
    surface.dispose();
  });

  test('a curve goes around a barrier where there is a way, and has one where there is none', async () => {
    // Catches: barriers above the wrong chord, a bend that is not trained, gradients without the curve's factor.
    const surface = openHyperbola();
    const [near, far, other] = [point(4, 0.25), point(0.25, 4), point(-4, -0.25)];
    const straight = await connectLinearly(surface, near, far);
    // u · v in the middle of the line is (2.125)².
    expect(straight.barrier).toMatchObject({ at: 0.5, accuracy: 0 });
    expect(straight.barrier.loss).toBeCloseTo((2.125 ** 2 - 1) ** 2, 4);
    expect(straight.distance).toBeCloseTo(Math.hypot(3.75, 3.75), 5);
    const optimizer = adamw({ learningRate: 0.02, weightDecay: 0 });
    const bent = await connectByBezier(surface, near, far, { optimizer, steps: 400 });
    expect(bent.barrier.loss).toBeLessThan(0.1);
    expect(bent.loss[0]).toBeCloseTo(0, 6);
    const none = await connectByBezier(surface, near, other, { optimizer, steps: 200 });
    // Between the branches u · v is 0 somewhere.
    expect(none.barrier.loss).toBeGreaterThan(0.9);
    surface.dispose();
  });

  test('says what does not fit', async () => {
    const surface = openHyperbola();
    const wide = { u: array([2], [1, 1]), v: array([1], [1]) };
    await expect(lossOnLine(surface, point(1, 1), wide)).rejects.toThrow(
      'got "u" [1] and [2]; choose models of one architecture and size',
    );
    await expect(lossOnLine(surface, point(1, 1), point(2, 2), { points: 1 })).rejects.toThrow(
      'points must be an integer ≥ 2, got 1',
    );
    await expect(surface.evaluate(point(1e30, 1e30))).rejects.toThrow('must be finite');
    await expect(hessianEigenvalues(surface, point(1, 1), { steps: 2 })).rejects.toThrow(
      'steps at least as many',
    );
    await expect(hessianVectorProduct(surface, point(1, 1), point(0, 0))).rejects.toThrow(
      'must not be 0',
    );
    await expect(
      compareBarriers(surface, [{ name: 'a', arm: 'none', seed: 0, params: point(1, 1) }]),
    ).rejects.toThrow('differ in seed or arm alone');
    surface.dispose();
  });
});
