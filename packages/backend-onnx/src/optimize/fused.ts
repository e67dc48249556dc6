/** Patterns that onnxruntime has one operator for: SiLU, log softmax, sums of squares, RMSNorm, rotary positions. */
import { sizeOf } from '@grok/core';
import { emit, emitOwn, fill, mul, reshape } from '../builder.js';
import {
  addValue,
  constantOf,
  elementsOf,
  type Graph,
  type Node,
  sameShape,
  uniformOf,
  type Value,
} from '../graph.js';
import { axesOf, integers, made, ordered, unshaped } from './match.js';
import { type Rule, rewrite, rule, type Site } from './rewrite.js';

/** `x · σ(x)` (SiLU) as QuickGelu with alpha 1, where nobody else needs σ(x). */
export const silu: Rule = rule('Mul', (node, b) => {
  if (node.op !== 'Mul') return undefined;
  const pair = ordered(node, (value) => {
    const sigmoid = made(b, value, 'Sigmoid');
    return sigmoid !== undefined && node.inputs.includes(sigmoid.inputs[0]!);
  });
  if (pair === undefined || b.uses(pair[0]) !== 1) return undefined;
  return [emitOwn(b, 'QuickGelu', [pair[1]], node.outputs[0]!, { alpha: 1 })];
});

/** `x − max(x) − log Σ e^(x − max(x))` over the last axis as LogSoftmax. */
export const logSoftmax: Rule = rule('Sub', (node, b) => {
  const shifted = made(b, node.inputs[0]!, 'Sub');
  const log = made(b, node.inputs[1]!, 'Log');
  const sum = log && made(b, log.inputs[0]!, 'ReduceSum');
  const max = shifted && made(b, shifted.inputs[1]!, 'ReduceMax');
  if (sum === undefined || max === undefined) return undefined;
  if (made(b, sum.inputs[0]!, 'Exp')?.inputs[0] !== node.inputs[0]) return undefined;
  const [x] = shifted!.inputs as [Value];
  const last = [sum, max].every(
    (over) => over.attributes.keepdims === 1 && axesOf(over).join() === String(x.shape.length - 1),
  );
  if (max.inputs[0] !== x || !last) return undefined;
  return [emit(b, 'LogSoftmax', [x], node.outputs[0]!, { axis: -1 })];
});

/** The x of `x · x`, if that is what a value is. */
function squared(b: Site, value: Value): Value | undefined {
  const [x, same] = made(b, value, 'Mul')?.inputs ?? [];
  return x === same ? x : undefined;
}
/** The sum or the mean of all `x²` as ReduceSumSquare. */
export const squareSums: Rule = rule('ReduceSum ReduceMean', (node, b) => {
  const [squares, axes] = node.inputs as [Value, Value];
  const x = b.uses(squares) === 1 ? squared(b, squares) : undefined;
  if (x === undefined || x.type !== 'float32') return undefined;
  if (axesOf(node).length < x.shape.length) return undefined;
  const sum = emit(b, 'ReduceSumSquare', [x, axes], node.outputs[0]!, node.attributes);
  return [node.op === 'ReduceSum' ? sum : mul(b, sum, 1 / sizeOf(x.shape))];
});

/** 1/√(mean(x²) + ε) over the last axis: the x and ε of a value, if it is that. */
function inverseRms(b: Site, value: Value): { x: Value; epsilon: number } | undefined {
  const root = made(b, value, 'Reciprocal');
  const sqrt = root && made(b, root.inputs[0]!, 'Sqrt');
  const sum = sqrt && made(b, sqrt.inputs[0]!, 'Add');
  const pair = sum && ordered(sum, (v) => uniformOf(v) !== undefined);
  const mean = pair && made(b, pair[1], 'ReduceMean');
  const x = mean && squared(b, mean.inputs[0]!);
  if (mean === undefined || x === undefined) return undefined;
  const axes = axesOf(mean);
  if (axes.length !== 1 || axes[0] !== x.shape.length - 1) return undefined;
  if (mean.attributes.keepdims !== 1) return undefined;
  return { x, epsilon: uniformOf(pair![0])! };
}
/**
 * `x · inverseRms(x) · w` as SimplifiedLayerNormalization, whose second result is the inverse, so that
 * the gradient need not compute it again. Found first and rewritten after, because the inverse may
 * stand before the scale that it needs.
 */
