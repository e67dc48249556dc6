/** What core does for every adapter: trees, donation, lifetimes, and messages that name the fault. */
import type { OnDevice } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { describe, expect, it } from 'vitest';
import { createFake } from './fake-adapter.js';

type X = { x: tf.Tensor };
const double = ({ x }: X) => ({ y: tf.add(x, x) });
const floats = (...values: number[]) => Float32Array.from(values);

describe('a program', () => {
  it('takes leaves by path in any order, and returns the tree of its function', async () => {
    const { backend, programs, held } = createFake();
    type In = { state: { a: tf.Tensor; b: tf.Tensor }; rate: tf.Tensor };
    const state = {
      a: backend.upload(floats(1), [1], 'float32'),
      b: backend.upload(floats(2, 3), [2], 'float32'),
    };
    const rate = backend.upload(floats(10), [], 'float32');
    const program = await backend.compile(
      'step',
      ({ state, rate }: In) => ({
        state: { a: tf.mul(state.a, rate), b: tf.add(state.b, rate) },
        terms: { loss: tf.sum(state.b) },
      }),
      { state, rate },
      { donate: ['state'] },
    );
    expect(programs.get('step')).toEqual([
      { path: 'state/a', shape: [1], dtype: 'float32', donated: true },
      { path: 'state/b', shape: [2], dtype: 'float32', donated: true },
      { path: 'rate', shape: [], dtype: 'float32', donated: false },
    ]);
    const out = await program.run({ rate, state: { b: state.b, a: state.a } });
    expect(out).toEqual({
      state: { a: { shape: [1], dtype: 'float32' }, b: { shape: [2], dtype: 'float32' } },
      terms: { loss: { shape: [], dtype: 'float32' } },
    });
    expect([...(await backend.read(out.state.a))]).toEqual([10]);
    expect([...(await backend.read(out.state.b))]).toEqual([12, 13]);
    // The donated tensors are gone; the rate and three outputs remain.
    expect(held()).toBe(4);
  });

  it('shows the adapter’s extra members and its current info', async () => {
    const { backend } = createFake();
    const before = backend.device;
    const x = backend.upload(floats(1), [1], 'float32');
    expect(backend.device).not.toBe(before);
    expect(await backend.compile('double', double, { x })).toMatchObject({
      summary: { nodes: 1 },
      listing: 'graph of double',
    });
  });

  it('may return an input, or one tensor twice: each is released once', async () => {
    // Catches: a handle released once per name, or together with its input.
    const { backend, held, calls } = createFake();
    const x = backend.upload(floats(1, 2), [2], 'float32');
    const program = await backend.compile(
      'same',
      ({ x }: X) => {
        const y = tf.neg(x);
        return { x, again: x, y, twin: y };
      },
      { x },
      { donate: ['x'] },
    );
    const out = await program.run({ x });
    expect(held()).toBe(2);
    backend.free(out.x);
    backend.free(out.y);
    expect([...(await backend.read(out.again)), ...(await backend.read(out.twin))]).toEqual([
      ...[1, 2, -1, -2],
    ]);
    backend.free(out.again);
    backend.free(out.twin);
    expect(held()).toBe(0);
    expect(calls.filter((call) => call === 'release')).toHaveLength(2);
  });

  it('keeps its inputs alive while it runs, even if they are freed meanwhile', async () => {
    // Catches: memory reused while a run still reads it.
    let go = (): void => {};
    const wait = (): Promise<void> => new Promise((resolve) => (go = resolve));
    const { backend, held } = createFake({ wait });
    const x = backend.upload(floats(4), [1], 'float32');
    const program = await backend.compile('double', double, { x });
    const running = program.run({ x });
    backend.free(x);
    expect(held()).toBe(1);
    await expect(program.run({ x })).rejects.toThrow('was freed');
    go();
    const { y } = await running;
    expect([...(await backend.read(y))]).toEqual([8]);
    expect(held()).toBe(1);
  });

  it('keeps donated inputs alive when it fails', async () => {
    // Catches: state lost with the failed step.
    let broken = true;
    const { backend, held } = createFake({
      wait: async () => {
        if (broken) throw new Error('out of memory');
      },
    });
    const x = backend.upload(floats(4), [1], 'float32');
    const program = await backend.compile('double', double, { x }, { donate: ['x'] });
    await expect(program.run({ x })).rejects.toThrow('out of memory');
    expect(held()).toBe(1);
    broken = false;
    const { y } = await program.run({ x });
    expect([...(await backend.read(y))]).toEqual([8]);
    await expect(program.run({ x })).rejects.toThrow(
      'backend "fake", program "double", input "x": tensor float32 [1] was donated to program "double"; use the program’s output',
    );
  });

  it('reports too few outputs from its adapter', async () => {
    const { backend } = createFake({ give: (outputs) => outputs.slice(1) });
    const x = backend.upload(floats(4), [1], 'float32');
    const program = await backend.compile('double', double, { x });
    await expect(program.run({ x })).rejects.toThrow(
      'program "double": its backend returned 0 outputs, its function 1',
    );
  });

  it('refuses mismatched inputs, outputs and donations by name', async () => {
    const { backend } = createFake();
    const x = backend.upload(floats(1, 2), [2], 'float32');
    const wide = backend.upload(floats(1, 2, 3), [3], 'float32');
    const program = await backend.compile('double', double, { x });
    await expect(program.run({ x: wide })).rejects.toThrow(
      'program "double": input "x" must be float32 [2], got float32 [3]; compile again for other shapes',
    );
    const nothing: Partial<OnDevice<X>> = {};
    await expect(program.run({ x, ...nothing, y: x } as OnDevice<X>)).rejects.toThrow(
      'unknown input of program "double" "y"',
    );
    await expect(backend.compile('odd', double, { x }, { donate: ['z' as 'x'] })).rejects.toThrow(
      'donated input of program "odd" "z"',
    );
    const cases: [fn: (given: X) => object, rule: string][] = [
      [() => ({ a: { b: 3 } }), 'output "a/b" must be a tensor, got number'],
      [() => ({ a: null }), 'output "a" must be a tensor, got object'],
      [({ x }) => ({ a: tf.complex(x, x) }), 'output "a" must be float32, int32 or bool, got comp'],
      [
        ({ x }) => ({ x: tf.sum(x) }),
        '"x" goes in as float32 [2] and comes out as float32 []; keep its shape and type',
      ],
    ];
    for (const [fn, rule] of cases) {
      const bad = await backend.compile('bad', fn, { x }, { donate: ['x'] });
      await expect(bad.run({ x })).rejects.toThrow(rule);
    }
  });
});

