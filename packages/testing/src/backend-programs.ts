/** Backend suite: compiled programs, the trees they take and return, and their state. */
import type { Backend } from '@grok/core';
import type { OnDevice } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { expect } from 'vitest';
import { f32, i32, readAndFree } from './arrays.js';
import { load, runOnce } from './run-once.js';
import type { Tests } from './tests-by-title.js';

type Inputs = { a: { 'blocks.0.w': tf.Tensor; b: tf.Tensor }; c: tf.Tensor };
const tree = {
  a: { 'blocks.0.w': f32([2], [1, 2]), b: f32([2], [3, 4]) },
  c: f32([2], [5, 6]),
};
const swap = ({ a, c }: Inputs): { out: { c: tf.Tensor }; sum: tf.Tensor } => ({
  out: { c: tf.mul(a.b, 2) },
  sum: tf.add(a['blocks.0.w'], c),
});

/** Requirements on a backend's programs. */
export const programTests: Tests<Backend> = {
  'take and return trees (catches: leaves matched by order instead of by name)': async (
    backend,
  ) => {
    const out = await runOnce(backend, 'swap', swap, {
      c: tree.c,
      a: { b: tree.a.b, 'blocks.0.w': tree.a['blocks.0.w'] },
    });
    expect(
      Object.keys(out),
      'outputs must be named by their paths in the tree that the function returns',
    ).toEqual(['out/c', 'sum']);
    expect(out['out/c'], 'inputs must be matched by name: out/c is 2 · a.b').toBeCloseToTensor([
      6, 8,
    ]);
    expect(out.sum, 'inputs must be matched by name: sum is a.w + c').toBeCloseToTensor([6, 8]);
  },

  'refuse mismatched inputs by name (catches: a short last batch run by the program of a full one)':
    async (backend) => {
      const { program, inputs, unload } = await load(backend, 'swap', swap, tree);
      const long = backend.upload(new Float32Array(3), [3], 'float32');
      const whole = backend.upload(new Int32Array(2), [2], 'int32');
      const missing: Partial<OnDevice<Inputs>> = { a: inputs.a };
      await expect(
        program.run({ ...inputs, c: long }),
        'an input of another shape must be refused by its name, with both shapes',
      ).rejects.toThrow(/"c".*\[2\].*\[3\]/s);
      await expect(
        program.run({ ...inputs, c: whole }),
        'an input of another type must be refused by its name, with both types',
      ).rejects.toThrow(/"c".*float32.*int32/s);
      await expect(
        program.run(missing as OnDevice<Inputs>),
        'a missing input must be refused by its name',
      ).rejects.toThrow(/"c"/);
      const more = { ...inputs, d: inputs.c };
      await expect(
        program.run(more),
        'an input that nobody asked for must be refused by its name',
      ).rejects.toThrow(/"d"/);
      unload();
      await expect(program.run(inputs), 'a program that was disposed must say so').rejects.toThrow(
        /disposed/,
      );
      for (const tensor of [long, whole]) backend.free(tensor);
    },

  'may return an input (catches: two names for one tensor, freed twice)': async (backend) => {
    const x = backend.upload(Float32Array.of(1, 2), [2], 'float32');
    const program = await backend.compile(
      'same',
      ({ x }: { x: tf.Tensor }) => ({ one: x, two: x }),
      { x },
    );
    const { one, two } = await program.run({ x });
    backend.free(one);
    backend.free(x);
    expect(
      [...(await backend.read(two))],
      'of an input handed back twice, each must live until it is freed itself',
    ).toEqual([1, 2]);
    backend.free(two);
    program.dispose();
  },

  'carry state from run to run (catches: a counter that becomes float32, donated state read again)':
    async (backend) => {
      type State = { state: { count: tf.Tensor; w: tf.Tensor } };
      const advance = ({ state: { count, w } }: State): State => ({
        state: { count: tf.add(count, tf.scalar(1, 'int32')), w: tf.mul(w, 0.5) },
      });
      const first: OnDevice<State> = {
        state: {
          count: backend.upload(Int32Array.of(2 ** 24), [], 'int32'),
          w: backend.upload(Float32Array.of(1024, 1), [2], 'float32'),
        },
      };
      const program = await backend.compile('advance', advance, first, { donate: ['state'] });
      let at = first;
      for (let i = 0; i < 10; i++) at = await program.run(at);
      await expect(
        async () => backend.read(first.state.w),
        'a donated tensor must be refused when it is read again',
      ).rejects.toThrow(/donated|freed/);
      await expect(
        program.run(first),
        'a donated tensor must be refused when it is given again',
      ).rejects.toThrow(/donated|freed/);
      expect(
        await readAndFree(backend, at),
        'state must go round in its own type: int32 beyond what float32 can count, halves exact',
      ).toEqual({
        // Beyond the integers that float32 can count.
        'state/count': i32([], [2 ** 24 + 10]),
        'state/w': f32([2], [1, 2 ** -10]),
      });
      program.dispose();
    },

  'refuse state that changes its type (catches: `tf.add(count, 1)`)': async (backend) => {
    type Count = { count: tf.Tensor };
    const count = backend.upload(Int32Array.of(0), [], 'int32');
    const run = async (): Promise<unknown> => {
      const program = await backend.compile<Count, Count>(
        'counter',
        ({ count }) => ({ count: tf.add(count, 1) }),
        { count },
        { donate: ['count'] },
      );
      return program.run({ count });
    };
    await expect(run(), 'state that changes its type must be refused by its name').rejects.toThrow(
      /count/,
    );
    backend.free(count);
  },

  'name a missing kernel (catches: an error without the op that called it)': async (backend) => {
    const x = backend.upload(Float32Array.of(1), [1], 'float32');
    const odd = tf.op({
      oddity_: (x: tf.Tensor): tf.Tensor => tf.engine().runKernel('NoSuchKernel', { x }),
    });
    const run = async (): Promise<unknown> => {
      const fn = ({ x }: { x: tf.Tensor }) => ({ y: odd(x) });
      return (await backend.compile('odd', fn, { x })).run({ x });
    };
    await expect(
      run(),
      'a missing kernel must be named, with the op that asked for it and the kernels that there are',
    ).rejects.toThrow(/NoSuchKernel.*oddity.*Add/s);
    backend.free(x);
  },
};
