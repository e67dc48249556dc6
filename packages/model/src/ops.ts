/**
 * Operations with custom gradients: norms, SwiGLU (Shazeer 2020) and rotary positions (Su et al.
 * 2021), which take fewer passes than tfjs's own; sigmoid and softmax, whose second derivatives are
 * wrong in tfjs. Each gradient uses only differentiable operations on the inputs.
 */
import * as tf from '@grok/tfjs';

/**
 * An operation with a custom gradient. Only inputs are saved: tfjs does not connect saved
 * intermediates or outputs to the tape, so second-order gradients through them are silently wrong.
 */
function withGradient(
  inputs: readonly tf.Tensor[],
  forward: (...inputs: tf.Tensor[]) => tf.Tensor,
  backward: (dy: tf.Tensor, ...inputs: tf.Tensor[]) => tf.Tensor[],
): tf.Tensor {
  return tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const values = args as tf.Tensor[];
    save(values);
    return {
      value: forward(...values),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => backward(dy, ...saved),
    };
  })(...inputs);
}

/** A matrix `[in, out]`, or the identity. */
export type Weights = tf.Tensor | 'identity';

/** `[rows, in] · [in, out]`. */
export function matmul(x: tf.Tensor, weights: Weights): tf.Tensor {
  return weights === 'identity' ? x : tf.matMul(x, weights);
}

/** The product of two matrices. */
export function multiplyWeights(first: Weights, second: Weights): Weights {
  return first === 'identity' ? second : matmul(first, second);
}

/** The contribution of each head's part of `x`: `[rows, head · d_head] · [head · d_head, out]` → `[rows, head, out]`. */
export function matmulByHead(x: tf.Tensor, weights: Weights, heads: number): tf.Tensor {
  if (weights === 'identity')
    throw new RangeError('matmulByHead: got no weights to divide by head');
  const [rows = 0, width = 0] = x.shape;
  const parts = tf.transpose(tf.reshape(x, [rows, heads, width / heads]), [1, 0, 2]); // [head, rows, d_head]
  const product = tf.matMul(parts, tf.reshape(weights, [heads, width / heads, -1])); // [head, rows, out]
  return tf.transpose(product, [1, 0, 2]);
}

const column = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [-1, 1]);

/** `x / √(mean(x²) + eps) ∘ w` over the last axis (Zhang and Sennrich 2019); x `[rows, d]`, w `[d]`. */
export function rmsNorm(x: tf.Tensor, w: tf.Tensor, eps: number): tf.Tensor {
  const inverse = (x: tf.Tensor): tf.Tensor =>
    tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), eps)); // [rows, 1]
  return withGradient(
    [x, w],
    (x, w) => tf.mul(tf.mul(x, inverse(x)), w),
    (dy, x, w) => {
      const r = inverse(x);
      const product = tf.mul(dy, x); // [rows, d]
      const dot = tf.matMul(product, column(tf.div(w, w.size))); // [rows, 1]
      const along = tf.mul(tf.mul(r, tf.square(r)), dot); // [rows, 1]
      return [
        tf.sub(tf.mul(tf.mul(dy, w), r), tf.mul(x, along)),
        weightedRows(r, product), // Σ over rows of dy ∘ x · r
      ];
    },
  );
}

/** `(x − mean) / √(variance + eps) ∘ w + b` over the last axis (Ba et al. 2016); x `[rows, d]`, w and b `[d]`. */
export function layerNorm(x: tf.Tensor, w: tf.Tensor, b: tf.Tensor, eps: number): tf.Tensor {
  const standardize = (x: tf.Tensor): { r: tf.Tensor; unit: tf.Tensor } => {
    const centered = tf.sub(x, tf.mean(x, -1, true));
    const r = tf.rsqrt(tf.add(tf.mean(tf.square(centered), -1, true), eps)); // [rows, 1]
    return { r, unit: tf.mul(centered, r) };
  };
  return withGradient(
    [x, w, b],
    (x, w, b) => tf.add(tf.mul(standardize(x).unit, w), b),
    (dy, x, w) => {
      const { r, unit } = standardize(x);
      const d = tf.mul(dy, w); // [rows, d]
      const along = tf.mean(tf.mul(d, unit), -1, true); // [rows, 1]
      const tangent = tf.sub(tf.sub(d, tf.mean(d, -1, true)), tf.mul(unit, along));
      const ones = tf.onesLike(r);
      return [tf.mul(tangent, r), weightedRows(ones, tf.mul(dy, unit)), weightedRows(ones, dy)];
    },
  );
}

/** `Σ over rows of weight · row` as a matrix product: weights `[rows, 1]`, x `[rows, d]` → `[d]`. */
function weightedRows(weights: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const row = tf.reshape(weights, [1, -1]);
  return tf.reshape(tf.matMul(row, x), [-1]); // [1, rows] · [rows, d]
}

/** `1 / (1 + e⁻ˣ)`. */
export function sigmoid(x: tf.Tensor): tf.Tensor {
  return withGradient(
    [x],
    (x) => tf.sigmoid(x),
    (dy, x) => {
      const s = sigmoid(x);
      return [tf.mul(dy, tf.mul(s, tf.sub(1, s)))];
    },
  );
}

/** Softmax over the last axis. */
export function softmax(x: tf.Tensor): tf.Tensor {
  return withGradient(
    [x],
    (x) => tf.softmax(x),
    (dy, x) => {
      const p = softmax(x);
      const product = tf.mul(dy, p);
      return [tf.sub(product, tf.mul(tf.sum(product, -1, true), p))];
    },
  );
}

