/** Removes unnecessary arithmetic: constants, neutral elements, casts and broadcasts without effect. */
import { sizeOf } from '@grok/core';
import * as make from '../builder.js';
import { makeConstant, readElements, readUniform, sameShape, type Value } from '../graph.js';
import { integers, operand } from './inspect.js';
import {
  any,
  anyAdd,
  anyConstant,
  anyNumber,
  anyOrder,
  type Known,
  named,
  once,
  op,
} from './pattern.js';
import { type RewriteSite, type Rule, rule } from './rewrite.js';

const { fround } = Math;
const UNARY: ReadonlyMap<string, (x: number) => number> = new Map([
  ['Neg', (x: number) => -x],
  ['Abs', Math.abs],
  ['Sqrt', Math.sqrt],
  ['Reciprocal', (x: number) => 1 / x],
]);
const BINARY: ReadonlyMap<string, (x: number, y: number) => number> = new Map([
  ['Add', (x: number, y: number) => x + y],
  ['Sub', (x: number, y: number) => x - y],
  ['Mul', (x: number, y: number) => x * y],
  ['Div', (x: number, y: number) => x / y],
]);
/** Conversions of numbers to a type; integer types truncate. */
const CONVERT: ReadonlyMap<string, (x: number) => number> = new Map([
  ['bool', (x: number) => (x === 0 ? 0 : 1)],
  ['float32', fround],
  ['float64', (x: number) => x],
]);
/** Longer constants are left to the runtime. */
const FOLDED = 4096;

/** Folds arithmetic on float constants, moves of constants, and sums over uniform axes. */
export const constants: readonly Rule[] = [
  rule(op('Expand Transpose', named('x', anyNumber('u'))), ({ x, u }, b) =>
    make.fill(b, x.type, b.out.shape, u),
  ),
  rule(op('Reshape', anyConstant('x')), ({ x }, b) => make.reshape(b, x, b.out.shape)),
  rule(op('Cast', anyConstant('x')), ({ x }, b) => foldCast(b, x)),
  rule(op([...UNARY.keys()], named('x', anyNumber('u'))), ({ x, u }, b) => {
    const compute = x.type === 'float32' ? UNARY.get(b.node.op) : undefined;
    return compute && make.fill(b, x.type, x.shape, fround(compute(u)));
  }),
  rule(op([...BINARY.keys()], anyConstant('x'), anyConstant('y')), ({ x, y }, b) =>
    foldBinary(b, x, y),
  ),
  // As in the gradient of a mean.
  rule(op('ReduceSum ReduceMean', named('x', anyNumber('u'))), ({ x, u }, b) => {
    if (x.type !== 'float32') return undefined;
    const factor = b.node.op === 'ReduceMean' ? 1 : sizeOf(x.shape) / sizeOf(b.out.shape);
    return make.fill(b, 'float32', b.out.shape, fround(u * factor));
  }),
];
function foldBinary(b: RewriteSite, x: Value, y: Value): Value | undefined {
  const { shape } = b.out;
  const compute = BINARY.get(b.node.op);
  if (compute === undefined || x.type !== 'float32') return undefined;
  const [u, v] = [readUniform(x), readUniform(y)];
  if (u !== undefined && v !== undefined) return make.fill(b, x.type, shape, fround(compute(u, v)));
  const whole = (value: Value): ArrayLike<number> | undefined =>
    readUniform(value) !== undefined || sameShape(value.shape, shape)
      ? readElements({ ...value, shape })
      : undefined;
  const [p, q] = sizeOf(shape) > FOLDED ? [] : [whole(x), whole(y)];
  if (p === undefined || q === undefined) return undefined;
  const elements = Array.from(p, (n, i) => fround(compute(n, q[i] ?? Number.NaN)));
  return make.addConstant(b, 'float32', shape, makeConstant(elements));
}
function foldCast(b: RewriteSite, x: Value): Value | undefined {
  const { type, shape } = b.out;
  const elements = sizeOf(x.shape) > FOLDED ? undefined : integers(x);
  // Converting a float outside int32's range has no defined result.
  const whole = elements?.every((n) => Math.abs(n) < 2 ** 31) ? Math.trunc : undefined;
  const convert = CONVERT.get(type) ?? whole;
  if (elements === undefined || convert === undefined) return undefined;
  return make.addConstant(b, type, shape, makeConstant(elements.map(convert)));
}

