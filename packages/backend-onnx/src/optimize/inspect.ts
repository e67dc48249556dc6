/** Queries about values and nodes that patterns cannot express. */
import { type Node, readElements, type Value } from '../graph.js';
import { any, type Known, op, type Pattern } from './pattern.js';

/** The first input of the node that computes `value`, if its operator is `op`. */
export function operand(known: Known, value: Value, op: string): Value | undefined {
  const node = known.producer(value);
  return node?.op === op ? node.inputs[0] : undefined;
}
/** `value` before any Reshapes. */
export function withoutReshapes(known: Known, value: Value): Value {
  const inner = operand(known, value, 'Reshape');
  return inner === undefined ? value : withoutReshapes(known, inner);
}
/** The integers of a constant input. */
export function integers(value: Value | undefined): number[] | undefined {
  const elements = value && readElements(value);
  return elements && Array.from(elements);
}
/** An attribute that is one number. */
export function numberAttribute(node: Node, name: string, absent: number): number {
  const found = node.attributes[name];
  return typeof found === 'number' ? found : absent;
}
/** An attribute that is a list of integers. */
export function listAttribute(node: Node, name: string): readonly number[] {
  const found = node.attributes[name];
  return typeof found === 'object' && !('nodes' in found) ? found : [];
}
/** Factors and flags of a matrix product. */
export function productFlags(node: Node): Record<'alpha' | 'beta' | 'transA' | 'transB', number> {
  const flag = (name: string, absent: number) => numberAttribute(node, name, absent);
  return {
    alpha: flag('alpha', 1),
    beta: flag('beta', 1),
    transA: flag('transA', 0),
    transB: flag('transB', 0),
  };
}
/** Axes of a reduction, counted from the front. */
export function reducedAxes({ inputs: [x, axes] }: Node): readonly number[] {
  const rank = x?.shape.length ?? 0;
  return (integers(axes) ?? []).map((axis) => (axis < 0 ? axis + rank : axis));
}
const ids = any('ids', ({ shape }) => shape.length === 2 && shape[1] === 1);
const classes = any('classes', ({ shape }) => shape.length === 1);
/** A one-hot matrix `ids = classes`, [n, count], of ids [n, 1] and classes [count]. */
export const oneHot: Pattern<Record<'ids' | 'classes', Value>> = op(
  'Cast',
  op('Equal', ids, classes),
);
