/** Sums with a tensor whose rows are scaled, `x + y ∘ gate`, are one operator of onnxruntime: a pass less each. */
import { emit, emitOwn, fill } from '../builder.js';
import { type Node, sameShape, uniformOf, type Value } from '../graph.js';
import { made } from './match.js';
import { type Rule, rule, type Site } from './rewrite.js';

/** Rows shorter than this are not worth a loop of their own. */
const SHORT = 16;

/** `y ∘ gate`, if that is what a value is and nobody else needs it. */
function gated(b: Site, value: Value): { y: Value; gate: Value } | undefined {
  const product = b.uses(value) === 1 ? made(b, value, 'Mul') : undefined;
  if (product === undefined || value.type !== 'float32' || value.shape.length < 2) return undefined;
  const rows = [...value.shape.slice(0, -1), 1];
  if (value.shape.at(-1)! < SHORT) return undefined;
  for (const [y, gate] of [product.inputs, [...product.inputs].reverse()] as [Value, Value][]) {
    if (!sameShape(y.shape, value.shape)) continue;
    const factor = uniformOf(gate);
    if (factor !== undefined) return { y, gate: fill(b, 'float32', rows, factor) };
    if (sameShape(gate.shape, rows)) return { y, gate };
  }
  return undefined;
}
const gatedAdd = (b: Site, x: Value, y: Value, gate: Value): Value =>
  emitOwn(b, 'GatedAdd', [x, y, gate], x);

/** Sums and differences with one scaled side, or with both. */
export const gatedAdds: Rule = rule('Add Sub', (node, b) => {
  const [x, y] = node.inputs as [Value, Value];
  const [out] = node.outputs as [Value];
  const whole = sameShape(x.shape, out.shape) && sameShape(y.shape, out.shape);
  if (!whole) return undefined;
  const right = gated(b, y);
  if (right !== undefined) {
    const { gate } = right;
    const factor = node.op === 'Add' ? gate : emit(b, 'Neg', [gate], gate);
    return [gatedAdd(b, x, right.y, factor)];
  }
  if (node.op === 'Sub') return undefined;
  const left = gated(b, x);
  if (left !== undefined) return [gatedAdd(b, y, left.y, left.gate)];
  return regrouped(b, x, y) ?? regrouped(b, y, x);
});
/** `x + (y ∘ p + z ∘ q)` is `(x + z ∘ q) + y ∘ p`. */
function regrouped(b: Site, x: Value, sum: Value): Value[] | undefined {
  const inner: Node | undefined = b.uses(sum) === 1 ? made(b, sum, 'GatedAdd') : undefined;
  if (inner === undefined) return undefined;
  const [scaled, z, q] = inner.inputs as [Value, Value, Value];
  const first = gated(b, scaled);
  return first && [gatedAdd(b, gatedAdd(b, x, z, q), first.y, first.gate)];
}
