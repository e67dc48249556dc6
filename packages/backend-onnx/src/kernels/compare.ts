/** Comparison and logical kernels. */
import { binary, cast, unary } from '../builder.js';
import type { Kernel, Kernels } from './types.js';

/** ONNX cannot order bools, so they are compared as int32. */
const compare =
  (op: string, negate = false): Kernel =>
  (b, { a, b: c }) => {
    const ordered = a.type === 'bool' && op !== 'Equal' ? 'int32' : a.type;
    const result = binary(b, op, cast(b, a, ordered), cast(b, c, ordered), 'bool');
    return negate ? unary(b, 'Not', result) : result;
  };
const logical =
  (op: string): Kernel =>
  (b, { a, b: c }) =>
    binary(b, op, cast(b, a, 'bool'), cast(b, c, 'bool'));
const test =
  (op: string): Kernel =>
  (b, { x }) =>
    unary(b, op, cast(b, x, 'float32'), 'bool');

export const comparisons: Kernels = {
  Equal: compare('Equal'),
  NotEqual: compare('Equal', true),
  Less: compare('Less'),
  LessEqual: compare('LessOrEqual'),
  Greater: compare('Greater'),
  GreaterEqual: compare('GreaterOrEqual'),
  LogicalAnd: logical('And'),
  LogicalOr: logical('Or'),
  LogicalXor: logical('Xor'),
  LogicalNot: (b, { x }) => unary(b, 'Not', cast(b, x, 'bool')),
  IsNan: test('IsNaN'),
  IsInf: test('IsInf'),
  IsFinite: (b, { x: input }) => {
    const x = cast(b, input, 'float32');
    const odd = binary(b, 'Or', unary(b, 'IsNaN', x, 'bool'), unary(b, 'IsInf', x, 'bool'));
    return unary(b, 'Not', odd);
  },
};
