/** Patterns on graphs of a few nodes. Catches: a rule that matches similar but different graphs. */
import { expect, test } from 'vitest';
import * as make from '../src/builder.js';
import { addValue, createGraph, type Value } from '../src/graph.js';
import {
  any,
  anyAdd,
  anyConstant,
  anyMul,
  anyNumber,
  named,
  node,
  once,
  op,
  scalar,
} from '../src/optimize/pattern.js';
import { findAll, rewrite, rule } from '../src/optimize/rewrite.js';

/** A graph that computes what `write` returns from two inputs [2]. */
function buildGraph(write: (b: make.Builder, x: Value, y: Value) => Value | readonly Value[]) {
  const graph = createGraph();
  const [x, y] = [addValue(graph, 'float32', [2]), addValue(graph, 'float32', [2])];
  graph.inputs.push(x, y);
  graph.outputs = [write({ graph, source: 'test' }, x, y)].flat();
  return { graph, x, y };
}
const sigmoid = (b: make.Builder, x: Value) => make.unary(b, 'Sigmoid', x);

test('a repeated name requires the same value, and a commutative operator tries both orders', () => {
  const silu = anyMul('x', op('Sigmoid', 'x'));
  const { graph, x } = buildGraph((b, v) => make.emitMul(b, sigmoid(b, v), v));
  expect(findAll(graph, silu)).toEqual([{ x }]);
  expect(findAll(buildGraph((b, v, w) => make.emitMul(b, sigmoid(b, v), w)).graph, silu)).toEqual(
    [],
  );
  expect(findAll(buildGraph((b, v) => make.emitDiv(b, sigmoid(b, v), v)).graph, silu)).toEqual([]);
});

test('op keeps the order of inputs, and ignores inputs after the named ones', () => {
  const less = op('Sub Add', 'a', op('Neg', 'b'));
  const right = buildGraph((b, v, w) => make.emitAdd(b, v, make.unary(b, 'Neg', w)));
  expect(findAll(right.graph, less)).toEqual([{ a: right.x, b: right.y }]);
  const left = buildGraph((b, v, w) => make.emitAdd(b, make.unary(b, 'Neg', w), v));
  expect(findAll(left.graph, less)).toEqual([]);
  const reduced = buildGraph((b, v) => make.reduce(b, 'ReduceSum', v, [0], true));
  expect(findAll(reduced.graph, op('ReduceSum', 'v'))).toEqual([{ v: reduced.x }]);
  expect(findAll(reduced.graph, op('ReduceSum', 'v', 'axes', 'more'))).toEqual([]);
});

test('once requires that there is no other reader, node or output', () => {
  const scaled = anyAdd('x', once(anyMul('y', anyNumber('k'))));
  const alone = buildGraph((b, v, w) => make.emitAdd(b, make.emitMul(b, w, 3), v));
  expect(findAll(alone.graph, scaled)).toEqual([{ x: alone.x, y: alone.y, k: 3 }]);
  const shared = buildGraph((b, v, w) => {
    const product = make.emitMul(b, w, 3);
    return [make.emitAdd(b, product, v), product];
  });
  expect(findAll(shared.graph, scaled)).toEqual([]);
});

test('numbers, constants, scalars and tests restrict a value; nodes can be captured', () => {
  const { graph, x } = buildGraph((b, v) => make.emitMul(b, make.emitAdd(b, v, 0), 2));
  const found = findAll(graph, anyMul(node('sum', anyAdd('x', 0)), named('c', anyNumber('k'))));
  expect(found).toMatchObject([{ x, k: 2, c: { shape: [] }, sum: { op: 'Add' } }]);
  expect(findAll(graph, anyMul(anyAdd('x', 1), 'y'))).toEqual([]);
  expect(findAll(graph, anyMul(scalar('s'), anyConstant('c')))).toEqual([]);
  expect(findAll(graph, anyMul(scalar('s'), 'y'))).toHaveLength(1);
  expect(
    findAll(
      graph,
      anyMul(
        any('v', ({ shape }) => shape[0] === 2),
        'y',
      ),
    ),
  ).toHaveLength(1);
});

test('when a rule rejects a match, swapped inputs are tried, in inner nodes too', () => {
  const { graph, x, y } = buildGraph((b, v, w) => make.emitMul(b, make.emitAdd(b, v, w), 5));
  const seen: unknown[] = [];
  const refuse = rule(anyMul('k', anyAdd('a', 'b')), ({ a, b, k }) => {
    seen.push([a, b, k.constant]);
    return undefined;
  });
  expect(rewrite(graph, [refuse]).nodes).toHaveLength(2);
  const five = { uniform: 5 };
  expect(seen).toEqual([
    [x, y, five],
    [y, x, five],
  ]);
  const accept = rule(anyMul('k', anyAdd('a', 'b')), ({ a }) => (a === y ? a : undefined));
  const written = rewrite(graph, [accept]);
  expect([written.nodes, written.outputs]).toEqual([[], [y]]);
});

test('rules that undo each other are an error, not an endless loop', () => {
  const { graph } = buildGraph((b, v, w) => make.emitAdd(b, v, w));
  const swap = rule(op('Add', 'a', 'b'), ({ a, b }, site) => make.emitAdd(site, b, a));
  expect(() => rewrite(graph, [swap])).toThrow('two rules undo each other');
});
