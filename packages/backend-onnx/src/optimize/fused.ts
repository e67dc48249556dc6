/** Patterns for which onnxruntime has one operator: SiLU, log softmax, sums of squares, RMSNorm, rotary embedding. */
import { sizeOf } from '@grok/core';
import * as make from '../builder.js';
import { type Graph, makeConstant, readElements, sameShape, type Value } from '../graph.js';
import { integers, numberAttribute, reducedAxes, withoutReshapes } from './inspect.js';
import { any, anyAdd, anyMul, anyNumber, named, once, op, type Pattern, when } from './pattern.js';
import { findAll, type RewriteSite, type Rule, rebuild, rule, withoutDead } from './rewrite.js';

/** `x · σ(x)` (SiLU) as QuickGelu with alpha 1, if nothing else reads σ(x). */
export const silu: readonly Rule[] = [
  rule(anyMul('x', once(op('Sigmoid', 'x'))), ({ x }, b) =>
    make.emitOwn(b, 'QuickGelu', [x], b.out, { alpha: 1 }),
  ),
];

/** A reduction over the last axis that keeps it with size 1. */
const lastAxis = <F>(pattern: Pattern<F>) =>
  when(pattern, (value, known) => {
    const node = known.producer(value);
    if (node === undefined || numberAttribute(node, 'keepdims', 1) !== 1) return false;
    return reducedAxes(node).join() === String(value.shape.length - 1);
  });
const shifted = named('shifted', op('Sub', 'x', lastAxis(op('ReduceMax', 'x'))));
/** `x − max(x) − log Σ e^(x − max(x))` over the last axis as LogSoftmax. */
export const logSoftmax: readonly Rule[] = [
  rule(op('Sub', shifted, op('Log', lastAxis(op('ReduceSum', op('Exp', 'shifted'))))), ({ x }, b) =>
    make.emit(b, 'LogSoftmax', [x], b.out, { axis: -1 }),
  ),
];

const square = op('Mul', 'x', 'x');
/** The sum or the mean of all `x²` as ReduceSumSquare. */
export const squareSums: readonly Rule[] = [
  rule(op('ReduceSum ReduceMean', once(square), 'axes'), ({ x, axes }, b) => {
    if (x.type !== 'float32' || reducedAxes(b.node).length < x.shape.length) return undefined;
    const sum = make.emit(b, 'ReduceSumSquare', [x, axes], b.out, b.node.attributes);
    return b.node.op === 'ReduceSum' ? sum : make.emitMul(b, sum, 1 / sizeOf(x.shape));
  }),
];

const mean = lastAxis(op('ReduceMean', square));
const inverse = op('Reciprocal', op('Sqrt', anyAdd(anyNumber('epsilon'), mean)));
const weight = any('w', ({ shape }) => shape.length === 1);
/** `x · w / √(mean(x²) + ε)`. */
const norm = named('y', anyMul(anyMul('x', named('inverse', inverse)), weight));
/**
 * RMSNorm as SimplifiedLayerNormalization, whose second result is the inverse root, so the gradient
 * does not compute it again. Matches are collected first and written afterwards, because the
 * inverse may come before the scale that the operator needs.
 */
export function rmsNorms(graph: Graph): Graph {
  const found = findAll(graph, norm).filter(({ x, w }) => w.shape[0] === x.shape.at(-1));
  const norms = new Map(found.reverse().map((one) => [one.inverse, one]));
  const units = new Map<Value, Value>();
  const now = (value: Value): Value => units.get(value) ?? value;
  const ready = new Set<Value>([...graph.inputs, ...graph.views.map(({ value }) => value)]);
  const written = rebuild(graph, (b) => {
    for (const output of b.node.outputs) ready.add(output);
    const known = norms.get(b.out);
    if (known === undefined) return units.get(b.out);
    const { x, w, y, epsilon } = known;
    if (w.constant === undefined && !ready.has(w)) return undefined;
    const root = { type: x.type, shape: [...x.shape.slice(0, -1), 1] };
    const attributes = { axis: -1, epsilon, stash_type: 1 };
    const kind = 'SimplifiedLayerNormalization';
    const [unit, scale] = make.emitMany(b, kind, [now(x), now(w)], [x, root], attributes);
    if (unit !== undefined) units.set(y, unit);
    return scale;
  });
  return withoutDead(written);
}

