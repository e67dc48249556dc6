/** Elementwise kernels: arithmetic, functions of one number, activations. */
import type { Builder } from '../builder.js';
import {
  binary,
  cast,
  emit,
  emitAdd,
  emitDiv,
  emitMul,
  emitSub,
  fill,
  reshape,
  scalarLike,
  unary,
  where,
} from '../builder.js';
import type { Value } from '../graph.js';
import type { Kernel, Kernels } from './types.js';

const float = (b: Builder, x: Value): Value => cast(b, x, 'float32');
/** A function of real numbers: integers are cast to float32 first, as in tfjs. */
const real =
  (op: string): Kernel =>
  (b, { x }) =>
    unary(b, op, float(b, x));
/** ONNX has no arithmetic on bool, so it is done in int32 and cast back. */
const numeric = (b: Builder, x: Value, f: (x: Value) => Value): Value =>
  x.type === 'bool' ? cast(b, f(cast(b, x, 'int32')), 'bool') : f(x);
const arithmetic =
  (op: string): Kernel =>
  (b, { a, b: c }) =>
    a.type === 'bool'
      ? cast(b, binary(b, op, cast(b, a, 'int32'), cast(b, c, 'int32')), 'bool')
      : binary(b, op, a, c);
const same =
  (op: string): Kernel =>
  (b, { x }) =>
    numeric(b, x, (y) => unary(b, op, y));

/** tfjs's floor division returns int32; integers go through float64, since ONNX would truncate (and trap on 0). */
const floorDiv: Kernel = (b, { a, b: c }) => {
  const type = a.type === 'float32' ? 'float32' : 'float64';
  const quotient = emitDiv(b, cast(b, a, type), cast(b, c, type));
  return cast(b, unary(b, 'Floor', quotient), 'int32');
};
/** Remainder with the sign of the divisor. */
const mod: Kernel = (b, { a, b: c }) => {
  const type = a.type === 'float32' ? 'float32' : 'float64';
  const [x, y] = [cast(b, a, type), cast(b, c, type)];
  const fmod = (m: Value, n: Value) => {
    const { shape } = binary(b, 'Add', m, n);
    return emit(b, 'Mod', [m, n], { type, shape }, { fmod: 1 });
  };
  const rest = fmod(x, y);
  const sameSign = binary(
    b,
    'Equal',
    binary(b, 'Less', x, 0, 'bool'),
    binary(b, 'Less', y, 0, 'bool'),
    'bool',
  );
  return cast(b, where(b, sameSign, rest, fmod(emitAdd(b, rest, y), y)), a.type);
};
/** e^x − 1 without cancellation near 0: 2t / (1 − t), t = tanh(x/2). */
const expm1: Kernel = (b, { x: input }) => {
  const x = float(b, input);
  const t = unary(b, 'Tanh', emitMul(b, x, 0.5));
  const near = emitDiv(b, emitMul(b, t, 2), emitSub(b, 1, t));
  const small = binary(b, 'Less', unary(b, 'Abs', x), 1, 'bool');
  return where(b, small, near, emitSub(b, unary(b, 'Exp', x), 1));
};
/** log(1 + x) without cancellation near 0: x·log(u)/(u − 1), u = 1 + x rounded (Kahan). */
const log1p: Kernel = (b, { x: input }) => {
  const x = float(b, input);
  const u = emitAdd(b, x, 1);
  const log = unary(b, 'Log', u);
  const exact = binary(b, 'Equal', u, 1, 'bool');
  const small = binary(b, 'Less', unary(b, 'Abs', x), 0.5, 'bool');
  const near = emitDiv(b, emitMul(b, x, log), emitSub(b, u, 1));
  return where(b, exact, x, where(b, small, near, log));
};
const atan2: Kernel = (b, { a, b: c }) => {
  const [y, x] = [float(b, a), float(b, c)];
  const angle = unary(b, 'Atan', emitDiv(b, y, x));
  const below = binary(b, 'Less', y, 0, 'bool');
  const shift = where(b, below, scalarLike(b, y, -Math.PI), scalarLike(b, y, Math.PI));
  const upright = emitMul(b, unary(b, 'Sign', y), Math.PI / 2);
  const left = where(b, binary(b, 'Less', x, 0, 'bool'), emitAdd(b, angle, shift), angle);
  return where(b, binary(b, 'Equal', x, 0, 'bool'), upright, left);
};
const clip = (b: Builder, x: Value, low: number, high: number): Value =>
  numeric(b, x, (y) => {
    const bounds = [scalarLike(b, y, low), scalarLike(b, y, high)];
    return emit(b, 'Clip', [y, ...bounds], { type: y.type, shape: y.shape });
  });
const relu = (b: Builder, x: Value): Value =>
  x.type === 'float32' ? unary(b, 'Relu', x) : numeric(b, x, (y) => binary(b, 'Max', y, 0));
const prelu = (b: Builder, x: Value, alpha: Value): Value =>
  where(b, binary(b, 'GreaterOrEqual', x, 0, 'bool'), x, emitMul(b, x, alpha));
const leakyRelu = (b: Builder, x: Value, alpha: number): Value =>
  emit(b, 'LeakyRelu', [float(b, x)], { type: 'float32', shape: x.shape }, { alpha });

