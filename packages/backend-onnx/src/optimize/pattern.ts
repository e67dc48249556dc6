/**
 * Patterns of nodes, as data: `mul('x', once(op('Sigmoid', 'x')))` matches a product of any value
 * with its own sigmoid, if nothing else reads the sigmoid. A name captures a value and, when
 * repeated, requires the same one; a number requires a constant of that number. After tinygrad's
 * `UPat` (tinygrad/uop/ops.py).
 */
import { sizeOf } from '@grok/core';
import { type Node, readUniform, type Value } from '../graph.js';

/** What a pattern can query about the values of a graph. */
export interface Known {
  /** The node that computes `value`, as rewritten so far; undefined for inputs and constants. */
  producer(value: Value): Node | undefined;
  /** Number of nodes and outputs that read `value`; Infinity for one computed in this round, whose readers are unknown. */
  uses(value: Value): number;
}
/** Requirements on a value. */
interface Shape {
  /** Names under which the value, the node that computes it, and the number that fills it are captured. */
  readonly value?: string;
  readonly node?: string;
  readonly number?: string;
  /** Operators allowed for the node that computes it; any value if missing. */
  readonly ops?: readonly string[];
  /** The node's first inputs; it may have more. */
  readonly inputs?: readonly Shape[];
  /** Whether the two inputs of a commutative operator may be swapped. */
  readonly anyOrder?: boolean;
  readonly test?: Test;
}
/** A pattern with the type of its captures by name; the field exists only in the type. */
export interface Pattern<F = unknown> extends Shape {
  readonly found?: F;
}
type Test = (value: Value, known: Known) => boolean;
/** A name matches any value, a number matches a constant with that number in every element. */
type Operand = string | number | Pattern;
type Captured<O> = O extends string ? Record<O, Value> : O extends Pattern<infer F> ? F : Nothing;
type Nothing = Record<never, never>;
type All<U> = (U extends U ? (one: U) => void : never) extends (all: infer I) => void ? I : never;
type PatternOver<P extends readonly Operand[]> = Pattern<All<Captured<P[number]> | Nothing>>;

const toShape = (operand: Operand): Shape => {
  if (typeof operand === 'string') return { value: operand };
  if (typeof operand === 'number') return { test: (value) => readUniform(value) === operand };
  return operand;
};
/** Matches the result of one of the operators (separated by spaces) on inputs that match `inputs`. */
export const op = <const P extends readonly Operand[]>(
  ops: string | readonly string[],
  ...inputs: P
): PatternOver<P> => ({
  ops: typeof ops === 'string' ? ops.split(' ') : ops,
  inputs: inputs.map(toShape),
});
/** Also matches swapped inputs if the operator is commutative. */
export const anyOrder = <F>(pattern: Pattern<F>): Pattern<F> => ({ ...pattern, anyOrder: true });
/** `x + y`, in any order. */
export const anyAdd = <const P extends readonly Operand[]>(...inputs: P): PatternOver<P> =>
  anyOrder(op('Add', ...inputs));
/** `x · y`, in any order. */
export const anyMul = <const P extends readonly Operand[]>(...inputs: P): PatternOver<P> =>
  anyOrder(op('Mul', ...inputs));
/** Also requires the value to pass a test. */
export const when = <F>(pattern: Pattern<F>, test: Test): Pattern<F> => ({
  ...pattern,
  test: (value, known) => pattern.test?.(value, known) !== false && test(value, known),
});
/** Also requires that nothing else reads the value. */
export const once = <F>(pattern: Pattern<F>): Pattern<F> =>
  when(pattern, (value, known) => known.uses(value) === 1);
/** Also captures the value. */
export const named = <V extends string, F>(
  value: V,
  pattern: Pattern<F>,
): Pattern<F & Record<V, Value>> => ({ ...withoutType(pattern), value });
/** Also captures the node that computes the value. */
export const node = <N extends string, F>(
  node: N,
  pattern: Pattern<F>,
): Pattern<F & Record<N, Node>> => ({ ...withoutType(pattern), node });
const withoutType = (pattern: Shape): Shape => pattern;

