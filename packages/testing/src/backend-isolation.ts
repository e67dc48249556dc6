/** Backend suite: memory, and programs beside other backends in one process. */
import type { Backend } from '@grok/core';
import * as tf from '@grok/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerTests, type Tests } from './tests-by-title.js';

/** A backend, and a way to create another of the same kind. */
export interface BackendUnderTest {
  readonly backend: Backend;
  readonly makeBackend: () => Backend | Promise<Backend>;
}

/** Registers tests for the backend that `subject` returns after `beforeAll`. */
export function isolationSuite(subject: () => BackendUnderTest): void {
  describe('isolation', () => {
    registerTests(isolationTests, subject);
    describe('beside another tfjs backend', () => {
      let first: string | undefined;
      beforeAll(async () => {
        first = tf.getBackend();
        tf.registerBackend('other-backend', () => new OtherBackend(), 0);
        await tf.setBackend('other-backend');
      });
      afterAll(async () => {
        if (first) await tf.setBackend(first);
        tf.removeBackend('other-backend');
      });
      it('restores it after each call (catches: a program that takes over the engine)', () =>
        givesItBack(subject().backend));
    });
  });
}

const double = ({ x }: { x: tf.Tensor }): { y: tf.Tensor } => ({ y: tf.add(x, x) });

const isolationTests: Tests<BackendUnderTest> = {
  'leaves no tensor behind (catches: memory that grows with every step)': async ({ backend }) => {
    const x = backend.upload(Float32Array.of(1, 2), [2], 'float32');
    const bad = await backend
      .compile('bad', ({ x }: { x: tf.Tensor }) => ({ y: tf.add(double({ x }).y, missing(x)) }), {
        x,
      })
      .catch(() => undefined);
    const program = await backend.compile('double', double, { x });
    backend.free((await program.run({ x })).y);
    const before = tf.memory().numTensors;
    for (let i = 0; i < 5; i++) {
      backend.free((await program.run({ x })).y);
      await bad?.run({ x }).catch(() => undefined);
    }
    expect(
      tf.memory().numTensors,
      'runs, and compiling what fails, must leave no tensor behind in tfjs',
    ).toBe(before);
    program.dispose();
    backend.free(x);
  },

  'yields to timers and signals (catches: Ctrl-C ignored during a loop of steps)': async ({
    backend,
  }) => {
    const x = backend.upload(Float32Array.of(1), [1], 'float32');
    const program = await backend.compile('double', double, { x });
    let heard = false;
    setTimeout(() => {
      heard = true;
    }, 0);
    // Far more runs than the timer needs; a backend that never yields would complete all of them.
    for (let i = 0; i < 100_000 && !heard; i++) backend.free((await program.run({ x })).y);
    expect(
      heard,
      'a timer set before the runs must be heard between them: yield to the event loop now and then',
    ).toBe(true);
    program.dispose();
    backend.free(x);
  },

  'is independent of another of its kind (catches: shared state, tensors that outlive it)': async ({
    backend,
    makeBackend,
  }) => {
    const other = await makeBackend();
    const mine = backend.upload(Float32Array.of(1), [1], 'float32');
    const theirs = other.upload(Float32Array.of(2), [1], 'float32');
    const program = await backend.compile('double', double, { x: mine });
    const twin = await other.compile('double', double, { x: theirs });
    const [a, b] = await Promise.all([program.run({ x: mine }), twin.run({ x: theirs })]);
    expect(
      [...(await backend.read(a.y)), ...(await other.read(b.y))],
      'two backends of one kind must compute side by side, each its own',
    ).toEqual([2, 4]);
    await expect(
      program.run({ x: theirs }),
      'a tensor of another backend must be refused, not read',
    ).rejects.toThrow();
    await other.dispose();
    expect(
      () => other.upload(Float32Array.of(1), [1], 'float32'),
      'a backend that was disposed must refuse uploads and say so',
    ).toThrow(/disposed/);
    expect(
      [...(await backend.read(a.y))],
      'disposing one backend must leave the tensors of the other alive',
    ).toEqual([2]);
    program.dispose();
    for (const tensor of [a.y, mine]) backend.free(tensor);
  },

  'describes itself (catches: manifests that cannot be distinguished)': ({ backend }) => {
    expect(
      backend.name,
      "a backend's name must be one that specifications can use: small letters, digits, hyphens",
    ).toMatch(/^[a-z][a-z0-9-]*$/);
    expect(
      backend.device,
      'the device must tell a version or a size, so that manifests can be told apart',
    ).toMatch(/\d/);
    expect(
      Number.isInteger(backend.capabilities.threads),
      'capabilities.threads must be an integer',
    ).toBe(true);
    expect(
      backend.capabilities.threads,
      'capabilities.threads must be 1 at least',
    ).toBeGreaterThanOrEqual(1);
  },
};

async function givesItBack(backend: Backend): Promise<void> {
  const x = backend.upload(Float32Array.of(1, 2), [2], 'float32');
  expect(
    tf.getBackend(),
    'another tfjs backend must be the current one before the program is compiled',
  ).toBe('other-backend');
  let inside = '';
  const program = await backend.compile(
    'look',
    ({ x }: { x: tf.Tensor }) => {
      inside = tf.getBackend();
      return { y: tf.neg(x) };
    },
    { x },
  );
  const { y } = await program.run({ x });
  expect(tf.getBackend(), 'after a run the former tfjs backend must be the current one again').toBe(
    'other-backend',
  );
  expect(
    inside,
    'inside the function the tfjs backend must be its own, not the former one',
  ).not.toBe('other-backend');
  expect(
    [...(await backend.read(y))],
    'the function must run on its own tfjs backend, and give -x',
  ).toEqual([-1, -2]);
  const failing = async (): Promise<unknown> => {
    const fn = ({ x }: { x: tf.Tensor }) => ({ y: missing(x) });
    return (await backend.compile('fails', fn, { x })).run({ x });
  };
  await expect(
    failing(),
    'a missing kernel must fail the program, not the process',
  ).rejects.toThrow();
  expect(
    tf.getBackend(),
    'after a failure, too, the former tfjs backend must be the current one again',
  ).toBe('other-backend');
  program.dispose();
  for (const tensor of [x, y]) backend.free(tensor);
}

/** A tfjs backend that does nothing. */
class OtherBackend extends tf.KernelBackend {
  override dispose(): void {}
}

function missing(x: tf.Tensor): tf.Tensor {
  return tf.engine().runKernel('NoSuchKernel', { x });
}
