/** The `Backend` contract: a whole training step, failures, and leaks. */
import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Backend } from '@grok/core';
import { mapTree, type OnDevice, uploadTree } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { afterEach, describe, expect, test } from 'vitest';
import { backend, exactly, floats, ints, randomStream } from './helpers.js';
import { drawInputs, type Sizes, type StepInputs, step } from './transformer.js';

const opened: Backend[] = [];
async function open(threads = 1): Promise<Backend> {
  const on = await backend({ threads });
  opened.push(on);
  return on;
}
afterEach(async () => {
  for (const on of opened.splice(0)) await on.dispose();
});

const sha = (data: ArrayBufferView) =>
  createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');

const small: Sizes = { vocabulary: 13, width: 16, depth: 2, batch: 24, dropout: 0.2 };

describe('a training step', () => {
  /** Catches: any operator, gradient or optimizer arithmetic that differs once everything is one graph. */
  test.each([0, 0.2])('three steps match eager cpu, dropout %d', async (dropout) => {
    const sizes = { ...small, dropout };
    const host = drawInputs(sizes);
    const fn = step(sizes);
    await tf.setBackend('cpu');
    let eager = mapTree(host, (h) =>
      tf.tensor(h.data, [...h.shape], h.dtype),
    ) as object as StepInputs;
    const wanted: number[] = [];
    for (let i = 0; i < 3; i++) {
      const out = tf.tidy(() => ({ ...fn(eager) }));
      wanted.push(...(await out.loss.data()));
      eager = { ...eager, params: out.params, state: out.state };
    }
    const on = await open(2);
    let inputs: OnDevice<StepInputs> = uploadTree(on, host);
    const program = await on.compile('step', fn, inputs, { donate: ['params', 'state'] });
    const got: number[] = [];
    for (let i = 0; i < 3; i++) {
      const out = await program.run(inputs);
      got.push(...(await on.read(out.loss)));
      inputs = { ...inputs, params: out.params, state: out.state };
    }
    got.forEach((loss, i) => {
      expect(loss).toBeCloseTo(wanted[i]!, 5);
    });
    const params = await on.read(inputs.params);
    const reference = await eager.params.data();
    // Adam divides by √v: where a gradient is close to 0, rounding may flip an update of 1e-3.
    const far = params.filter((p, i) => Math.abs(p - reference[i]!) > 1e-5);
    expect(far.length).toBeLessThan(params.length / 1000);
    expect([...(await on.read(inputs.state.count))]).toEqual([3]);
    tf.dispose([eager.params, eager.state.m, eager.state.v, eager.state.count]);
    tf.dispose([eager.tokens, eager.labels, ...Object.values(eager.dropoutMasks)]);
  });

  /** Catches: results that depend on thread scheduling. */
  test('two threads give the same bits every time', async () => {
    const on = await open(2);
    const host = drawInputs({ ...small, batch: 128 });
    const hashes = new Set<string>();
    const inputs = uploadTree(on, host);
    const program = await on.compile('step', step({ ...small, batch: 128 }), inputs);
    for (let i = 0; i < 20; i++) {
      const out = await program.run(inputs);
      hashes.add(sha(await on.read(out.params)));
    }
    expect(hashes.size).toBe(1);
  });
});

/** Catches: ScatterND with reduction "add", which has a race between threads on large batches. */
test.each([
  ['an embedding', 2048, 99, 128],
  ['scores in a table', 8192, 38_025, 1],
  ['few scores, looked up again and again', 8192, 100, 1],
])(
  'the gradient of %s has the same bits 200 times and matches float64',
  async (_, rows, segments, width) => {
    const next = randomStream(5);
    const on = await open(2);
    const inputs = uploadTree(on, {
      table: floats([segments, width], -1, 1, next),
      ids: ints([rows], 0, segments, next),
      dy: floats([rows, width], -1, 1, next),
    });
    const program = await on.compile(
      'embedding',
      ({ table, ids, dy }: Record<'table' | 'ids' | 'dy', tf.Tensor>) => ({
        grad: tf.grad((x: tf.Tensor) => tf.sum(tf.mul(tf.gather(x, ids as tf.Tensor1D), dy)))(
          table,
        ),
      }),
      inputs,
    );
    const hashes = new Set<string>();
    let grad: ArrayLike<number> = [];
    for (let i = 0; i < 200; i++) {
      const out = await program.run(inputs);
      const read = await on.read(out.grad);
      grad = read;
      hashes.add(sha(read));
      on.free(out.grad);
    }
    expect(hashes.size).toBe(1);
    const wanted = new Float64Array(segments * width);
    const [ids, dy] = [await on.read(inputs.ids), await on.read(inputs.dy)];
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < width; j++) wanted[ids[i]! * width + j]! += dy[i * width + j]!;
    const worst = wanted.reduce(
      (most, w, i) => Math.max(most, Math.abs(w - (grad[i] ?? Number.NaN))),
      0,
    );
    expect(worst).toBeLessThan(1e-5);
  },
);

