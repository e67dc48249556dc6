/** Backend suite: tensors that are uploaded, read, lent and freed. */
import type { Backend, HostArray } from '@grok/core';
import * as tf from '@grok/tfjs';
import { expect } from 'vitest';
import { f32, i32, readAndFree } from './arrays.js';
import type { Tests } from './tests-by-title.js';

/** Requirements on a backend's tensors. */
export const tensorTests: Tests<Backend> = {
  'are read back as uploaded (catches: types mixed up, scalars lost)': async (backend) => {
    const arrays: HostArray[] = [
      f32([2, 3], [1, -2.5, 3e-8, 4, 5, Number.POSITIVE_INFINITY]),
      i32([2], [-7, 2 ** 30]),
      { shape: [3], dtype: 'bool', data: Uint8Array.of(1, 0, 1) },
      f32([], [0.5]),
    ];
    for (const array of arrays) {
      const tensor = backend.upload(array.data, array.shape, array.dtype);
      expect(
        { shape: [...tensor.shape], dtype: tensor.dtype },
        'a tensor must have the shape and the type that it was uploaded with',
      ).toEqual({
        shape: array.shape,
        dtype: array.dtype,
      });
      expect(await backend.read(tensor), 'a tensor must be read as it was uploaded').toEqual(
        array.data,
      );
      backend.free(tensor);
    }
  },

  'are copies (catches: a batch buffer that is reused changes what was uploaded)': async (
    backend,
  ) => {
    const source = Float32Array.of(1, 2);
    const tensor = backend.upload(source, [2], 'float32');
    source[0] = 9;
    const read = await backend.read(tensor);
    expect([...read], 'an upload must copy: its array is written to again').toEqual([1, 2]);
    read[1] = 9;
    expect(
      [...(await backend.read(tensor))],
      'a read must copy: what is read is written to',
    ).toEqual([1, 2]);
    backend.free(tensor);
  },

  'may be lent, and outputs outlive the loan (catches: an output changed by the next mask)': async (
    backend,
  ) => {
    const source = new Float32Array(2000).fill(1);
    const lent = backend.upload(source, [2000], 'float32', { lent: true });
    const program = await backend.compile(
      'lent',
      ({ x }: { x: tf.Tensor }) => ({ same: x, twice: tf.add(x, x) }),
      { x: lent },
    );
    const out = await program.run({ x: lent });
    backend.free(lent);
    source.fill(9);
    // Freed memory may be reused, but not the lender's.
    const later = backend.upload(new Float32Array(2000), [2000], 'float32');
    expect([source[0], source[1999]], "a lender's array must stay the lender's").toEqual([9, 9]);
    const { same, twice } = await readAndFree(backend, out);
    expect(
      [same?.data[1999], twice?.data[0]],
      'what came of a lent tensor must outlive the loan',
    ).toEqual([1, 2]);
    backend.free(later);
    program.dispose();
  },

  'must fill their shape (catches: silent zeros at the end of a short batch)': (backend) => {
    expect(
      () => backend.upload(new Float32Array(5), [2, 3], 'float32'),
      'too few values for a shape must be refused, with their number',
    ).toThrow(/5/);
    expect(
      () => backend.upload(new Int32Array(6), [2, 3], 'float32'),
      'an array of another type must be refused, with the type wanted',
    ).toThrow(/float32/i);
  },

  'are gone once freed (catches: stale memory read as live)': async (backend) => {
    const tensor = backend.upload(Float32Array.of(1), [1], 'float32');
    backend.free(tensor);
    backend.free(tensor);
    await expect(
      async () => backend.read(tensor),
      'a tensor that was freed must be refused when it is read',
    ).rejects.toThrow(/freed/);
  },
};
