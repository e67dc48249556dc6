/** Several tfjs backends in one process: each is started once, and is current only while it is used. */
import { tfjsAdapter } from '@grok/core';
import { createBackend, startTfjsBackend, withTfjsBackend } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';

describe('a tfjs backend', () => {
  it('restores the previous backend, even after an error (catches: a second backend left current)', async () => {
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

  it('says why a backend does not start (catches: only the name of the factory that failed)', async () => {
    await expect(startTfjsBackend('nowhere')).rejects.toThrow(/"nowhere".*cpu/);
    tf.registerBackend('broken', async () => {
      throw new Error('no such file');
    });
    await expect(startTfjsBackend('broken')).rejects.toThrow(/"broken".*no such file/);
    tf.removeBackend('broken');
  });

  it('detects a restarted backend (catches: tensors of a backend that is gone)', async () => {
    tf.registerBackend('passing', tf.findBackendFactory('cpu'), 0);
    const parts = { tfjs: 'passing', device: '1', threads: 1, bitExact: true };
    const backend = createBackend('passing', await tfjsAdapter(parts));
    const factory = tf.findBackendFactory('passing');
    tf.removeBackend('passing');
    tf.registerBackend('passing', factory, 0);
    expect(() => backend.upload(Float32Array.of(1), [1], 'float32')).toThrow(/restarted/);
    tf.removeBackend('passing');
  });
});
