/** A minimal transformer with AdamW over one flat vector, as a step to compile; its sizes are arguments. */
import type { MapLeaves } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import type { Host } from './helpers.js';
import { bools, exactly, ints, randomStream } from './helpers.js';

export interface Sizes {
  readonly vocabulary: number;
  readonly width: number;
  readonly depth: number;
  readonly batch: number;
  /** Dropout probability; 0 omits the masks. */
  readonly dropout: number;
}
const POSITIONS = 4;

/** Parameters by name, in order. */
function listShapes({ vocabulary: v, width: d, depth }: Sizes): Record<string, number[]> {
  const shapes: Record<string, number[]> = { embed: [v, d] };
  for (let l = 0; l < depth; l++) {
    shapes[`ln1.${l}`] = [d];
    for (const name of ['q', 'k', 'v', 'o']) shapes[`${name}.${l}`] = [d, d];
    shapes[`ln2.${l}`] = [d];
    shapes[`gate.${l}`] = [d, 4 * d];
    shapes[`in.${l}`] = [d, 4 * d];
    shapes[`out.${l}`] = [4 * d, d];
  }
  shapes.ln = [d];
  shapes.unembed = [d, v];
  return shapes;
}

type Named = Readonly<Record<string, tf.Tensor>>;
const rows = (x: tf.Tensor) => tf.reshape(x, [-1, x.shape.at(-1)!]);
const linear = (x: tf.Tensor, w: tf.Tensor) =>
  tf.reshape(tf.matMul(rows(x), w as tf.Tensor2D), [...x.shape.slice(0, -1), w.shape[1]!]);
const rmsNorm = (x: tf.Tensor, scale: tf.Tensor) =>
  tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-6))), scale);
function rope(x: tf.Tensor): tf.Tensor {
  const [, n, d] = x.shape as [number, number, number];
  const half = d / 2;
  const angles = Array.from({ length: n * half }, (_, i) => {
    return Math.floor(i / half) / 1e6 ** ((2 * (i % half)) / d);
  });
  const cos = tf.tensor(angles.map(Math.cos), [1, n, half]);
  const sin = tf.tensor(angles.map(Math.sin), [1, n, half]);
  const a = tf.slice(x, [0, 0, 0], [-1, -1, half]);
  const b = tf.slice(x, [0, 0, half], [-1, -1, half]);
  return tf.concat(
    [tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(a, sin), tf.mul(b, cos))],
    2,
  );
}

/** Logits `[batch, vocabulary]` of the last position. */
function forward(sizes: Sizes, p: Named, tokens: tf.Tensor, dropoutMasks: Named): tf.Tensor {
  const { width: d, depth, batch, dropout } = sizes;
  const drop = (x: tf.Tensor, mask: tf.Tensor | undefined) =>
    mask === undefined ? x : tf.mul(x, tf.mul(tf.cast(mask, 'float32'), 1 / (1 - dropout)));
  const mask = tf.tensor(
    Array.from({ length: 16 }, (_, i) => (i % 4 > Math.floor(i / 4) ? -1e9 : 0)),
    [1, 4, 4],
  );
  let x = tf.reshape(tf.gather(p.embed!, tf.reshape(tokens, [-1]) as tf.Tensor1D), [
    batch,
    POSITIONS,
    d,
  ]); // [batch, pos, width]
  for (let l = 0; l < depth; l++) {
    const h = rmsNorm(x, p[`ln1.${l}`]!);
    const [q, k, v] = ['q', 'k', 'v'].map((name) => linear(h, p[`${name}.${l}`]!)) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const scores = tf.mul(tf.matMul(rope(q), rope(k), false, true), 1 / Math.sqrt(d)); // [batch, query, key]
    const mixed = tf.matMul(tf.softmax(tf.add(scores, mask)), v); // [batch, pos, width]
    x = tf.add(x, drop(linear(mixed, p[`o.${l}`]!), dropoutMasks[`attn.${l}`]));
    const g = rmsNorm(x, p[`ln2.${l}`]!);
    const gate = linear(g, p[`gate.${l}`]!); // [batch, pos, 4·width]
    const up = tf.mul(tf.mul(gate, tf.sigmoid(gate)), linear(g, p[`in.${l}`]!));
    x = tf.add(x, linear(drop(up, dropoutMasks[`mlp.${l}`]), p[`out.${l}`]!));
  }
  const last = tf.reshape(tf.slice(x, [0, POSITIONS - 1, 0], [-1, 1, -1]), [batch, d]);
  return tf.matMul(rmsNorm(last, p.ln!) as tf.Tensor2D, p.unembed as tf.Tensor2D);
}