const table = <V extends string>(name: V): Pattern<Record<V, Value>> =>
  any(name, (value) => value.constant !== undefined && sizeOf(value.shape) > 1);
/**
 * Half-split rotary positions, `x·cos + swapHalves(x)·sin` with constant tables, as
 * RotaryEmbedding. Their gradient is the same with −sin.
 */
export const rope: readonly Rule[] = [
  rule(
    anyAdd(anyMul(table('cosine'), 'x'), anyMul(table('sine'), 'swapped')),
    ({ cosine, x, sine, swapped }, b) => {
      const source = swappedHalves(b, swapped);
      if (source === undefined || source !== withoutReshapes(b, x)) return undefined;
      const layout = sameShape(cosine.shape, sine.shape) && rotaryLayout(x.shape, cosine);
      if (!layout) return undefined;
      const { batch, positions, heads, width } = layout;
      const [cos, sin] = [halfRows(cosine, width, 1), halfRows(sine, width, -1)];
      if (cos === undefined || sin === undefined) return undefined;
      const cache = (elements: Float32Array) =>
        make.addConstant(b, 'float32', [positions, width / 2], makeConstant(elements));
      // With one head, this uses attention's own shape and saves two Reshapes.
      const own = heads === 1 ? [batch, 1, positions, width] : [batch, positions, heads * width];
      const flat = make.reshape(b, x, own);
      const inputs = [flat, make.fill(b, 'int64', [1], 0), cache(cos), cache(sin)];
      const turned = make.emitOwn(b, 'RotaryEmbedding', inputs, flat, { interleaved: 0 });
      return make.reshape(b, turned, b.out.shape);
    },
  ),
];
/** Finds the operand of `[x1, x2] → [x2, x1]` on the last axis, written as a gather of halves. */
function swappedHalves(b: RewriteSite, value: Value): Value | undefined {
  const gather = b.producer(withoutReshapes(b, value));
  const [halves, order] = gather?.inputs ?? [];
  if (gather?.op !== 'Gather' || halves === undefined) return undefined;
  const rank = halves.shape.length;
  if (gather.attributes.axis !== rank - 2 || integers(order)?.join() !== '1,0') return undefined;
  const pairs = sameShape(halves.shape.slice(-2), [2, (value.shape.at(-1) ?? 0) / 2]);
  return pairs ? withoutReshapes(b, halves) : undefined;
}
/** Which axes of `shape` are positions and heads, if `table` has one row per position. */
function rotaryLayout(shape: readonly number[], table: Value) {
  const last = shape.length - 1;
  const own = [...shape.map(() => 1), ...table.shape].slice(-shape.length);
  // One axis of positions and one of a head's width; the others have size 1.
  const long = own.flatMap((extent, axis) => (extent === 1 ? [] : [axis]));
  const [axis = 0] = long.length === 2 ? long : [Math.max(0, last - 2)];
  const [positions = 0, width = 0] = [own[axis], shape[last]];
  if (own[last] !== width || long.length > 2 || shape[axis] !== positions) return undefined;
  const heads = sizeOf(shape.slice(axis + 1, last));
  return { batch: sizeOf(shape.slice(0, axis)), positions, heads, width };
}
/** The second half of every row of a table, if the first half is the second times `sign`. */
function halfRows(table: Value, width: number, sign: number): Float32Array | undefined {
  const elements = readElements(table) ?? [];
  const half = width / 2;
  const found = new Float32Array(elements.length / 2);
  for (let to = 0; to < found.length; to++) {
    const from = Math.floor(to / half) * width + (to % half);
    const value = elements[from + half];
    if (value === undefined || elements[from] !== sign * value) return undefined;
    found[to] = value;
  }
  return found;
}
