/** Arithmetic that need not be done: constants, neutral elements, casts and broadcasts without effect. */
import { sizeOf } from '@grok/core';
import { binary, cast, constant, expand, fill, reshape } from '../builder.js';
import { constantOf, elementsOf, type Node, sameShape, uniformOf, type Value } from '../graph.js';
import { integers, made } from './match.js';
import { type Rule, rule, type Site } from './rewrite.js';

const { fround } = Math;
const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Abs: Math.abs,
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
};
const BINARY: Readonly<Record<string, (x: number, y: number) => number>> = {
  Add: (x, y) => x + y,
  Sub: (x, y) => x - y,
  Mul: (x, y) => x * y,
  Div: (x, y) => x / y,
};
/** Constants longer than this are left to the runtime. */
const FOLDED = 4096;

/** Arithmetic on float constants, and constants moved about. */
export const constants: Rule = rule(
  'Expand Transpose Reshape Cast Neg Abs Sqrt Reciprocal Add Sub Mul Div',
  (node, b) => {
    const [x, y] = node.inputs;
    const [out] = node.outputs as [Value];
    if (x?.constant === undefined) return undefined;
    const u = uniformOf(x);
    if (node.op === 'Expand' && u !== undefined) return [fill(b, x.type, out.shape, u)];
    if (node.op === 'Transpose' && u !== undefined) return [fill(b, x.type, out.shape, u)];
    if (node.op === 'Reshape') return [reshape(b, x, out.shape)];
    if (node.op === 'Cast' && sizeOf(x.shape) <= FOLDED) return foldedCast(node, b);
    const one = UNARY[node.op];
    if (one !== undefined && u !== undefined && x.type === 'float32')
      return [fill(b, x.type, x.shape, fround(one(u)))];
    const two = BINARY[node.op];
    if (two === undefined || y?.constant === undefined || x.type !== 'float32') return undefined;
    const v = uniformOf(y);
    if (u !== undefined && v !== undefined) return [fill(b, x.type, out.shape, fround(two(u, v)))];
    if (sizeOf(out.shape) > FOLDED) return undefined;
    const whole = (value: Value, uniform: number | undefined): boolean =>
      uniform !== undefined || sameShape(value.shape, out.shape);
    if (!whole(x, u) || !whole(y, v)) return undefined;
    const [p, q] = [elementsOf(x)!, elementsOf(y)!];
    const elements = Array.from({ length: sizeOf(out.shape) }, (_, i) =>
      fround(two(u ?? p[i]!, v ?? q[i]!)),
    );
    return [constant(b, 'float32', out.shape, constantOf(elements))];
  },
);
function foldedCast(node: Node, b: Site): Value[] | undefined {
  const [x] = node.inputs as [Value];
  const { type, shape } = node.outputs[0]!;
  const convert = ((): ((n: number) => number) | undefined => {
    if (type === 'bool') return (n) => (n === 0 ? 0 : 1);
    if (type === 'float32') return fround;
    if (type === 'float64') return (n) => n;
    // A float out of int32's range has no agreed value.
    return Array.from(elementsOf(x)!).every((n) => Math.abs(n) < 2 ** 31) ? Math.trunc : undefined;
  })();
  if (convert === undefined) return undefined;
  return [constant(b, type, shape, constantOf(Array.from(elementsOf(x)!, convert)))];
}

/** `x + 0`, `x · 1`, `x / 1`, `x − 0`, and Identity. */
export const neutral: Rule = rule('Identity Add Sub Mul Div', (node, b) => {
  if (node.op === 'Identity') return [node.inputs[0]!];
  const zero = node.op === 'Add' || node.op === 'Sub';
  const one = node.op === 'Mul' || node.op === 'Div';
  if (!zero && !one) return undefined;
  const wanted = zero ? 0 : 1;
  const [x, y] = node.inputs as [Value, Value];
  const [out] = node.outputs as [Value];
  // −0 + 0 is 0: a difference in a sign that nothing here looks at.
  if (uniformOf(y) === wanted) return [expand(b, x, out.shape)];
  if (uniformOf(x) === wanted && (node.op === 'Add' || node.op === 'Mul'))
    return [expand(b, y, out.shape)];
  return undefined;
});