export interface StepInputs {
  readonly params: tf.Tensor;
  readonly state: { readonly m: tf.Tensor; readonly v: tf.Tensor; readonly count: tf.Tensor };
  readonly tokens: tf.Tensor;
  readonly labels: tf.Tensor;
  readonly dropoutMasks: Named;
}
export interface StepOutputs {
  readonly params: tf.Tensor;
  readonly state: { readonly m: tf.Tensor; readonly v: tf.Tensor; readonly count: tf.Tensor };
  readonly loss: tf.Tensor;
}
/** One training step: cross-entropy, its gradients, AdamW (β 0.9/0.98, decay 1, learning rate 1e-3). */
export function step(sizes: Sizes): (inputs: StepInputs) => StepOutputs {
  const shapes = listShapes(sizes);
  const names = Object.keys(shapes);
  return ({ params, state, tokens, labels, dropoutMasks }) => {
    const lengths = names.map((name) => shapes[name]!.reduce((a, b) => a * b, 1));
    const parts = tf.split(params as tf.Tensor1D, lengths);
    const tensors = parts.map((part, i) => tf.reshape(part, shapes[names[i]!]!));
    const loss = (...given: tf.Tensor[]): tf.Scalar => {
      const named = Object.fromEntries(names.map((name, i) => [name, given[i]!]));
      const logProbabilities = tf.logSoftmax(forward(sizes, named, tokens, dropoutMasks));
      const target = tf.oneHot(labels as tf.Tensor1D, sizes.vocabulary, 1, 0, 'float32');
      return tf.neg(tf.mean(tf.sum(tf.mul(logProbabilities, target), -1)));
    };
    const { value, grads } = tf.valueAndGrads(loss)(tensors);
    const g = tf.concat(grads.map((grad) => tf.reshape(grad, [-1])));
    const count = tf.add(state.count, tf.scalar(1, 'int32'));
    const t = tf.cast(count, 'float32');
    const m = tf.add(tf.mul(state.m, 0.9), tf.mul(g, 0.1));
    const v = tf.add(tf.mul(state.v, 0.98), tf.mul(tf.square(g), 0.02));
    const mHat = tf.div(m, tf.sub(1, tf.pow(tf.scalar(0.9), t)));
    const vHat = tf.div(v, tf.sub(1, tf.pow(tf.scalar(0.98), t)));
    const direction = tf.add(tf.div(mHat, tf.add(tf.sqrt(vHat), 1e-8)), params);
    const next = tf.sub(params, tf.mul(direction, 1e-3));
    return { params: next, state: { m, v, count }, loss: value };
  };
}

/** Reproducible host inputs of a step. */
export function drawInputs(sizes: Sizes, seed = 3): MapLeaves<StepInputs, Host> {
  const next = randomStream(seed);
  const { vocabulary, width: d, depth, batch, dropout } = sizes;
  const data: number[] = [];
  for (const [name, shape] of Object.entries(listShapes(sizes))) {
    const size = shape.reduce((a, b) => a * b, 1);
    const spread = Math.sqrt(3 / (shape.length === 1 ? 1 : name === 'embed' ? d : shape[0]!));
    for (let i = 0; i < size; i++) data.push(shape.length === 1 ? 1 : spread * (2 * next() - 1));
  }
  const zeros = () =>
    exactly(
      'float32',
      [data.length],
      data.map(() => 0),
    );
  const dropoutMasks: Record<string, Host> = {};
  if (dropout > 0)
    for (let l = 0; l < depth; l++) {
      dropoutMasks[`attn.${l}`] = bools([batch, POSITIONS, d], 1 - dropout, next);
      dropoutMasks[`mlp.${l}`] = bools([batch, POSITIONS, 4 * d], 1 - dropout, next);
    }
  return {
    params: exactly('float32', [data.length], data),
    state: { m: zeros(), v: zeros(), count: exactly('int32', [], [0]) },
    tokens: ints([batch, POSITIONS], 0, vocabulary, next),
    labels: ints([batch], 0, vocabulary, next),
    dropoutMasks,
  };
}
