/** Matrix products take factors, sums and signs along at no cost. */
import { sizeOf } from '@grok/core';
import { binary, emit, mul, reshape, scalarLike } from '../builder.js';
import { type Node, sameShape, uniformOf, type Value } from '../graph.js';
import { isScalar, made, ordered } from './match.js';
import { type Rule, rule, type Site } from './rewrite.js';

const PRODUCTS = ['Gemm', 'FusedMatMul'] as const;

/** The constant that a node multiplies by, and what it multiplies. */
function scaled(node: Node | undefined): { inner: Value; factor: number } | undefined {
  if (node === undefined || node.outputs[0]!.type !== 'float32') return undefined;
  const [x, y] = node.inputs as [Value, Value];
  if (node.op === 'Neg') return { inner: x, factor: -1 };
  if (node.op === 'Div') {
    const by = uniformOf(y);
    return by === undefined || !sameShape(x.shape, node.outputs[0]!.shape)
      ? undefined
      : { inner: x, factor: 1 / by };
  }
  if (node.op !== 'Mul') return undefined;
  const pair = ordered(node, (value) => uniformOf(value) !== undefined);
  if (pair === undefined || !sameShape(pair[1].shape, node.outputs[0]!.shape)) return undefined;
  return { inner: pair[1], factor: uniformOf(pair[0])! };
}

/**
 * A constant factor of a product's operand or result becomes its alpha; except of products with one row
 * or one column, which onnxruntime has faster ways for as long as there is none.
 */
export const scalesIntoProducts: Rule = rule('Mul Div Neg Gemm FusedMatMul', (node, b) => {
  const [out] = node.outputs as [Value];
  if (out.shape.slice(-2).includes(1)) return undefined;
  const outer = scaled(node);
  if (outer !== undefined) {
    const product = made(b, outer.inner, ...PRODUCTS);
    if (product === undefined || b.uses(outer.inner) !== 1) return undefined;
    const { alpha = 1, beta = 1 } = product.attributes as Record<string, number>;
    const attributes = {
      ...product.attributes,
      alpha: alpha * outer.factor,
      ...(product.inputs.length > 2 ? { beta: beta * outer.factor } : {}),
    };
    return [emit(b, product.op, product.inputs, out, attributes, product.domain)];
  }
  if (!(PRODUCTS as readonly string[]).includes(node.op)) return undefined;
  const [x, y, ...rest] = node.inputs as [Value, Value, ...Value[]];
  const [left, right] = [scaled(b.producer(x)), scaled(b.producer(y))];
  if (left === undefined && right === undefined) return undefined;
  const { alpha = 1 } = node.attributes as Record<string, number>;
  const attributes = {
    ...node.attributes,
    alpha: alpha * (left?.factor ?? 1) * (right?.factor ?? 1),
  };
  const inputs = [left?.inner ?? x, right?.inner ?? y, ...rest];
  return [emit(b, node.op, inputs, out, attributes, node.domain)];
});

/** Factors of factors, signs of factors, and division by a constant, as one multiplication. */
export const scales: Rule = rule('Mul Div Neg', (node, b) => {
  const outer = scaled(node);
  if (outer === undefined) return undefined;
  const inner = b.uses(outer.inner) === 1 ? scaled(b.producer(outer.inner)) : undefined;
  if (inner === undefined) return undefined;
  return [mul(b, inner.inner, scalarLike(b, inner.inner, inner.factor * outer.factor))];
});

/** A sum or a difference with a product starts the product from there: `Gemm(a, b) + c` is `Gemm(a, b, c)`. */
export const sumsIntoProducts: Rule = rule('Add Sub', (node, b) => {
  const [out] = node.outputs as [Value];
  const [left, right] = node.inputs as [Value, Value];
  const sign = node.op === 'Sub' ? -1 : 1;
  // The later product takes the earlier one: what is added must be there before.
  for (const [x, y, ofProduct, ofOther] of [
    [right, left, sign, 1],
    [left, right, 1, sign],
  ] as const) {
    const product = made(b, x, 'Gemm');
    if (product === undefined || product.inputs.length > 2 || b.uses(x) !== 1) continue;
    if (!sameShape(y.shape, out.shape) || !sameShape(x.shape, out.shape)) continue;
    const { alpha = 1 } = product.attributes as Record<string, number>;
    const attributes = { ...product.attributes, alpha: alpha * ofProduct, beta: ofOther };
    return [emit(b, 'Gemm', [...product.inputs, y], out, attributes)];
  }
  return undefined;
});

/** Factors of one element are multiplied among themselves, not each with a whole tensor. */
export const scalars: Rule = rule('Mul', (node, b) => {
  if (node.op !== 'Mul' || node.outputs[0]!.type !== 'float32') return undefined;
  const [out] = node.outputs as [Value];
  if (sizeOf(out.shape) === 1) return undefined;
  const outer = ordered(node, isScalar);
  if (outer === undefined || b.uses(outer[1]) !== 1) return undefined;
  const [factor, rest] = outer;
  const inner = made(b, rest, 'Mul', 'Div');
  if (inner === undefined) return undefined;
  if (inner.op === 'Mul') {
    const pair = ordered(inner, isScalar);
    if (pair === undefined) return undefined;
    return [mul(b, pair[1], flat(b, mul(b, flat(b, pair[0]), flat(b, factor))))];
  }
  // (a · s / d) · f = a · (s·f) / d
  const [above, below] = inner.inputs as [Value, Value];
  const top = b.uses(above) === 1 ? made(b, above, 'Mul') : undefined;
  if (top === undefined || ordered(top, isScalar) === undefined) return undefined;
  return [binary(b, 'Div', mul(b, above, flat(b, factor)), below)];
});
const flat = (b: Site, value: Value): Value => reshape(b, value, []);

/** Decay beside an update of the same tensor: `p + (u + p·k)·f` is `p·(1 + k·f) + u·f`, two passes less. */
export const decays: Rule = rule('Add', (node, b) => {
  if (node.op !== 'Add' || node.outputs[0]!.type !== 'float32') return undefined;
  for (const [p, step] of bothWays(node)) {
    if (isScalar(p)) continue;
    const product = b.uses(step) === 1 ? made(b, step, 'Mul') : undefined;
    const outer = product && ordered(product, isScalar);
    const sum = outer && b.uses(outer[1]) === 1 ? made(b, outer[1], 'Add') : undefined;
    if (outer === undefined || sum === undefined) continue;
    const f = flat(b, outer[0]);
    for (const [u, decay] of bothWays(sum)) {
      const k = factorOf(b, decay, p);
      if (k === undefined) continue;
      const change = typeof k === 'number' ? mul(b, f, k) : mul(b, flat(b, k), f);
      const kept = mul(b, p, binary(b, 'Add', change, 1));
      return [binary(b, 'Add', kept, mul(b, u, f))];
    }
  }
  return undefined;
});
const bothWays = (node: Node): readonly [Value, Value][] => {
  const [x, y] = node.inputs as [Value, Value];
  return [
    [x, y],
    [y, x],
  ];
};
/** The k of `p·k`, 1 for p itself, undefined for anything else. */
function factorOf(b: Site, value: Value, p: Value): Value | number | undefined {
  if (value === p) return 1;
  const product = b.uses(value) === 1 ? made(b, value, 'Mul') : undefined;
  const pair = product && ordered(product, isScalar);
  return pair !== undefined && pair[1] === p ? pair[0] : undefined;
}