/**
 * `silu(gate) ∘ linear`, silu(x) = x·σ(x), elementwise; with a mask of 0 and 1, times the mask. The
 * mask is applied to σ, where one product masks both gradients; the mask itself gets no gradient.
 */
export function swiglu(gate: tf.Tensor, linear: tf.Tensor, mask?: tf.Tensor): tf.Tensor {
  const kept = (gate: tf.Tensor, mask?: tf.Tensor): tf.Tensor =>
    mask === undefined ? sigmoid(gate) : tf.mul(sigmoid(gate), mask);
  return withGradient(
    mask === undefined ? [gate, linear] : [gate, linear, mask],
    (gate, linear, mask) => tf.mul(tf.mul(gate, kept(gate, mask)), linear),
    (dy, gate, linear, mask) => {
      const s = kept(gate, mask);
      const silu = tf.mul(gate, s);
      const y = tf.mul(silu, linear);
      // y' = linear · (s + silu · (1 − σ)), and silu · σ = silu · s because the mask is 0 or 1.
      const slope = tf.add(tf.mul(s, tf.sub(linear, y)), y);
      const rest = mask === undefined ? [] : [tf.zerosLike(mask)];
      return [tf.mul(dy, slope), tf.mul(dy, silu), ...rest];
    },
  );
}

/** GELU (Hendrycks and Gimpel 2016) in its tanh form, written with a sigmoid: ½(1 + tanh z) = σ(2z). */
export function gelu(x: tf.Tensor): tf.Tensor {
  const c = 2 * Math.sqrt(2 / Math.PI);
  const twice = tf.mul(x, tf.add(tf.mul(tf.square(x), 0.044715 * c), c));
  return tf.mul(x, sigmoid(twice));
}

/** Cosines and signed sines of rotary positions, `[positions, 1, d_head]` each, on the host. */
export interface Rotation {
  readonly shape: readonly [number, number, number];
  readonly cos: Float32Array;
  /** −sin for the first half of a head, sin for the second. */
  readonly sin: Float32Array;
}

/** Cache of rotations: an eager backend needs the same few in every pass. */
const rotations = new Map<string, Rotation>();
/** More than one model needs; when full, the oldest is dropped. */
const KEPT_ROTATIONS = 64;

/** Rotations of the given positions: the angle of pair i is position / base^(2i/d_head). */
export function rotation(positions: ArrayLike<number>, width: number, base: number): Rotation {
  const key = `${Array.from(positions).join()} ${width} ${base}`;
  const known = rotations.get(key);
  if (known !== undefined) return known;
  const [oldest] = rotations.keys();
  if (rotations.size >= KEPT_ROTATIONS && oldest !== undefined) rotations.delete(oldest);
  const created = computeRotation(positions, width, base);
  rotations.set(key, created);
  return created;
}

function computeRotation(positions: ArrayLike<number>, width: number, base: number): Rotation {
  const half = width / 2;
  const angles = Float64Array.from(
    Array.from(positions).flatMap((position) =>
      Array.from({ length: width }, (_, i) => position / base ** ((2 * (i % half)) / width)),
    ),
  );
  const sign = (i: number): number => (i % width < half ? -1 : 1);
  return {
    shape: [positions.length, 1, width],
    cos: Float32Array.from(angles, Math.cos),
    sin: Float32Array.from(angles, (angle, i) => sign(i) * Math.sin(angle)),
  };
}

/**
 * Rotary positions, half-split: `[x1·cos − x2·sin, x2·cos + x1·sin]` for the halves x1, x2 of each
 * head. x is `[rows, positions, heads, d_head]`. The gradient is the inverse rotation, without a
 * Pad.
 */
export function rotate(x: tf.Tensor, by: Rotation): tf.Tensor {
  // Tensors are created inside: one from outside would be disposed of before the gradient is
  // computed.
  const { shape, cos, sin } = by;
  return withGradient(
    [x],
    (x) =>
      tf.add(
        tf.mul(x, tf.tensor3d(cos, [...shape])),
        tf.mul(swapHalves(x), tf.tensor3d(sin, [...shape])),
      ),
    (dy) => [rotate(dy, { shape, cos, sin: sin.map((value) => -value) })],
  );
}

/** `[x1, x2]` → `[x2, x1]` on the last axis, as one gather of two halves. */
function swapHalves(x: tf.Tensor): tf.Tensor {
  const width = x.shape.at(-1) ?? 0;
  const halves = tf.reshape(x, [-1, 2, width / 2]); // [rows · positions · heads, 2, d_head/2]
  return tf.reshape(tf.gather(halves, tf.tensor1d([1, 0], 'int32'), 1), x.shape);
}

/**
 * The last position of each row, `[rows, pos, d]` → `[rows, d]`. The gradient multiplies by 0 and 1
 * instead of using a Pad, which takes one pass and is fast on every backend.
 */
export function lastPosition(x: tf.Tensor): tf.Tensor {
  const [, pos = 0, d = 0] = x.shape;
  if (pos === 1) return tf.reshape(x, [-1, d]);
  const isLast = Float32Array.from({ length: pos }, (_, i) => (i === pos - 1 ? 1 : 0));
  return withGradient(
    [x],
    (x) => tf.reshape(tf.slice(x, [0, pos - 1, 0], [-1, 1, -1]), [-1, d]),
    (dy) => [tf.mul(tf.reshape(dy, [-1, 1, d]), tf.tensor3d(isLast, [1, pos, 1]))], // [rows, pos, d]
  );
}
