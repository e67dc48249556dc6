/** The words of patterns, on graphs of a few nodes. Catches: a rule that fires on what only looks alike. */
import { expect, test } from 'vitest';
import * as make from '../src/builder.js';
import { addValue, createGraph, type Value } from '../src/graph.js';
import {
  add,
  any,
  constant,
  mul,
  named,
  node,
  number,
  once,
  op,
  scalar,
} from '../src/optimize/pattern.js';
import { findAll, rewrite, rule } from '../src/optimize/rewrite.js';

/** A graph that computes what `write` returns from two inputs [2]. */
function graphOf(write: (b: make.Builder, x: Value, y: Value) => Value | readonly Value[]) {
  const graph = createGraph();
  const [x, y] = [addValue(graph, 'float32', [2]), addValue(graph, 'float32', [2])];
  graph.inputs.push(x, y);
  graph.outputs = [write({ graph, source: 'test' }, x, y)].flat();
  return { graph, x, y };
}
const sigmoid = (b: make.Builder, x: Value) => make.unary(b, 'Sigmoid', x);

test('a name that stands twice asks for one value, a commutative word tries both orders', () => {
  const silu = mul('x', op('Sigmoid', 'x'));
  const { graph, x } = graphOf((b, v) => make.mul(b, sigmoid(b, v), v));
  expect(findAll(graph, silu)).toEqual([{ x }]);
  expect(findAll(graphOf((b, v, w) => make.mul(b, sigmoid(b, v), w)).graph, silu)).toEqual([]);
  expect(findAll(graphOf((b, v) => make.div(b, sigmoid(b, v), v)).graph, silu)).toEqual([]);
});

test('op keeps the order of inputs, and what follows the named ones does not matter', () => {
  const less = op('Sub Add', 'a', op('Neg', 'b'));
  const right = graphOf((b, v, w) => make.add(b, v, make.unary(b, 'Neg', w)));
  expect(findAll(right.graph, less)).toEqual([{ a: right.x, b: right.y }]);
  const left = graphOf((b, v, w) => make.add(b, make.unary(b, 'Neg', w), v));
  expect(findAll(left.graph, less)).toEqual([]);
  const reduced = graphOf((b, v) => make.reduce(b, 'ReduceSum', v, [0], true));
  expect(findAll(reduced.graph, op('ReduceSum', 'v'))).toEqual([{ v: reduced.x }]);
  expect(findAll(reduced.graph, op('ReduceSum', 'v', 'axes', 'more'))).toEqual([]);
});

test('once wants no other reader, be it a node or an output', () => {
  const scaled = add('x', once(mul('y', number('k'))));
  const alone = graphOf((b, v, w) => make.add(b, make.mul(b, w, 3), v));
  expect(findAll(alone.graph, scaled)).toEqual([{ x: alone.x, y: alone.y, k: 3 }]);
  const shared = graphOf((b, v, w) => {
    const product = make.mul(b, w, 3);
    return [make.add(b, product, v), product];
  });
  expect(findAll(shared.graph, scaled)).toEqual([]);
});

test('numbers, constants, scalars and tests say what a value is; nodes can be captured', () => {
  const { graph, x } = graphOf((b, v) => make.mul(b, make.add(b, v, 0), 2));
  const found = findAll(graph, mul(node('sum', add('x', 0)), named('c', number('k'))));
  expect(found).toMatchObject([{ x, k: 2, c: { shape: [] }, sum: { op: 'Add' } }]);
  expect(findAll(graph, mul(add('x', 1), 'y'))).toEqual([]);
  expect(findAll(graph, mul(scalar('s'), constant('c')))).toEqual([]);
  expect(findAll(graph, mul(scalar('s'), 'y'))).toHaveLength(1);
  expect(
    findAll(
      graph,
      mul(
        any('v', ({ shape }) => shape[0] === 2),
        'y',
      ),
    ),
  ).toHaveLength(1);
});

test('what a rule refuses is tried the other way round, in inner nodes too', () => {
  const { graph, x, y } = graphOf((b, v, w) => make.mul(b, make.add(b, v, w), 5));
  const seen: unknown[] = [];
  const refuse = rule(mul('k', add('a', 'b')), ({ a, b, k }) => {
    seen.push([a, b, k.constant]);
    return undefined;
  });
  expect(rewrite(graph, [refuse]).nodes).toHaveLength(2);
  const five = { uniform: 5 };
  expect(seen).toEqual([
    [x, y, five],
    [y, x, five],
  ]);
  const accept = rule(mul('k', add('a', 'b')), ({ a }) => (a === y ? a : undefined));
  const written = rewrite(graph, [accept]);
  expect([written.nodes, written.outputs]).toEqual([[], [y]]);
});

test('rules that undo each other are an error, not a loop without end', () => {
  const { graph } = graphOf((b, v, w) => make.add(b, v, w));
  const swap = rule(op('Add', 'a', 'b'), ({ a, b }, site) => make.add(site, b, a));
  expect(() => rewrite(graph, [swap])).toThrow('two rules undo each other');
});
