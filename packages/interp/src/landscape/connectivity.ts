/**
 * Whether two solutions are connected: the loss on the straight line between them (Frankle et al. 2020), and
 * on a quadratic Bézier curve trained to be low (Garipov et al. 2018, section 3).
 */
import { type HostParams, type Optimizer, type OptimizerState, type Params, rng } from '@grok/core';
import {
  freeTree,
  initializeState,
  readTree,
  takeRows,
  uploadTree,
  valueAndGrads,
} from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { combineParams, norm } from './points.js';
import { type LossCurve, lossOnLine, type RangeOptions, readCurve, spaceEvenly } from './slices.js';
import { type LossSurface, sumLoss } from './surface.js';

/** How far a path rises above the straight line between the values at its ends. */
export interface Barrier {
  /** Nats, ≥ 0. */
  readonly loss: number;
  /** Share of the rows (0–1) that are lost. */
  readonly accuracy: number;
  /** Where the loss rises most. */
  readonly at: number;
}
/** A path between two solutions, from t = 0 to 1. */
export interface ConnectingPath extends LossCurve {
  readonly barrier: Barrier;
  /** Between the ends, over all parameters. */
  readonly distance: number;
}

/** The barrier of a curve (Entezari et al. 2022, equation 1; here of each point against its own place on the chord). */
function measureBarrier({ t, loss, accuracy }: LossCurve): Barrier {
  const rise = (values: readonly number[]): number[] => {
    const [first, last] = [values[0] ?? 0, values.at(-1) ?? 0];
    return values.map((value, i) => value - first - (last - first) * (t[i] ?? 0));
  };
  const rises = rise(loss);
  const highest = Math.max(...rises);
  return {
    loss: highest,
    accuracy: Math.max(...rise(accuracy.map((x) => 1 - x))),
    at: t[rises.indexOf(highest)] ?? 0,
  };
}

/** The straight line between two solutions, by default at 25 points. @throws InputError when shapes differ. */
export async function connectLinearly(
  surface: LossSurface,
  a: HostParams,
  b: HostParams,
  { points = 25 }: Pick<RangeOptions, 'points'> = {},
): Promise<ConnectingPath> {
  const curve = await lossOnLine(surface, a, b, { points });
  const distance = norm(combineParams([1, a], [-1, b]));
  return { ...curve, barrier: measureBarrier(curve), distance };
}

/** How to train a Bézier curve. */
export interface BezierOptions extends Pick<RangeOptions, 'points'> {
  /** Such as `adamw({ learningRate: 0.003, weightDecay: 0 })` of `@grok/optim`. */
  readonly optimizer: Optimizer;
  /** Default 300. */
  readonly steps?: number;
  /** Rows a step (default 512, at most all). */
  readonly batch?: number;
  readonly seed?: number;
}
/** A trained curve `(1 − t)² · a + 2t(1 − t) · bend + t² · b`. */
export interface BezierPath extends ConnectingPath {
  readonly bend: HostParams;
}

/** A type, not an interface: optimizers' states are trees, which interfaces are not. */
type StepInputs = {
  readonly bend: Params;
  readonly state: OptimizerState;
  readonly a: Params;
  readonly b: Params;
  readonly t: tf.Scalar;
  readonly inputs: tf.Tensor;
  readonly labels: tf.Tensor1D;
};
type StepOutputs = Pick<StepInputs, 'bend' | 'state'>;

/**
 * Trains the curve's bend, from the middle of the line on, to a low mean loss over uniform t, one t and one
 * batch of rows a step; gives the loss along it. @throws InputError when shapes differ.
 */
export async function connectByBezier(
  surface: LossSurface,
  a: HostParams,
  b: HostParams,
  options: BezierOptions,
): Promise<BezierPath> {
  const bend = await trainBend(surface, a, b, options);
  const curve = await readCurve(surface, spaceEvenly([0, 1], options.points ?? 25), (t) =>
    combineParams([(1 - t) ** 2, a], [2 * t * (1 - t), bend], [t ** 2, b]),
  );
  const distance = norm(combineParams([1, a], [-1, b]));
  return { ...curve, barrier: measureBarrier(curve), distance, bend };
}

/** One step: the gradient of the loss at a point of the curve, by the optimizer into the bend. */
function bezierStep(
  surface: LossSurface,
  optimizer: Optimizer,
): (inputs: StepInputs) => StepOutputs {
  return ({ bend, state, a, b, t, inputs, labels }) => {
    const rest = tf.sub(1, t);
    const mix = (end: tf.Tensor | undefined, by: tf.Tensor): tf.Tensor => tf.mul(end ?? 0, by);
    const { grads } = valueAndGrads((changing) => {
      const point = Object.fromEntries(
        Object.entries(changing).map(([name, value]) => {
          const ends = tf.add(mix(a[name], tf.square(rest)), mix(b[name], tf.square(t)));
          return [name, tf.add(ends, tf.mul(value, tf.mul(2, tf.mul(t, rest))))];
        }),
      );
      const { loss } = sumLoss(surface, point, { inputs, labels });
      return { loss: tf.div<tf.Scalar>(loss, labels.size), aux: {} };
    }, bend);
    const next = optimizer.update(grads, state, bend);
    const moved = Object.entries(bend).map(([name, value]) => {
      const update = next.updates[name];
      return [name, update === undefined ? tf.clone(value) : tf.add(value, update)];
    });
    return { bend: Object.fromEntries(moved), state: next.state };
  };
}

async function trainBend(
  surface: LossSurface,
  a: HostParams,
  b: HostParams,
  { optimizer, steps = 300, batch: size = 512, seed = 0 }: BezierOptions,
): Promise<HostParams> {
  const { backend, batch } = surface;
  const random = rng(seed).split('bezier');
  const drawStep = (step: number) => {
    const rows = random.split(step).permutation(batch.labels.length).subarray(0, size);
    const t = Float32Array.from(random.split(step).split('t').uniform(1));
    const labels = Int32Array.from(rows, (row) => batch.labels[row] ?? 0);
    return {
      t: { data: t, shape: [], dtype: 'float32' } as const,
      inputs: takeRows(batch.inputs, rows),
      labels: { data: labels, shape: [labels.length], dtype: 'int32' } as const,
    };
  };
  const ends = { a: uploadTree(backend, a), b: uploadTree(backend, b) };
  const start = uploadTree(backend, combineParams([0.5, a], [0.5, b]));
  let moving = { bend: start, state: await initializeState(backend, optimizer, start) };
  const first = uploadTree(backend, drawStep(0));
  const program = await backend.compile<StepInputs, StepOutputs>(
    'landscape-bezier',
    bezierStep(surface, optimizer),
    { ...moving, ...ends, ...first },
    { donate: ['bend', 'state'] },
  );
  freeTree(backend, first);
  try {
    for (let step = 0; step < steps; step++) {
      const drawn = uploadTree(backend, drawStep(step));
      moving = await program.run({ ...moving, ...ends, ...drawn });
      freeTree(backend, drawn);
    }
    return await readTree(backend, moving.bend);
  } finally {
    program.dispose();
    freeTree(backend, { ...ends, ...moving });
  }
}
