/**
 * Float64 arithmetic in plain TypeScript as a reference for float32 tensors, written for clarity,
 * not for speed. Shapes are row-major; matrices are `[rows, columns]`.
 */

/** A float64 array with its shape. */
export interface Array64 {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** An array of a shape, from values in row-major order. @throws if their number does not match the shape. */
export function array64(shape: readonly number[], values: ArrayLike<number>): Array64 {
  const size = shape.reduce((product, n) => product * n, 1);
  if (values.length !== size)
    throw new Error(`array64: shape [${shape}] needs ${size} values, got ${values.length}`);
  return { shape, data: Float64Array.from(values) };
}

/** Matrix product `a · b`, with optional transposes; `[m, k] · [k, n]` → `[m, n]`. */
export function matMul64(
  a: Array64,
  b: Array64,
  { transposeA = false, transposeB = false }: { transposeA?: boolean; transposeB?: boolean } = {},
): Array64 {
  const left = transposeA ? transpose64(a) : a;
  const right = transposeB ? transpose64(b) : b;
  const [m = 0, k = 0] = left.shape;
  const [inner = 0, n = 0] = right.shape;
  if (k !== inner) throw new Error(`matMul64: [${left.shape}] does not meet [${right.shape}]`);
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let l = 0; l < k; l++) out[i * n + j]! += left.data[i * k + l]! * right.data[l * n + j]!;
  return { shape: [m, n], data: out };
}

/** Transpose of a matrix. */
export function transpose64({ shape, data }: Array64): Array64 {
  const [m = 0, n = 0] = shape;
  const out = Float64Array.from(data, (_, i) => data[(i % m) * n + Math.floor(i / m)]!);
  return { shape: [n, m], data: out };
}

/** Applies `f` to each row of the last axis. */
export function rows64({ shape, data }: Array64, f: (row: Float64Array) => Float64Array): Array64 {
  const width = shape.at(-1) ?? 1;
  const out = new Float64Array(data.length);
  for (let at = 0; at < data.length; at += width) out.set(f(data.subarray(at, at + width)), at);
  return { shape, data: out };
}

/** `log softmax` over the last axis. */
export function logSoftmax64(x: Array64): Array64 {
  return rows64(x, (row) => {
    const top = Math.max(...row);
    const log = Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0));
    return row.map((value) => value - top - log);
  });
}

/** `softmax` over the last axis. */
export function softmax64(x: Array64): Array64 {
  const { shape, data } = logSoftmax64(x);
  return { shape, data: data.map(Math.exp) };
}

/** Mean over rows of −log softmax(logits)[label], in nats; logits `[rows, classes]`. */
export function crossEntropy64(logits: Array64, labels: ArrayLike<number>): number {
  const classes = logits.shape.at(-1) ?? 1;
  const { data } = logSoftmax64(logits);
  return Array.from(labels, (label, i) => -data[i * classes + label]!).reduce(sum) / labels.length;
}

/** Mean of squared differences over all entries. */
export function meanSquaredError64(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a, (value, i) => (value - b[i]!) ** 2).reduce(sum) / a.length;
}

/** Mean over rows of Σ p (log p − log q), p and q the softmax of logits over a temperature, in nats. */
export function klDivergence64(pLogits: Array64, qLogits: Array64, temperature = 1): number {
  const scaled = (x: Array64): Array64 => ({ ...x, data: x.data.map((v) => v / temperature) });
  const [logP, logQ] = [logSoftmax64(scaled(pLogits)).data, logSoftmax64(scaled(qLogits)).data];
  const terms = Array.from(logP, (lp, i) => Math.exp(lp) * (lp - logQ[i]!));
  return terms.reduce(sum) / (pLogits.data.length / (pLogits.shape.at(-1) ?? 1));
}

/** Gradient of `f` at `x` by central differences, with an error of about `step²`. */
export function finiteDifferences(
  f: (x: Float64Array) => number,
  x: ArrayLike<number>,
  step = 1e-5,
): Float64Array {
  const at = Float64Array.from(x);
  return at.map((value, i) => {
    at[i] = value + step;
    const above = f(at);
    at[i] = value - step;
    const below = f(at);
    at[i] = value;
    return (above - below) / (2 * step);
  });
}

const sum = (a: number, b: number): number => a + b;
