/** Named parameters, the flat vector of them, and gradients of both. */
import type { HostParams } from '@grok/core';
import { sizeOf } from '@grok/core';
import {
  computeLayout,
  flattenHost,
  pack,
  reader,
  unflattenHost,
  unpack,
  valueAndGrads,
  withoutAuxiliary,
} from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, it } from 'vitest';

beforeAll(() => tf.setBackend('cpu'));

const host: HostParams = {
  W: { shape: [2, 3], dtype: 'float32', data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  b: { shape: [], dtype: 'float32', data: Float32Array.of(7) },
  'extra.c': { shape: [1], dtype: 'float32', data: Float32Array.of(8) },
};

it('are concatenated and split again, on the host and inside a step', () => {
  // Catches: an order that differs between the two; a scalar that takes no space.
  const layout = computeLayout(host);
  expect(layout.size).toBe(8);
  const flat = flattenHost(host);
  expect([...flat]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(unflattenHost(flat, layout)).toEqual(host);
  tf.tidy(() => {
    const named = unpack(tf.tensor1d(flat), layout);
    for (const [name, { shape, data }] of Object.entries(host)) {
      expect(named[name]?.shape).toEqual(shape);
      expect(named[name]?.dataSync()).toEqual(data);
    }
    expect(pack(named).dataSync()).toEqual(flat);
  });
  expect(sizeOf([2, 0, 3])).toBe(0);
});

it('are read by name, and a model’s own exclude the objective’s', () => {
  expect(() => reader('parameter', host)('w')).toThrow('unknown parameter "w"');
  // Catches: names that every object inherits.
  expect(() => reader('parameter', host)('toString')).toThrow('unknown parameter "toString"');
  expect(Object.keys(withoutAuxiliary(host))).toEqual(['W', 'b']);
});

it('have gradients, zero where the loss does not depend on them, and auxiliary values outlive the call', () => {
  // Catches: auxiliary values disposed of with the tape; tensors that outlive the step.
  const before = tf.memory().numTensors;
  // Kept, as a backend keeps its inputs.
  const given = { used: tf.keep(tf.tensor1d([1, 2])), unused: tf.keep(tf.tensor1d([3, 4, 5])) };
  const numbers = tf.tidy(() => {
    const { loss, aux, grads } = valueAndGrads(({ used = given.used }) => {
      const square = tf.square(used);
      return { loss: tf.sum(square), aux: { deep: { square }, input: given.unused } };
    }, given);
    return [loss, aux.deep.square, aux.input, grads.used, grads.unused].map((tensor) => [
      ...(tensor?.dataSync() ?? []),
    ]);
  });
  expect(numbers).toEqual([[5], [1, 4], [3, 4, 5], [2, 4], [0, 0, 0]]);
  expect(tf.memory().numTensors).toBe(before + 2);
  tf.dispose(given);
});