/** Removes casts to the same type, casts of lossless casts, `−(−x)` and `!(!x)`. */
const cancelInverses: readonly Rule[] = [
  rule(op('Cast', 'x'), ({ x }, b) => (x.type === b.out.type ? x : undefined)),
  // A bool is 0 or 1 in every type.
  rule(
    op(
      'Cast',
      op(
        'Cast',
        any('x', ({ type }) => type === 'bool'),
      ),
    ),
    ({ x }, b) => make.cast(b, x, b.out.type),
  ),
  rule(op('Neg', op('Neg', 'x')), ({ x }) => x),
  rule(op('Not', op('Not', 'x')), ({ x }) => x),
];
/** Removes `x + 0`, `x · 1`, `x / 1`, `x − 0`, Identity, and inverse pairs. */
export const neutral: readonly Rule[] = [
  rule(op('Identity', 'x'), ({ x }) => x),
  // −0 + 0 is 0: this loses the sign of zero, which nothing here depends on.
  rule(anyOrder(op('Add Sub', 'x', 0)), ({ x }, b) => make.expand(b, x, b.out.shape)),
  rule(anyOrder(op('Mul Div', 'x', 1)), ({ x }, b) => make.expand(b, x, b.out.shape)),
  ...cancelInverses,
];

/** Absorbs signs into the node that reads them: `x − (−y)`, `x + (−y)`, `−(x − y)`. */
export const signs: readonly Rule[] = [
  rule(anyAdd('x', op('Neg', 'y')), ({ x, y }, b) => make.emitSub(b, x, y)),
  rule(op('Sub', 'x', op('Neg', 'y')), ({ x, y }, b) => make.emitAdd(b, x, y)),
  rule(op('Neg', once(op('Sub', 'x', 'y'))), ({ x, y }, b) => make.emitSub(b, y, x)),
];

const ELEMENTWISE = 'Add Sub Mul Div Max Min Pow';
/** The value that is repeated: the input of an Expand, or the number of a uniform constant. */
function repeated(b: RewriteSite, value: Value): Value {
  const u = readUniform(value);
  return u === undefined ? (operand(b, value, 'Expand') ?? value) : make.scalarLike(b, value, u);
}
const isRepeated = (value: Value, known: Known): boolean =>
  readUniform(value) === undefined
    ? operand(known, value, 'Expand') !== undefined
    : value.shape.length > 0;
/**
 * Elementwise operators broadcast implicitly: no Expand before them if the other operand has the
 * full shape, and uniform constants become scalars. A slice of an Expand is an Expand.
 */
export const broadcasts: readonly Rule[] = [
  rule(op(ELEMENTWISE, any('x', isRepeated), 'y'), ({ x, y }, b) =>
    sameShape(y.shape, b.out.shape)
      ? make.binary(b, b.node.op, repeated(b, x), y, b.out.type)
      : undefined,
  ),
  rule(op(ELEMENTWISE, 'x', any('y', isRepeated)), ({ x, y }, b) =>
    sameShape(x.shape, b.out.shape)
      ? make.binary(b, b.node.op, x, repeated(b, y), b.out.type)
      : undefined,
  ),
  rule(op('Slice', op('Expand', 'x')), ({ x }, b) => {
    const axes = integers(b.node.inputs[3]);
    const { shape } = b.out;
    if (x.shape.length !== shape.length || axes?.some((axis) => x.shape[axis] !== 1))
      return undefined;
    return make.expand(b, x, shape);
  }),
];
