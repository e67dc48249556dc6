/** Trees of tensors keep every leaf in its place, for any kind of tensor. */
import type { HostArray, TensorSpec, Tree } from '@grok/core';
import {
  freeTree,
  leavesByPath,
  mapTree,
  mapTrees,
  readTree,
  treeFromPaths,
  uploadTree,
  zipTree,
} from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { createFake } from './fake-adapter.js';

const spec = (...shape: number[]): TensorSpec => ({ shape, dtype: 'float32' });
const tree: Tree<TensorSpec> = {
  b: { 'blocks.0.w': spec(1), empty: {}, deep: { x: spec(2) } },
  a: spec(3),
};

describe('a tree', () => {
  it('is mapped with its keys, order and paths', () => {
    // Catches: an empty branch lost, a name with a dot split, leaves sorted by name.
    const mapped = mapTree(tree, ({ shape }, path) => `${path} ${shape}`);
    expect(mapped).toEqual({
      b: { 'blocks.0.w': 'b/blocks.0.w 1', empty: {}, deep: { x: 'b/deep/x 2' } },
      a: 'a 3',
    });
    expect(Object.keys(mapped)).toEqual(['b', 'a']);
  });

  it('has tensors of every kind, and values that are not objects, as leaves', () => {
    // Catches: descending into a tensor; parameters named `shape` and `dtype` taken for a tensor.
    const tensor = tf.scalar(1);
    const host: HostArray = { ...spec(), data: Float32Array.of(1) };
    const leaves = leavesByPath<unknown>({
      tensor,
      host,
      number: 3,
      nothing: null,
      module: { shape: host, dtype: host },
    });
    expect(Object.keys(leaves)).toEqual([
      ...['tensor', 'host', 'number', 'nothing', 'module/shape', 'module/dtype'],
    ]);
    expect(leaves.tensor).toBe(tensor);
    tensor.dispose();
  });

  it('is rebuilt from its leaves by path, and names a missing one', () => {
    // Catches: a tensor missing from a checkpoint that shows up steps later as "undefined".
    const leaves = leavesByPath(tree);
    expect(treeFromPaths(tree, leaves)).toEqual(tree);
    const { a, ...others } = leaves;
    expect(a).toBe(tree.a);
    expect(() => treeFromPaths(tree, others)).toThrow(
      'tensor "a" is missing; there are: b/blocks.0.w, b/deep/x',
    );
    // Catches: names that every object inherits.
    expect(() => treeFromPaths({ constructor: spec() }, {})).toThrow('"constructor" is missing');
  });

  it('is mapped together with others by name', () => {
    // Catches: gradients applied to another parameter because a tree has another order.
    const sum = mapTrees(
      (...leaves: TensorSpec[]) => leaves.map(({ shape }) => shape).join(' '),
      { a: spec(1), b: spec(2) },
      { b: spec(20), a: spec(10) },
    );
    expect(sum).toEqual({ a: '1 10', b: '2 20' });
    expect(() => mapTrees((x: TensorSpec) => x, { a: spec(1) }, { b: spec(2) })).toThrow(
      'tensor "a" is missing; there are: b',
    );
  });

  it('is zipped with a list in order, and names the leaf where the list ends', () => {
    const zipped = zipTree(tree, [10, 20, 30], ({ shape: [n = 0] }, value) => n + value);
    expect(zipped).toEqual({ b: { 'blocks.0.w': 11, empty: {}, deep: { x: 22 } }, a: 33 });
    expect(() => zipTree(tree, [10, 20], (_, value) => value)).toThrow('tensor "a" is missing');
  });
});

it('is uploaded, read back by path and freed completely', async () => {
  const { backend, held } = createFake();
  const host = {
    w: { x: { ...spec(2), data: Float32Array.of(1, 2) } },
    n: { shape: [], dtype: 'int32' as const, data: Int32Array.of(7) },
  };
  const device = uploadTree(backend, host);
  expect(device.w.x).toEqual(spec(2));
  expect(await readTree(backend, device)).toEqual({ 'w/x': host.w.x, n: host.n });
  expect(held()).toBe(2);
  freeTree(backend, device);
  expect(held()).toBe(0);
});
