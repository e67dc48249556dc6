/** The wasm backend's options, its added kernels, and what it leaves unchanged. */
import '@tensorflow/tfjs-backend-cpu';
import { isInputError } from '@grok/core';
import * as tf from '@grok/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import plugin, { wasm } from '../src/index.js';

const kernels = ['BatchMatMul', 'GatherV2', 'OneHot', 'UnsortedSegmentSum'];
const ofCpu = () => kernels.map((name) => tf.getKernel(name, 'cpu').kernelFunc);
const ofWasm = () => kernels.map((name) => tf.getKernel(name, 'wasm').kernelFunc);
const cpuBefore = ofCpu();
const listeners = (): readonly unknown[] => [
  process.listeners('uncaughtException'),
  process.listeners('unhandledRejection'),
];
let before: readonly unknown[];

beforeAll(async () => {
  tf.env().set('IS_TEST', true); // suppresses the advice to install a faster backend
  await tf.setBackend('cpu');
  before = listeners();
  await wasm();
});

describe('wasm', () => {
  it('leaves the process and other backends alone (catches: handlers that turn exit code 1 into 7)', () => {
    expect(listeners()).toEqual(before);
    expect(tf.getBackend()).toBe('cpu');
    expect(ofCpu()).toEqual(cpuBefore);
  });

  it('registers its kernels once (catches: wrappers around wrappers, run after run)', async () => {
    const first = ofWasm();
    await wasm();
    expect(ofWasm()).toEqual(first);
  });

  it('says that more threads are not available (catches: a manifest that claims two)', async () => {
    const { device, capabilities } = await wasm({ threads: 2 });
    expect(capabilities.threads).toBe(1);
    expect(device).toMatch(/1 thread \(2 asked: wasm has one thread in Node\)/);
    expect((await wasm()).device).not.toContain('asked');
  });

  it('accepts paths as a folder or by file (catches: a bundler’s URLs refused)', async () => {
    // Node finds the binaries and has already loaded them, so the options are only checked.
    await wasm({ wasmPaths: '/wasm/' });
    await wasm({ wasmPaths: { 'tfjs-backend-wasm-simd.wasm': '/assets/simd-1a2b.wasm' } });
    const refuse = (options: object): unknown => {
      try {
        wasm(options as never);
      } catch (error) {
        return error;
      }
      return undefined;
    };
    for (const bad of [{ threads: 0 }, { wasmPaths: { 'tfjs.wasm': '/x' } }, { wasmPath: '/x' }])
      expect(isInputError(refuse(bad))).toBe(true);
  });

  it('is a plugin (catches: an entry that a registry cannot load)', () => {
    expect(plugin.components).toEqual([wasm]);
  });
});

describe('its kernels match plain JavaScript', () => {
  /** Runs the function on both backends and reads the results. */
  const both = (
    f: () => tf.Tensor,
  ): readonly { shape: number[]; dtype: string; data: number[] }[] =>
    ['cpu', 'wasm'].map((backend) => {
      void tf.setBackend(backend);
      const out = tf.tidy(f);
      const result = { shape: out.shape, dtype: out.dtype, data: [...out.dataSync()] };
      out.dispose();
      void tf.setBackend('cpu');
      return result;
    });
  const range = (...shape: number[]): tf.Tensor =>
    tf.reshape(tf.range(0, tf.util.sizeFromShape(shape)), shape);

  it.each<[string, () => tf.Tensor]>([
    [
      'gather over two axes of ids',
      () => tf.gather(range(5, 3), tf.tensor2d([4, 0, 1, 1], [2, 2], 'int32')),
    ],
    ['gather of long slices', () => tf.gather(range(3, 40), tf.tensor1d([2, 0], 'int32'))],
    [
      'gather along the last axis',
      () => tf.gather(range(2, 3, 4), tf.tensor1d([3, 1], 'int32'), -1),
    ],
    [
      'gather by batch',
      () => tf.gather(range(2, 4, 3), tf.tensor2d([3, 0, 1, 1], [2, 2], 'int32'), 1, 1),
    ],
    [
      'gather of flags',
      () => tf.gather(tf.tensor1d([1, 0, 1], 'bool'), tf.tensor1d([1, 2], 'int32')),
    ],
    ['gather by one id', () => tf.gather(range(3, 2), tf.scalar(1, 'int32'))],
    ['gather of nothing', () => tf.gather(range(3, 2), tf.tensor1d([], 'int32'))],
    ['one-hot of ids outside', () => tf.oneHot(tf.tensor1d([0, 5, -1], 'int32'), 3, 2, -1)],
    [
      'sums over segments, some dropped',
      () => tf.unsortedSegmentSum(range(4, 2), tf.tensor1d([2, -1, 2, 0], 'int32'), 3),
    ],
    [
      // In the plain JavaScript backend, a sum of integers becomes float32, so only its values are
      // compared.
      'sums of integers over segments',
      () => {
        const ids = tf.tensor1d([1, 1, 0, 1], 'int32');
        return tf.cast(tf.unsortedSegmentSum(tf.cast(range(4), 'int32'), ids, 2), 'float32');
      },
    ],
    ['a product of transposes', () => tf.matMul(range(4, 3), range(5, 4), true, true)],
    [
      'stacks broadcast and transposed',
      () => tf.matMul(range(2, 4, 3), range(1, 5, 3), false, true),
    ],
    ['a transposed vector', () => tf.matMul(range(4, 1), range(4, 3), true)],
  ])('%s (catches: another layout than the stock kernel’s)', (_, f) => {
    const [cpu, ours] = both(f);
    expect(ours).toEqual(cpu);
  });

  it('refuses an id out of range (catches: memory read past a table)', () => {
    const outside = () => tf.gather(range(3, 2), tf.tensor1d([3], 'int32'));
    void tf.setBackend('wasm');
    const before = tf.memory().numTensors;
    expect(() => tf.tidy(outside)).toThrow(/3/);
    expect(tf.memory().numTensors).toBe(before);
    void tf.setBackend('cpu');
  });
});
