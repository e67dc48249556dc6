/** One deliberately faulty backend for each fault that the suite must find. */
import '@tensorflow/tfjs-backend-cpu';
import { type Backend, type DeviceTensor, type Program, tfjsAdapter } from '@grok/core';
import { createBackend } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { beforeAll } from 'vitest';
import { backendSuite } from '../../src/index.js';

tf.env().set('IS_TEST', true);
tf.registerBackend('other', tf.findBackendFactory('cpu'), 0);
beforeAll(() => tf.setBackend('cpu'));

type Run = Program<object, object>['run'];
/** The correct backend with one part replaced. */
function faulty(
  name: string,
  change: (sound: Backend) => Partial<Backend> & { run?: (run: Run) => Run },
  repeats = 0,
): void {
  const make = async (): Promise<Backend> => {
    const parts = { tfjs: 'cpu', device: 'cpu 1', threads: 1, bitExact: true };
    const sound = createBackend('cpu', await tfjsAdapter(parts));
    const { run, ...others } = change(sound);
    const compile: Backend['compile'] = async (...of) => {
      const program = await sound.compile(...of);
      return run === undefined ? program : { ...program, run: run(program.run as Run) as never };
    };
    return { ...sound, compile, ...others };
  };
  backendSuite(name, make, { repeats });
}

faulty('aliasing', (sound) => {
  const sources = new WeakMap<DeviceTensor, Parameters<Backend['upload']>[0]>();
  return {
    upload(data, shape, dtype) {
      const tensor = sound.upload(data, shape, dtype);
      sources.set(tensor, data);
      return tensor;
    },
    read: async (tensor) => sources.get(tensor) ?? sound.read(tensor),
  };
});
faulty('inexact', (sound) => ({
  read: async (tensor) => (await sound.read(tensor)).map((x) => x * 1.0001) as Float32Array,
}));
faulty('mistyped', (sound) => ({
  read: async (tensor) => Float32Array.from(await sound.read(tensor)),
}));
faulty('leaking', () => ({ free: () => {} }));
faulty('possessive', () => ({
  run: (run) => async (inputs) => {
    void tf.setBackend('other');
    return run(inputs);
  },
}));
faulty('immortal', () => ({ dispose: async () => {} }));
faulty('unchecked', (sound) => ({
  upload: (data, shape, dtype) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const whole = new (data.constructor as Float32ArrayConstructor)(size);
    whole.set(data.subarray(0, size));
    return sound.upload(whole, shape, dtype);
  },
}));
faulty(
  'wavering',
  (sound) => {
    let n = 0;
    return {
      // Flips the last bit, every other time.
      read: async (tensor) => {
        const data = await sound.read(tensor);
        if (data.length === 99 * 32 && n++ % 2 === 1) new Uint32Array(data.buffer)[7]! ^= 1;
        return data;
      },
    };
  },
  2,
);
faulty('nameless', () => ({ name: 'My Backend', device: 'fast' }));
