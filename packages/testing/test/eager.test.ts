/** The eager helper of core over tfjs's plain JavaScript backend, which keeps and returns arrays by reference. */
import '@tensorflow/tfjs-backend-cpu';
import { tfjsAdapter } from '@grok/core';
import { createBackend, startTfjsBackend, withTfjsBackend } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { afterEach, describe, expect, it } from 'vitest';
import { backendSuite } from '../src/index.js';

// Silences tfjs's advice to install a faster backend.
tf.env().set('IS_TEST', true);

const timeouts = new Map<string, number>();
afterEach(({ task }) => void timeouts.set(task.name, task.timeout));

backendSuite(
  'cpu',
  async () =>
    createBackend(
      'cpu',
      await tfjsAdapter({ tfjs: 'cpu', device: 'tfjs 4.22.0, cpu', threads: 1, bitExact: true }),
    ),
  { repeats: 2 },
);

it('gives its repetitions the time they take (catches: a runner’s 5 s)', () => {
  const [, timeout] = [...timeouts].find(([name]) => name.includes('2 times alike'))!;
  expect(timeout).toBe(62_000);
});

describe('switching', () => {
  it('gives back the backend before, also after an error (catches: a second backend left current)', async () => {
    await tf.setBackend('cpu');
    tf.registerBackend('other', tf.findBackendFactory('cpu'), 0);
    await startTfjsBackend('other');
    expect(tf.getBackend()).toBe('cpu');
    expect(withTfjsBackend('other', () => tf.getBackend())).toBe('other');
    expect(tf.getBackend()).toBe('cpu');
    expect(() =>
      withTfjsBackend('other', () => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(tf.getBackend()).toBe('cpu');
    tf.removeBackend('other');
  });

  it('leaves others usable while a slow one starts (catches: tfjs’s own start, which blocks them all)', async () => {
    let start = (): void => {};
    const instance = new Promise<tf.KernelBackend>((resolve) => {
      start = () => resolve(tf.findBackendFactory('cpu')() as tf.KernelBackend);
    });
    let calls = 0;
    tf.registerBackend('slow', () => {
      calls++;
      return instance;
    });
    const started = [startTfjsBackend('slow'), startTfjsBackend('slow')];
    expect(tf.add(1, 2).dataSync()[0]).toBe(3);
    start();
    await Promise.all(started);
    expect(calls).toBe(1);
    tf.removeBackend('slow');
  });

  it('says why a backend does not start (catches: the name of a factory that failed, and no more)', async () => {
    await expect(startTfjsBackend('nowhere')).rejects.toThrow(/"nowhere".*cpu/);
    tf.registerBackend('broken', async () => {
      throw new Error('no such file');
    });
    await expect(startTfjsBackend('broken')).rejects.toThrow(/"broken".*no such file/);
    tf.removeBackend('broken');
  });

  it('notices a backend that was started anew (catches: tensors of a backend that is gone)', async () => {
    tf.registerBackend('passing', tf.findBackendFactory('cpu'), 0);
    const parts = { tfjs: 'passing', device: '1', threads: 1, bitExact: true };
    const backend = createBackend('passing', await tfjsAdapter(parts));
    const factory = tf.findBackendFactory('passing');
    tf.removeBackend('passing');
    tf.registerBackend('passing', factory, 0);
    expect(() => backend.upload(Float32Array.of(1), [1], 'float32')).toThrow(/anew/);
    tf.removeBackend('passing');
  });
});
