/** Sums rows by index without a matrix product, for runtimes that add in order. */
import * as make from '../builder.js';
import { sameShape } from '../graph.js';
import { integers, oneHot, productFlags } from './inspect.js';
import { op } from './pattern.js';
import { type Rule, rule } from './rewrite.js';

/**
 * A product with a transposed one-hot matrix sums rows by class: `Gemm(hot(ids)ᵀ, x)` as a
 * ScatterND that adds to zeros, or to the product's third input. ScatterND has a race with several
 * threads, so this rule must be off then.
 */
export const rowSums: readonly Rule[] = [
  rule(op('Gemm', oneHot, 'x'), ({ ids, classes, x }, b) => {
    const { transA, transB, alpha, beta } = productFlags(b.node);
    if (transA !== 1 || transB === 1 || alpha !== 1 || beta !== 1) return undefined;
    if (integers(classes)?.every((n, i) => n === i) !== true) return undefined;
    const { type, shape } = b.out;
    const [segments = 0, width = 0] = shape;
    const [, , start] = b.node.inputs;
    if (start !== undefined && !sameShape(start.shape, shape)) return undefined;
    // Ids out of range match no class.
    const rows = make.clampToDummyRow(b, ids, segments);
    const padded = { type, shape: [segments + 1, width] };
    const zeros = make.fill(b, type, padded.shape, 0);
    const inputs = [zeros, make.cast(b, rows, 'int64'), x];
    const sums = make.emit(b, 'ScatterND', inputs, padded, { reduction: 'add' });
    const whole = make.slice(b, sums, [0, 0], shape);
    return start === undefined ? whole : make.emitAdd(b, start, whole);
  }),
];
