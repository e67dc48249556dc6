/** Sums of rows by index without a product, for runtimes that add in order. */
import { binary, cast, emit, fill, orSpare, slice } from '../builder.js';
import { elementsOf, sameShape, type Value } from '../graph.js';
import { equalityOf } from './match.js';
import { type Rule, rule, type Site } from './rewrite.js';

/**
 * A product with a transposed one-hot matrix adds rows by class: `Gemm(hot(ids)ᵀ, x)` as a ScatterND
 * that adds to zeros, or to the product's third input. On several threads ScatterND races; whoever
 * runs on more than one switches this off.
 */
export const rowSums: Rule = rule('Gemm', (node, b) => {
  const [hot, x, start] = node.inputs as [Value, Value, Value | undefined];
  const { transA, transB, alpha = 1, beta = 1 } = node.attributes as Record<string, number>;
  if (transA !== 1 || transB === 1 || alpha !== 1 || beta !== 1) return undefined;
  const ids = classesOf(b, hot);
  if (ids === undefined) return undefined;
  const [out] = node.outputs as [Value];
  const [segments, width] = out.shape as [number, number];
  if (start !== undefined && !sameShape(start.shape, out.shape)) return undefined;
  // Ids out of range match no class.
  const safe = orSpare(b, ids, segments);
  const rows = { type: out.type, shape: [segments + 1, width] };
  const zeros = fill(b, out.type, rows.shape, 0);
  const sums = emit(b, 'ScatterND', [zeros, cast(b, safe, 'int64'), x], rows, { reduction: 'add' });
  const whole = slice(b, sums, [0, 0], out.shape);
  return [start === undefined ? whole : binary(b, 'Add', start, whole)];
});

/** The ids `[n, 1]` of a one-hot matrix `[n, classes]` of floats, if it is one. */
function classesOf(b: Site, hot: Value): Value | undefined {
  const equality = equalityOf(b, hot);
  const numbers = equality && elementsOf(equality.classes);
  if (numbers === undefined) return undefined;
  for (let i = 0; i < numbers.length; i++) if (numbers[i] !== i) return undefined;
  return equality!.ids;
}