/** The activation that a fused kernel applies to its result. */
export function activate(
  b: Builder,
  x: Value,
  activation: string,
  options: { alpha?: number | undefined; weights?: Value | undefined } = {},
): Value {
  if (activation === 'relu') return relu(b, x);
  if (activation === 'relu6') return clip(b, x, 0, 6);
  if (activation === 'elu') return unary(b, 'Elu', x);
  if (activation === 'sigmoid') return unary(b, 'Sigmoid', x);
  if (activation === 'leakyrelu') return leakyRelu(b, x, options.alpha ?? 0.2);
  if (activation === 'prelu' && options.weights) return prelu(b, x, options.weights);
  if (activation === 'linear') return x;
  throw new Error(`backend "onnx": unknown activation "${activation}"`);
}

export const elementwise: Kernels = {
  Add: arithmetic('Add'),
  Sub: arithmetic('Sub'),
  Multiply: arithmetic('Mul'),
  Maximum: arithmetic('Max'),
  Minimum: arithmetic('Min'),
  Pow: arithmetic('Pow'),
  RealDiv: (b, { a, b: c }) => emitDiv(b, float(b, a), float(b, c)),
  FloorDiv: floorDiv,
  Mod: mod,
  SquaredDifference: (b, { a, b: c }) => {
    const difference = emitSub(b, a, c);
    return emitMul(b, difference, difference);
  },
  AddN: (b, inputs) =>
    Object.values(inputs as object).reduce((x: Value, y: Value) => emitAdd(b, x, y)),
  Atan2: atan2,
  BitwiseAnd: (b, { a, b: c }) => binary(b, 'BitwiseAnd', a, c),

  Abs: same('Abs'),
  Neg: same('Neg'),
  Sign: same('Sign'),
  Square: (b, { x }) => numeric(b, x, (y) => emitMul(b, y, y)),
  Exp: real('Exp'),
  Expm1: expm1,
  Log: real('Log'),
  Log1p: log1p,
  Sqrt: real('Sqrt'),
  Rsqrt: (b, { x }) => unary(b, 'Reciprocal', unary(b, 'Sqrt', float(b, x))),
  Reciprocal: real('Reciprocal'),
  Floor: real('Floor'),
  Ceil: real('Ceil'),
  Round: real('Round'),
  Sin: real('Sin'),
  Cos: real('Cos'),
  Tan: real('Tan'),
  Asin: real('Asin'),
  Acos: real('Acos'),
  Atan: real('Atan'),
  Sinh: real('Sinh'),
  Cosh: real('Cosh'),
  Tanh: real('Tanh'),
  Asinh: real('Asinh'),
  Acosh: real('Acosh'),
  Atanh: real('Atanh'),
  Erf: real('Erf'),
  Sigmoid: real('Sigmoid'),
  Softplus: real('Softplus'),
  Elu: real('Elu'),
  EluGrad: (b, { dy, y }) => {
    const slope = where(
      b,
      binary(b, 'GreaterOrEqual', y, 0, 'bool'),
      scalarLike(b, y, 1),
      emitAdd(b, y, 1),
    );
    return emitMul(b, dy, slope);
  },
  Selu: real('Selu'),
  Relu: (b, { x }) => relu(b, x),
  Relu6: (b, { x }) => clip(b, x, 0, 6),
  LeakyRelu: (b, { x }, { alpha }: { alpha: number }) => leakyRelu(b, x, alpha),
  Prelu: (b, { x, alpha }) => prelu(b, x, alpha),
  ClipByValue: (b, { x }, attrs: { clipValueMin: number; clipValueMax: number }) =>
    clip(b, x, attrs.clipValueMin, attrs.clipValueMax),
  Step: (b, { x }, { alpha }: { alpha: number }) => {
    const positive = binary(b, 'Greater', float(b, x), 0, 'bool');
    if (alpha === 0) return cast(b, positive, 'float32');
    return where(b, positive, fill(b, 'float32', [], 1), fill(b, 'float32', [], alpha));
  },
  Identity: (_, { x }) => x,
  Cast: (b, { x }, { dtype }: { dtype: string }) => {
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool')
      throw new Error(`backend "onnx": cannot cast to ${dtype}; it has float32, int32 and bool`);
    return cast(b, x, dtype);
  },
  Select: (b, { condition, t, e }) => {
    // A vector of conditions selects whole rows.
    const rows = condition.shape.length === 1 && t.shape.length > 1;
    const aligned = rows
      ? reshape(b, condition, [condition.shape[0]!, ...t.shape.slice(1).map(() => 1)])
      : condition;
    return where(b, aligned, t, e);
  },
  FusedBatchNorm: (
    b,
    { x, scale, offset, mean, variance },
    { varianceEpsilon }: { varianceEpsilon: number },
  ) => {
    const inverse = unary(b, 'Reciprocal', unary(b, 'Sqrt', emitAdd(b, variance, varianceEpsilon)));
    const normal = emitMul(
      b,
      emitSub(b, x, mean),
      scale === undefined ? inverse : emitMul(b, inverse, scale),
    );
    return offset === undefined ? normal : emitAdd(b, normal, offset);
  },
};
