/** Merges scale factors, sums and signs into matrix products, where they are free. */
import { sizeOf } from '@grok/core';
import * as make from '../builder.js';
import { type Node, readUniform, sameShape, type Value } from '../graph.js';
import { productFlags } from './inspect.js';
import { anyAdd, anyMul, named, node, once, op, scalar } from './pattern.js';
import { type RewriteSite, type Rule, rule } from './rewrite.js';

const PRODUCTS = ['Gemm', 'FusedMatMul'];

/** The value and the factor, if a node multiplies by a constant. */
function scaling(node: Node | undefined): { x: Value; factor: number } | undefined {
  const [[x, y] = [], [out] = []] = [node?.inputs, node?.outputs];
  if (x === undefined || out?.type !== 'float32') return undefined;
  const whole = (value: Value, factor: number | undefined) =>
    factor !== undefined && sameShape(value.shape, out.shape) ? { x: value, factor } : undefined;
  const [a, c] = [x, y].map((value) => value && readUniform(value));
  if (node?.op === 'Neg') return whole(x, -1);
  if (node?.op === 'Div') return whole(x, c === undefined ? c : 1 / c);
  if (node?.op !== 'Mul' || y === undefined) return undefined;
  return a === undefined ? whole(x, c) : whole(y, a);
}
/** onnxruntime has faster code for products with one row or one column, but only without alpha. */
const isThin = ({ shape }: Value): boolean => shape.slice(-2).includes(1);

/** Merges chained factors, signs and divisions by a constant into one factor, and a product's factor into its alpha. */
export const scales: readonly Rule[] = [
  rule(op('Mul Div Neg'), (_, b) => {
    const outer = scaling(b.node);
    const inner = outer && b.uses(outer.x) === 1 ? b.producer(outer.x) : undefined;
    if (outer === undefined || inner === undefined) return undefined;
    const both = scaling(inner);
    if (both !== undefined) return make.emitMul(b, both.x, both.factor * outer.factor);
    if (!PRODUCTS.includes(inner.op) || isThin(b.out)) return undefined;
    const { alpha, beta } = productFlags(inner);
    const flags = { ...inner.attributes, alpha: alpha * outer.factor };
    const start = inner.inputs.length > 2 ? { beta: beta * outer.factor } : {};
    return make.emit(b, inner.op, inner.inputs, b.out, { ...flags, ...start }, inner.domain);
  }),
  rule(op(PRODUCTS, 'x', 'y'), ({ x, y }, b) => {
    const [left, right] = [scaling(b.producer(x)), scaling(b.producer(y))];
    if (isThin(b.out) || (left === undefined && right === undefined)) return undefined;
    const { alpha } = productFlags(b.node);
    const factor = (left?.factor ?? 1) * (right?.factor ?? 1);
    const inputs = [left?.x ?? x, right?.x ?? y, ...b.node.inputs.slice(2)];
    const attributes = { ...b.node.attributes, alpha: alpha * factor };
    return make.emit(b, b.node.op, inputs, b.out, attributes, b.node.domain);
  }),
];

/** Merges the addend of a product into it: `Gemm(a, b) + c` is `Gemm(a, b, c)`. */
export const sumsIntoProducts: readonly Rule[] = [
  // The later product absorbs the earlier one, since the addend must be computed before.
  rule(op('Add Sub', 'c', once(node('product', op('Gemm')))), ({ c, product }, b) =>
    startProduct(b, product, c, b.node.op === 'Sub' ? -1 : 1, 1),
  ),
  rule(op('Add Sub', once(node('product', op('Gemm'))), 'c'), ({ c, product }, b) =>
    startProduct(b, product, c, 1, b.node.op === 'Sub' ? -1 : 1),
  ),
];
function startProduct(b: RewriteSite, product: Node, c: Value, sign: number, beta: number) {
  const whole = [c, ...product.outputs].every(({ shape }) => sameShape(shape, b.out.shape));
  if (!whole || product.inputs.length > 2) return undefined;
  const { alpha } = productFlags(product);
  const attributes = { ...product.attributes, alpha: alpha * sign, beta };
  return make.emit(b, 'Gemm', [...product.inputs, c], b.out, attributes);
}

const isTensor = ({ out }: RewriteSite): boolean =>
  out.type === 'float32' && sizeOf(out.shape) !== 1;
const flat = (b: RewriteSite, value: Value): Value => make.reshape(b, value, []);

/** Multiplies one-element factors with each other first, instead of each with a whole tensor. */
export const scalars: readonly Rule[] = [
  rule(anyMul(scalar('f'), once(anyMul(scalar('s'), 'x'))), ({ f, s, x }, b) =>
    isTensor(b) ? make.emitMul(b, x, make.emitMul(b, flat(b, s), flat(b, f))) : undefined,
  ),
  // (a · s / d) · f = a · (s·f) / d
  rule(
    anyMul(scalar('f'), once(op('Div', once(named('above', anyMul(scalar('s'), 'a'))), 'd'))),
    ({ f, above, d }, b) =>
      isTensor(b) ? make.emitDiv(b, make.emitMul(b, above, flat(b, f)), d) : undefined,
  ),
];

/** Merges weight decay with an update of the same tensor: `p + (u + p·k)·f` is `p·(1 + k·f) + u·f`, saving two passes. */
export const decays: readonly Rule[] = [
  rule(anyAdd('p', once(anyMul(scalar('f'), once(anyAdd('u', 'p'))))), (found, b) =>
    decay(b, found, 1),
  ),
  rule(
    anyAdd('p', once(anyMul(scalar('f'), once(anyAdd('u', once(anyMul(scalar('k'), 'p'))))))),
    (found, b) => decay(b, found, found.k),
  ),
];
function decay(b: RewriteSite, { p, u, f }: Record<'p' | 'u' | 'f', Value>, k: Value | number) {
  if (p.type !== 'float32' || sizeOf(p.shape) === 1) return undefined;
  const factor = flat(b, f);
  const change =
    typeof k === 'number' ? make.emitMul(b, factor, k) : make.emitMul(b, flat(b, k), factor);
  const kept = make.emitMul(b, p, make.emitAdd(b, change, 1));
  return make.emitAdd(b, kept, make.emitMul(b, u, factor));
}