describe('tensors on the device', () => {
  test('every type is read back as uploaded', async () => {
    const on = await open();
    for (const h of [floats([2, 3]), ints([4]), exactly('bool', [3], [1, 0, 1]), floats([])]) {
      const t = on.upload(h.data, h.shape, h.dtype);
      expect([t.dtype, ...t.shape]).toEqual([h.dtype, ...h.shape]);
      expect(await on.read(t)).toEqual(h.data);
    }
  });
  /** Catches: an upload that keeps the caller's array; a read that returns the device's array. */
  test('host and device share no memory', async () => {
    const on = await open();
    const data = Float32Array.of(1, 2);
    const t = on.upload(data, [2], 'float32');
    data[0] = 9;
    const read = await on.read(t);
    read[1] = 9;
    expect([...(await on.read(t))]).toEqual([1, 2]);
  });
  test('mismatched uploads are refused', async () => {
    const on = await open();
    const bad = () => on.upload(new Int32Array(3), [2, 2], 'float32');
    expect(bad).toThrow(
      'upload of float32 [2, 2]: needs 4 values in a Float32Array, got 3 in a Int32Array',
    );
  });
  test('freed and foreign tensors are refused', async () => {
    const [on, other] = [await open(), await open()];
    const t = on.upload(Float32Array.of(1), [1], 'float32');
    await expect(other.read(t)).rejects.toThrow('belongs to another backend');
    on.free(t);
    on.free(t);
    await expect(on.read(t)).rejects.toThrow(/was (freed|donated)/);
  });
  /** Catches: reused memory that a live input still refers to. */
  test('released memory is not in use', async () => {
    const on = await open();
    const size = 4096;
    const one = on.upload(new Float32Array(size).fill(1), [size], 'float32');
    const double = await on.compile('double', (t: { x: tf.Tensor }) => ({ y: tf.mul(t.x, 2) }), {
      x: one,
    });
    const pending = double.run({ x: one });
    on.free(one);
    const other = on.upload(new Float32Array(size).fill(7), [size], 'float32');
    const { y } = await pending;
    expect((await on.read(y))[0]).toBe(2);
    expect((await on.read(other))[0]).toBe(7);
  });
});

describe('programs', () => {
  const inc = ({ state }: { state: { n: tf.Tensor } }) => ({
    state: { n: tf.add(state.n, tf.scalar(1, 'int32')) },
  });
  test('inputs are checked by path', async () => {
    const on = await open();
    const n = on.upload(Int32Array.of(4), [], 'int32');
    const program = await on.compile('inc', inc, { state: { n } });
    await expect(program.run({ state: {} } as { state: { n: typeof n } })).rejects.toThrow(
      'program "inc": input "state/n" is missing; give int32 []',
    );
    const wrong = on.upload(Float32Array.of(1, 2), [2], 'float32');
    await expect(program.run({ state: { n: wrong } })).rejects.toThrow(
      'must be int32 [], got float32 [2]',
    );
    const { state } = await program.run({ state: { n } });
    expect([...(await on.read(state.n))]).toEqual([5]);
    program.dispose();
    await expect(program.run({ state: { n } })).rejects.toThrow('was disposed');
  });
  test('a donated input is dead afterwards', async () => {
    const on = await open();
    const n = on.upload(Int32Array.of(4), [], 'int32');
    const program = await on.compile('inc', inc, { state: { n } }, { donate: ['state'] });
    await program.run({ state: { n } });
    await expect(program.run({ state: { n } })).rejects.toThrow(/was (freed|donated)/);
  });
  /** Catches: `tf.add(n, 1)`, which silently makes a counter float32. */
  test('donated state that changes its type is refused', async () => {
    const on = await open();
    const n = on.upload(Int32Array.of(4), [], 'int32');
    const grow = (t: { n: tf.Tensor }) => ({ n: tf.add(t.n, 1) });
    await expect(on.compile('grow', grow, { n }, { donate: ['n'] })).rejects.toThrow(
      '"n" goes in as int32 [] and comes out as float32 []',
    );
    await expect(on.compile('grow', grow, { n }, { donate: ['m' as 'n'] })).rejects.toThrow(
      'donated input of program "grow" "m"',
    );
  });
  /** Catches: outputs that are inputs, constants or the same value twice, which ONNX graphs do not allow. */
  test('inputs, constants and repeated values may be outputs', async () => {
    const on = await open();
    const x = on.upload(Float32Array.of(1, 2), [2], 'float32');
    const program = await on.compile(
      'pass',
      (t: { x: tf.Tensor }) => {
        const y = tf.mul(t.x, 3);
        return { x: t.x, y, again: y, c: tf.ones([3], 'int32'), flat: tf.reshape(t.x, [2, 1]) };
      },
      { x },
      { donate: ['x'] },
    );
    const out = await program.run({ x });
    const numbers = await Promise.all(
      [out.x, out.y, out.again, out.c, out.flat].map(async (t) => [...(await on.read(t))]),
    );
    expect(numbers).toEqual([
      [1, 2],
      [3, 6],
      [3, 6],
      [1, 1, 1],
      [1, 2],
    ]);
    on.free(out.y);
    expect([...(await on.read(out.again))]).toEqual([3, 6]);
  });
  test('a result that is not a tensor is named in the error', async () => {
    const on = await open();
    const x = on.upload(Float32Array.of(1), [1], 'float32');
    await expect(on.compile('bad', () => ({ a: { b: 3 } }), { x })).rejects.toThrow(
      'program "bad": output "a/b" must be a tensor, got number',
    );
  });
});

