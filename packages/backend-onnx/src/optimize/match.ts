/** Words for rules: what a node is and what it reads. */
import { sizeOf } from '@grok/core';
import { elementsOf, type Node, sameShape, type Value } from '../graph.js';
import type { Site } from './rewrite.js';

/** The node that makes `value`, if it is one of the operators named. */
export function made(site: Site, value: Value, ...ops: readonly string[]): Node | undefined {
  const node = site.producer(value);
  return node !== undefined && ops.includes(node.op) ? node : undefined;
}
/** `value` with Reshapes before it taken away. */
export function unshaped(site: Site, value: Value): Value {
  let at = value;
  for (;;) {
    const node = made(site, at, 'Reshape');
    if (node === undefined) return at;
    at = node.inputs[0]!;
  }
}
/** True for one element, constant or not. */
export const isScalar = (value: Value): boolean => sizeOf(value.shape) === 1;

/** The inputs of a commutative node in the order that `first` accepts, or undefined. */
export function ordered(
  node: Node,
  first: (value: Value) => boolean,
): readonly [Value, Value] | undefined {
  const [x, y] = node.inputs as [Value, Value];
  if (first(x)) return [x, y];
  return first(y) ? [y, x] : undefined;
}
/** Whole numbers of a constant input. */
export function integers(value: Value | undefined): number[] | undefined {
  const elements = value === undefined ? undefined : elementsOf(value);
  return elements === undefined ? undefined : Array.from(elements);
}
/** The ids `[n, 1]` and classes `[count]` of a matrix of numbers `ids = classes`, `[n, count]`, if it is one. */
export function equalityOf(site: Site, value: Value): { ids: Value; classes: Value } | undefined {
  const numbers = made(site, value, 'Cast');
  const equal = numbers && made(site, numbers.inputs[0]!, 'Equal');
  if (equal === undefined) return undefined;
  const [ids, classes] = equal.inputs as [Value, Value];
  const [n, count] = value.shape as [number, number];
  return sameShape(ids.shape, [n, 1]) && sameShape(classes.shape, [count])
    ? { ids, classes }
    : undefined;
}
/** Axes of a reduction, counted from the front. */
export function axesOf(node: Node): readonly number[] {
  const rank = node.inputs[0]!.shape.length;
  return (integers(node.inputs[1]) ?? []).map((axis) => (axis < 0 ? axis + rank : axis));
}