/** Casts to the same type, casts of casts that lose nothing, `−(−x)`, `!(!x)`. */
export const undone: Rule = rule('Cast Neg Not', (node, b) => {
  const [x] = node.inputs as [Value];
  if (node.op === 'Cast') {
    const { type } = node.outputs[0]!;
    if (x.type === type) return [x];
    const inner = made(b, x, 'Cast')?.inputs[0];
    // A bool is 0 or 1 in every type.
    if (inner?.type === 'bool') return [cast(b, inner, type)];
    return undefined;
  }
  if (node.op !== 'Neg' && node.op !== 'Not') return undefined;
  const inner = made(b, x, node.op)?.inputs[0];
  return inner === undefined ? undefined : [inner];
});

const ELEMENTWISE = new Set(['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Pow']);
/**
 * Elementwise operators broadcast by themselves: no Expand before them where the other operand has the
 * whole shape, and constants of one number as scalars.
 */
export const broadcasts: Rule = rule('Add Sub Mul Div Max Min Pow', (node, b) => {
  if (!ELEMENTWISE.has(node.op)) return undefined;
  const [out] = node.outputs as [Value];
  const [x, y] = node.inputs as [Value, Value];
  const narrow = (value: Value, other: Value): Value => {
    const wide = made(b, value, 'Expand')?.inputs[0];
    if (wide !== undefined && sameShape(other.shape, out.shape)) return wide;
    const u = uniformOf(value);
    if (u !== undefined && value.shape.length > 0 && sameShape(other.shape, out.shape))
      return fill(b, value.type, [], u);
    return value;
  };
  const [p, q] = [narrow(x, y), narrow(y, x)];
  if (p === x && q === y) return undefined;
  // Both at once would lose the shape.
  return [p !== x ? binary(b, node.op, p, y, out.type) : binary(b, node.op, x, q, out.type)];
});

/** The sum over axes of a broadcast is a product, as in the gradient of a mean. */
export const sums: Rule = rule('ReduceSum ReduceMean', (node, b) => {
  if (node.op !== 'ReduceSum' && node.op !== 'ReduceMean') return undefined;
  const [x] = node.inputs as [Value];
  const u = uniformOf(x);
  const [out] = node.outputs as [Value];
  if (u === undefined || x.type !== 'float32') return undefined;
  const factor = node.op === 'ReduceMean' ? 1 : sizeOf(x.shape) / sizeOf(out.shape);
  return [fill(b, 'float32', out.shape, fround(u * factor))];
});

/** `x − (−y)`, `x + (−y)`, `(−x) · c`: signs absorbed by what reads them. */
export const signs: Rule = rule('Add Sub Neg', (node, b) => {
  const [x, y] = node.inputs as [Value, Value];
  if (node.op === 'Add') {
    const right = made(b, y, 'Neg')?.inputs[0];
    if (right !== undefined) return [binary(b, 'Sub', x, right)];
    const left = made(b, x, 'Neg')?.inputs[0];
    return left === undefined ? undefined : [binary(b, 'Sub', y, left)];
  }
  if (node.op === 'Sub') {
    const right = made(b, y, 'Neg')?.inputs[0];
    return right === undefined ? undefined : [binary(b, 'Add', x, right)];
  }
  if (node.op === 'Neg') {
    // −(a − b) = b − a, if nobody else needs a − b.
    const inner = made(b, x, 'Sub');
    if (inner === undefined || b.uses(x) !== 1) return undefined;
    return [binary(b, 'Sub', inner.inputs[1]!, inner.inputs[0]!)];
  }
  return undefined;
});

/** Slices of slices of constants and whole slices are the builder's; a slice of an Expand is an Expand. */
export const slices: Rule = rule('Slice', (node, b) => {
  if (node.op !== 'Slice') return undefined;
  const wide = made(b, node.inputs[0]!, 'Expand')?.inputs[0];
  const [out] = node.outputs as [Value];
  if (wide === undefined || wide.shape.length !== out.shape.length) return undefined;
  const axes = integers(node.inputs[3]);
  if (axes?.some((axis) => wide.shape[axis] !== 1)) return undefined;
  return [expand(b, wide, out.shape)];
});