describe('the trace', () => {
  const x = { shape: [2], dtype: 'float32' } as const;
  /** Catches: a value of an old trace that aliases a node of a new one. */
  test('tensors of another trace, and tensors that outlive their trace, are refused', async () => {
    const on = await open();
    let kept: tf.Tensor | undefined;
    const leakInput = (t: { x: tf.Tensor }) => {
      kept = tf.keep(tf.mul(t.x, 2));
      return { y: tf.mul(kept, 1) };
    };
    await expect(on.compile('keep', leakInput, { x })).rejects.toThrow(
      '1 tensor(s) outlived the trace',
    );
    await expect(
      on.compile('use', (t: { x: tf.Tensor }) => ({ y: tf.add(t.x, kept!) }), { x }),
    ).rejects.toThrow('from another trace');
    kept?.dispose();
  });
  test('reading a value while tracing is refused', async () => {
    const on = await open();
    const read = (t: { x: tf.Tensor }) => ({ y: tf.mul(t.x, t.x.dataSync()[0]!) });
    await expect(on.compile('read', read, { x })).rejects.toThrow('has no values while');
  });
  /** Catches: a backend left current after an error; scopes or tensors left behind. */
  test('tfjs is restored afterwards, even after errors', async () => {
    const on = await open();
    await tf.setBackend('cpu');
    const before = tf.memory().numTensors;
    const fine = (t: { x: tf.Tensor }) => ({
      y: tf.grad((v: tf.Tensor) => tf.sum(tf.exp(v)))(t.x),
    });
    const program = await on.compile('fine', fine, { x });
    expect(tf.getBackend()).toBe('cpu');
    const bad = () => {
      throw new Error('no');
    };
    await expect(on.compile('bad', bad, { x })).rejects.toThrow('no');
    expect(tf.getBackend()).toBe('cpu');
    expect(tf.memory().numTensors).toBe(before);
    expect(tf.engine().state.scopeStack).toHaveLength(0);
    program.dispose();
  });
  /** Catches: a trace that requires a previous backend. */
  test('tracing works without a current backend', async () => {
    const on = await open();
    const engine = tf.engine() as unknown as { backendName?: string; backendInstance: unknown };
    const former = tf.getBackend();
    Object.assign(engine, { backendName: undefined, backendInstance: null });
    try {
      const program = await on.compile('x', (t: { x: tf.Tensor }) => ({ y: tf.mul(t.x, 2) }), {
        x,
      });
      expect(engine.backendName).toBe(undefined);
      program.dispose();
    } finally {
      await tf.setBackend(former);
    }
  });
  /** Catches: a constant that is lost or leaked when two backends use it alternately. */
  test('two backends interleave and share an outside constant', async () => {
    const on = await open();
    await tf.setBackend('cpu');
    const shared = tf.tensor([1, 2]);
    const fn = (t: { x: tf.Tensor }) => ({ y: tf.mul(t.x, shared) });
    const given = on.upload(Float32Array.of(3, 4), [2], 'float32');
    for (let i = 0; i < 3; i++) {
      const program = await on.compile('mul', fn, { x: given });
      const pending = program.run({ x: given });
      const eager = tf.tidy(() => fn({ x: tf.tensor([5, 6]) }).y.dataSync());
      expect([...eager]).toEqual([5, 12]);
      expect([...(await on.read((await pending).y))]).toEqual([3, 8]);
      program.dispose();
    }
    shared.dispose();
  });
});

/** Catches: buffers, tensors or sessions that accumulate over steps. */
test('memory stays flat over steps', async () => {
  const on = await open();
  const sizes = { ...small, width: 32 };
  const host = drawInputs(sizes);
  let inputs: OnDevice<StepInputs> = uploadTree(on, host);
  const program = await on.compile('step', step(sizes), inputs, {
    donate: ['params', 'state'],
  });
  const run = async (steps: number) => {
    for (let i = 0; i < steps; i++) {
      const out = await program.run(inputs);
      on.free(out.loss);
      inputs = { ...inputs, params: out.params, state: out.state };
    }
  };
  await run(20);
  // The runtime's own results are garbage immediately; collect them so that only live memory
  // counts.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = { ...process.memoryUsage(), tensors: tf.memory().numTensors };
  await run(200);
  collect();
  const after = { ...process.memoryUsage(), tensors: tf.memory().numTensors };
  expect(after.tensors).toBe(before.tensors);
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(2 ** 20);
});