export function rmsNorms(graph: Graph): Graph {
  const norms = new Map<Value, { y: Value; w: Value; x: Value; epsilon: number }>();
  rewrite(graph, [
    rule('Mul', (node, b) => {
      const found = normOf(node, b);
      if (found !== undefined && !norms.has(found.inverse))
        norms.set(found.inverse, { ...found, y: node.outputs[0]! });
      return undefined;
    }),
  ]);
  const scaled = new Map<Value, Value>();
  const ready = new Set<Value>([...graph.inputs, ...graph.views.map(({ value }) => value)]);
  return rewrite(graph, [
    rule('', (node, b) => {
      for (const output of node.outputs) ready.add(output);
      const [out] = node.outputs as [Value];
      const norm = norms.get(out);
      if (norm === undefined || scaled.has(norm.y)) {
        const unit = scaled.get(out);
        return unit === undefined ? undefined : [unit];
      }
      const { x, w, y, epsilon } = norm;
      if (w.constant === undefined && !ready.has(w)) return undefined;
      const [unit, inverse] = normalised(b, x, w, epsilon);
      scaled.set(y, unit);
      return [inverse];
    }),
  ]);
}
/** The parts of a norm whose last product is `node`. */
function normOf(node: Node, b: Site) {
  for (const [unit, w] of [node.inputs, [...node.inputs].reverse()] as [Value, Value][]) {
    const inner = made(b, unit, 'Mul');
    if (inner === undefined || w.shape.length !== 1) continue;
    for (const [x, inverse] of [inner.inputs, [...inner.inputs].reverse()] as [Value, Value][]) {
      const found = inverseRms(b, inverse);
      if (found === undefined || found.x !== x || w.shape[0] !== x.shape.at(-1)) continue;
      return { x, w, inverse, epsilon: found.epsilon };
    }
  }
  return undefined;
}
function normalised(b: Site, x: Value, w: Value, epsilon: number): [Value, Value] {
  const outputs: [Value, Value] = [
    addValue(b.graph, 'float32', x.shape),
    addValue(b.graph, 'float32', [...x.shape.slice(0, -1), 1]),
  ];
  const attributes = { axis: -1, epsilon, stash_type: 1 };
  const inputs = [x, w];
  const op = 'SimplifiedLayerNormalization';
  b.graph.nodes.push({ op, domain: '', inputs, outputs, attributes, source: b.source });
  return outputs;
}

/**
 * Half-split rotary positions, `x·cos + swapHalves(x)·sin` with constant tables, as RotaryEmbedding. A
 * gradient is the same with −sin.
 */
export const rope: Rule = rule('Add', (node, b) => {
  if (node.op !== 'Add') return undefined;
  for (const [straight, crossed] of [node.inputs, [...node.inputs].reverse()] as [Value, Value][]) {
    const left = made(b, straight, 'Mul');
    const right = made(b, crossed, 'Mul');
    const cosine = left && ordered(left, isTable);
    const sine = right && ordered(right, isTable);
    if (cosine === undefined || sine === undefined) continue;
    const swap = swappedHalves(b, sine[1]);
    if (swap === undefined || swap !== unshaped(b, cosine[1])) continue;
    const x = cosine[1];
    const table = tables(x.shape, cosine[0], sine[0]);
    if (table === undefined) continue;
    const { batch, positions, heads, width, cos, sin } = table;
    const cache = (elements: Float32Array) =>
      addValue(b.graph, 'float32', [positions, width / 2], constantOf(elements));
    // One head comes and goes in attention's own shape, which spares two Reshapes.
    const own = heads === 1 ? [batch, 1, positions, width] : [batch, positions, heads * width];
    const flat = reshape(b, x, own);
    const inputs = [flat, fill(b, 'int64', [1], 0), cache(cos), cache(sin)];
    const turned = emitOwn(b, 'RotaryEmbedding', inputs, flat, { interleaved: 0 });
    return [reshape(b, turned, node.outputs[0]!.shape)];
  }
  return undefined;
});
const isTable = (value: Value): boolean => value.constant !== undefined && sizeOf(value.shape) > 1;
/** What `[x1, x2] → [x2, x1]` on the last axis, written as a gather of halves, was applied to. */
function swappedHalves(b: Site, value: Value): Value | undefined {
  const width = value.shape.at(-1)!;
  const gather = made(b, unshaped(b, value), 'Gather');
  if (gather === undefined) return undefined;
  const [halves] = gather.inputs as [Value];
  const rank = halves.shape.length;
  const order = integers(gather.inputs[1]);
  if (gather.attributes.axis !== rank - 2 || order?.join() !== '1,0') return undefined;
  if (halves.shape[rank - 1] !== width / 2 || halves.shape[rank - 2] !== 2) return undefined;
  return unshaped(b, halves);
}
/** The two tables as `[positions, width/2]`, if they are those of rotary positions. */
function tables(shape: readonly number[], cosine: Value, sine: Value) {
  if (!sameShape(cosine.shape, sine.shape)) return undefined;
  const width = shape.at(-1)!;
  const own = [...shape.map(() => 1), ...cosine.shape].slice(-shape.length);
  // One axis of positions, one of a head's width; others are repeated.
  const long = own.flatMap((extent, axis) => (extent === 1 ? [] : [axis]));
  const last = shape.length - 1;
  if (own[last] !== width || long.length > 2) return undefined;
  const axis = long.length === 2 ? long[0]! : Math.max(0, last - 2);
  const positions = own[axis]!;
  if (shape[axis] !== positions) return undefined;
  const [p, q] = [elementsOf(cosine)!, elementsOf(sine)!];
  const half = width / 2;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let i = 0; i < positions; i++)
    for (let j = 0; j < half; j++) {
      const at = i * width + j;
      if (p[at] !== p[at + half] || q[at] !== -q[at + half]!) return undefined;
      cos[i * half + j] = p[at]!;
      sin[i * half + j] = q[at + half]!;
    }
  const batch = sizeOf(shape.slice(0, axis));
  return { batch, positions, heads: sizeOf(shape.slice(axis + 1, last)), width, cos, sin };
}