/** Matches a value that passes a test. */
export const any = <V extends string>(value: V, test: Test): Pattern<Record<V, Value>> => ({
  value,
  test,
});
/** Matches a constant. */
export const anyConstant = <V extends string>(name: V): Pattern<Record<V, Value>> =>
  any(name, (value) => value.constant !== undefined);
/** Matches a value with one element, constant or not. */
export const scalar = <V extends string>(name: V): Pattern<Record<V, Value>> =>
  any(name, (value) => sizeOf(value.shape) === 1);
/** Captures the number that fills a constant. */
export const anyNumber = <C extends string>(name: C): Pattern<Record<C, number>> => ({
  number: name,
});

const COMMUTATIVE = ['Add', 'Mul'];
type Capture = Value | Node | number;
/** A capture, linked to the earlier ones. */
interface Captures {
  readonly name: string;
  readonly what: Capture;
  readonly before: Captures | undefined;
}
const START: Captures = { name: '', what: 0, before: undefined };
const NONE: readonly Captures[] = [];

/**
 * The result of `accept` for the first match of `pattern` at the output of `root` that it does not
 * reject; undefined if it rejects all.
 */
export function match<F, K extends Known, R>(
  pattern: Pattern<F>,
  root: Node,
  known: K,
  accept: (found: F, known: K) => R | undefined,
): R | undefined {
  const [out] = root.outputs;
  const ways = out && matchNode(pattern, out, known, START, root);
  for (const way of ways ?? NONE) {
    const found: Record<string, Capture> = {};
    for (let at = way; at.before !== undefined; at = at.before) found[at.name] = at.what;
    const result = accept(found as F, known);
    if (result !== undefined) return result;
  }
  return undefined;
}
/** All matches of a value and the node that computes it, each with its captures. */
function matchNode(
  p: Shape,
  value: Value,
  known: Known,
  before: Captures,
  node: Node | undefined = p.ops && known.producer(value),
): readonly Captures[] {
  let way: Captures | undefined = before;
  if (p.value !== undefined) way = capture(p.value, value, way);
  if (p.node !== undefined) way = way && capture(p.node, node, way);
  if (p.number !== undefined) way = way && capture(p.number, readUniform(value), way);
  if (way === undefined) return NONE;
  if (node === undefined || p.inputs === undefined) return [way];
  const straight = matchInputs(p.inputs, node.inputs, known, way);
  const [x, y] = p.anyOrder === true && COMMUTATIVE.includes(node.op) ? node.inputs : [];
  if (x === undefined || y === undefined) return straight;
  const crossed = matchInputs(p.inputs, [y, x], known, way);
  return straight.length === 0 ? crossed : [...straight, ...crossed];
}
function matchInputs(
  patterns: readonly Shape[],
  values: readonly Value[],
  known: Known,
  before: Captures,
): readonly Captures[] {
  // Most patterns fail here, before anything is captured.
  for (let i = 0; i < patterns.length; i++)
    if (!isPlausible(patterns[i], values[i], known)) return NONE;
  let ways: readonly Captures[] = [before];
  for (const [i, p] of patterns.entries()) {
    const value = values[i];
    if (value !== undefined) ways = ways.flatMap((way) => matchNode(p, value, known, way));
  }
  return ways;
}
/** Whether operator and test match, ignoring inputs and names. */
function isPlausible(p: Shape | undefined, value: Value | undefined, known: Known): boolean {
  if (p === undefined || value === undefined) return false;
  if (p.ops !== undefined && !p.ops.includes(known.producer(value)?.op ?? '')) return false;
  return p.test === undefined || p.test(value, known);
}
/** Adds a capture; undefined if its name is already used for another value. */
function capture(name: string, what: Capture | undefined, before: Captures): Captures | undefined {
  if (what === undefined) return undefined;
  for (let at: Captures | undefined = before; at !== undefined; at = at.before)
    if (at.name === name) return at.what === what ? before : undefined;
  return { name, what, before };
}
