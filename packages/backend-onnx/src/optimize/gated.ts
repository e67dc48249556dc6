/** Fuses additions of a row-scaled tensor, `x + y ∘ gate`, into one onnxruntime operator, which saves a pass each. */
import * as make from '../builder.js';
import { readUniform, sameShape, type Value } from '../graph.js';
import { anyAdd, anyMul, anyOrder, once, op } from './pattern.js';
import { type RewriteSite, type Rule, rule } from './rewrite.js';

/** Shorter rows are not worth their own loop. */
const SHORT = 16;

/** The gate as one number per row of `y`, if it has that form and `y` has the shape of the result. */
function rowGate(b: RewriteSite, y: Value, gate: Value): Value | undefined {
  const { type, shape } = b.out;
  const [width = 0, ...outer] = [...shape].reverse();
  if (type !== 'float32' || outer.length === 0 || width < SHORT) return undefined;
  if (!sameShape(y.shape, shape)) return undefined;
  const rows = [...shape.slice(0, -1), 1];
  const factor = readUniform(gate);
  if (factor !== undefined) return make.fill(b, type, rows, factor);
  return sameShape(gate.shape, rows) ? gate : undefined;
}
const gatedAdd = (b: RewriteSite, x: Value, y: Value, gate: Value): Value =>
  make.emitOwn(b, 'GatedAdd', [x, y, gate], x);

const gated = once(anyMul('y', 'gate'));
/** Sums and differences with one or two scaled sides: `x + (y ∘ p + z ∘ q)` is `(x + z ∘ q) + y ∘ p`. */
export const gatedAdds: readonly Rule[] = [
  rule(anyOrder(op('Add Sub', 'x', gated)), ({ x, y, gate }, b) => {
    const rows = sameShape(x.shape, b.out.shape) ? rowGate(b, y, gate) : undefined;
    if (rows === undefined) return undefined;
    return gatedAdd(b, x, y, b.node.op === 'Add' ? rows : make.unary(b, 'Neg', rows));
  }),
  rule(anyAdd('x', once(op('GatedAdd', gated, 'z', 'q'))), ({ x, y, gate, z, q }, b) => {
    const rows = sameShape(x.shape, b.out.shape) ? rowGate(b, y, gate) : undefined;
    return rows && gatedAdd(b, gatedAdd(b, x, z, q), y, rows);
  }),
];