describe('a tensor', () => {
  it('is read as a copy, even if it is freed before the data arrives', async () => {
    const { backend, held } = createFake();
    const x = backend.upload(floats(1, 2), [2], 'float32');
    const first = await backend.read(x);
    first[0] = 9;
    const pending = backend.read(x);
    backend.free(x);
    expect([...(await pending)]).toEqual([1, 2]);
    expect(held()).toBe(0);
  });

  it('is copied or lent as requested, and must fill its shape', () => {
    const { backend, calls } = createFake();
    backend.upload(floats(1), [1], 'float32');
    backend.upload(floats(1), [1], 'float32', { lent: true });
    expect(() => backend.upload(floats(1), [2], 'float32')).toThrow(
      'upload of float32 [2]: needs 2 values in a Float32Array, got 1 in a Float32Array',
    );
    expect(calls).toEqual(['upload', 'borrow']);
  });

  it('has its own error when freed, foreign, or ended with its backend', async () => {
    const [{ backend }, other] = [createFake(), createFake()];
    const x = backend.upload(floats(1), [1], 'float32');
    await expect(other.backend.read(x)).rejects.toThrow(
      'backend "fake", read: tensor float32 [1] belongs to another backend; upload it to this one',
    );
    other.backend.free(x);
    backend.free(x);
    backend.free(x);
    await expect(backend.read(x)).rejects.toThrow('was freed; upload it again, or free it later');
    const y = backend.upload(floats(1), [1], 'float32');
    await backend.dispose();
    await expect(backend.read(y)).rejects.toThrow('was disposed with its backend');
  });
});

it('disposes of tensors, programs and the adapter, each once', async () => {
  const { backend, calls } = createFake();
  const x = backend.upload(floats(1), [1], 'float32');
  const [one, two] = [
    await backend.compile('one', double, { x }),
    await backend.compile('two', double, { x }),
  ];
  one.dispose();
  one.dispose();
  await expect(one.run({ x })).rejects.toThrow('program "one" was disposed; compile it again');
  await backend.dispose();
  await backend.dispose();
  expect(calls).toEqual(['upload', 'dispose one', 'release', 'dispose two', 'dispose']);
  await expect(two.run({ x })).rejects.toThrow('backend "fake" was disposed; create another');
  expect(() => backend.upload(floats(1), [1], 'float32')).toThrow('was disposed');
  await expect(backend.compile('three', double, { x })).rejects.toThrow('was disposed');
});

it('waits for a running program before it disposes of anything', async () => {
  // Catches: memory freed during a run; outputs of that run leaked.
  let go = (): void => {};
  const { backend, calls, held } = createFake({
    wait: () =>
      new Promise((resolve) => {
        go = resolve;
      }),
  });
  const x = backend.upload(floats(4), [1], 'float32');
  const program = await backend.compile('double', double, { x });
  const running = program.run({ x });
  const end = backend.dispose();
  await Promise.resolve();
  expect(calls).toEqual(['upload']);
  go();
  const { y } = await running;
  await end;
  expect(held()).toBe(0);
  expect(calls).toEqual(['upload', 'release', 'release', 'dispose double', 'dispose']);
  await expect(backend.read(y)).rejects.toThrow('was disposed with its backend');
});
