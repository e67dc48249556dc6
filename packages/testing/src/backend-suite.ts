/**
 * The conformance suite of backends: one call in a vitest file, and whatever passes can train. It
 * asks for values and gradients against float64, for state that goes round, for memory, and for
 * good manners towards other backends of the process.
 */
import {
  type Backend,
  type DeviceTensor,
  type HostArray,
  type OnDevice,
  type Params,
  type Program,
  rng,
  type Signature,
  type Tree,
  uploadTree,
  valueAndGrads,
} from '@grok/core';
import * as tf from '@grok/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { f32, i32, leaves, readAndFree } from './arrays.js';
import { type BackendCase, backendCases, drawInputs } from './backend-cases.js';
import { mannersSuite } from './backend-manners.js';
import { exactCases } from './exact-cases.js';
import './matchers.js';
import { finiteDifferences } from './reference.js';

/** How much of the suite to run. */
export interface BackendSuiteOptions {
  /** Further operations to hold against float64. */
  readonly cases?: readonly BackendCase[];
  /** Runs of the embedding's gradient that must give the same bits (default 20; 0 leaves it out). */
  readonly repeats?: number;
}

/** Describes and tests a backend; `makeBackend` is called twice. */
export function backendSuite(
  name: string,
  makeBackend: () => Backend | Promise<Backend>,
  { cases = [], repeats = 20 }: BackendSuiteOptions = {},
): void {
  describe(`backend ${name}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => backend.dispose());

    /** Uploads, compiles for just these shapes, runs once, reads all and leaves nothing behind. */
    async function once<I extends object, O extends object>(
      fn: (inputs: I) => O,
      inputs: Tree<HostArray>,
    ): Promise<Record<string, HostArray>> {
      const given = uploadTree(backend, inputs);
      const program = await backend.compile(name, fn, given as Signature<I>);
      const out = await readAndFree(backend, await program.run(given as OnDevice<I>));
      program.dispose();
      for (const leaf of leaves(given)) backend.free(leaf);
      return out;
    }

    describe('tensors', () => {
      it('come back as they went up (catches: types mixed up, scalars lost)', async () => {
        const arrays: HostArray[] = [
          f32([2, 3], [1, -2.5, 3e-8, 4, 5, Number.POSITIVE_INFINITY]),
          i32([2], [-7, 2 ** 30]),
          { shape: [3], dtype: 'bool', data: Uint8Array.of(1, 0, 1) },
          f32([], [0.5]),
        ];
        for (const array of arrays) {
          const tensor = backend.upload(array.data, array.shape, array.dtype);
          expect({ shape: [...tensor.shape], dtype: tensor.dtype }).toEqual({
            shape: array.shape,
            dtype: array.dtype,
          });
          expect(await backend.read(tensor)).toEqual(array.data);
          backend.free(tensor);
        }
      });

      it('are copies (catches: a batch buffer that is reused changes what was uploaded)', async () => {
        const source = Float32Array.of(1, 2);
        const tensor = backend.upload(source, [2], 'float32');
        source[0] = 9;
        const read = await backend.read(tensor);
        expect([...read]).toEqual([1, 2]);
        read[1] = 9;
        expect([...(await backend.read(tensor))]).toEqual([1, 2]);
        backend.free(tensor);
      });

      it('may be lent, and what came of them outlives the loan (catches: a mask drawn anew into an output)', async () => {
        const source = new Float32Array(2000).fill(1);
        const lent = backend.upload(source, [2000], 'float32', { lent: true });
        const program = await backend.compile(
          'lent',
          ({ x }: { x: tf.Tensor }) => ({ same: x, twice: tf.add(x, x) }),
          { x: lent } as never,
        );
        const out = await program.run({ x: lent } as never);
        backend.free(lent);
        source.fill(9);
        // Memory that came back may be handed out again, the lender's may not.
        const later = backend.upload(new Float32Array(2000), [2000], 'float32');
        expect([source[0], source[1999]]).toEqual([9, 9]);
        const { same, twice } = await readAndFree(backend, out);
        expect([same!.data[1999], twice!.data[0]]).toEqual([1, 2]);
        backend.free(later);
        program.dispose();
      });

      it('must fill their shape (catches: silent zeros at the end of a short batch)', () => {
        expect(() => backend.upload(new Float32Array(5), [2, 3], 'float32')).toThrow(/5/);
        expect(() => backend.upload(new Int32Array(6), [2, 3], 'float32')).toThrow(/float32/i);
      });

      it('are freed once and for all (catches: stale memory read as if it were alive)', async () => {
        const tensor = backend.upload(Float32Array.of(1), [1], 'float32');
        backend.free(tensor);
        backend.free(tensor);
        await expect(async () => backend.read(tensor)).rejects.toThrow(/freed/);
      });
    });

    describe('programs', () => {
      const tree = {
        a: { 'blocks.0.w': f32([2], [1, 2]), b: f32([2], [3, 4]) },
        c: f32([2], [5, 6]),
      };
      type Inputs = { a: { 'blocks.0.w': tf.Tensor; b: tf.Tensor }; c: tf.Tensor };
      const swap = ({ a, c }: Inputs): { out: { c: tf.Tensor }; sum: tf.Tensor } => ({
        out: { c: tf.mul(a.b, 2) },
        sum: tf.add(a['blocks.0.w'], c),
      });

      it('take and give trees (catches: leaves matched by order instead of by name)', async () => {
        const out = await once(swap, {
          c: tree.c,
          a: { b: tree.a.b, 'blocks.0.w': tree.a['blocks.0.w'] },
        });
        expect(Object.keys(out)).toEqual(['out/c', 'sum']);
        expect(out['out/c']).toBeCloseToTensor([6, 8]);
        expect(out.sum).toBeCloseToTensor([6, 8]);
      });

      it('refuse other inputs by name (catches: a short last batch run through a full one’s program)', async () => {
        const given = uploadTree(backend, tree) as never as OnDevice<Inputs>;
        const program = await backend.compile('swap', swap, given as Signature<Inputs>);
        const long = backend.upload(new Float32Array(3), [3], 'float32');
        const whole = backend.upload(new Int32Array(2), [2], 'int32');
        const { c, ...rest } = given;
        await expect(program.run({ ...given, c: long })).rejects.toThrow(/"c".*\[2\].*\[3\]/s);
        await expect(program.run({ ...given, c: whole })).rejects.toThrow(/"c".*float32.*int32/s);
        await expect(program.run(rest as never)).rejects.toThrow(/"c"/);
        await expect(program.run({ ...given, d: c } as never)).rejects.toThrow(/"d"/);
        program.dispose();
        await expect(program.run(given)).rejects.toThrow(/disposed/);
        for (const leaf of [...leaves(given), long, whole]) backend.free(leaf);
      });

      it('may hand an input back (catches: two names for one tensor, freed twice)', async () => {
        const x = backend.upload(Float32Array.of(1, 2), [2], 'float32');
        const program = await backend.compile(
          'same',
          ({ x }: { x: tf.Tensor }) => ({ one: x, two: x }),
          { x },
        );
        const { one, two } = await program.run({ x });
        backend.free(one);
        backend.free(x);
        expect([...(await backend.read(two))]).toEqual([1, 2]);
        backend.free(two);
        program.dispose();
      });

      it('keep state going round (catches: a counter that turns into float32, donated state read again)', async () => {
        type State = { state: { count: tf.Tensor; w: tf.Tensor } };
        const advance = ({ state: { count, w } }: State): State => ({
          state: { count: tf.add(count, tf.scalar(1, 'int32')), w: tf.mul(w, 0.5) },
        });
        const first = uploadTree(backend, {
          state: { count: i32([], [2 ** 24]), w: f32([2], [1024, 1]) },
        }) as never as OnDevice<State>;
        const program = await backend.compile('advance', advance, first, { donate: ['state'] });
        let at = first;
        for (let i = 0; i < 10; i++) at = await program.run(at);
        await expect(async () => backend.read(first.state.w)).rejects.toThrow(/donated|freed/);
        await expect(program.run(first)).rejects.toThrow(/donated|freed/);
        expect(await readAndFree(backend, at)).toEqual({
          // One more than float32 can count to.
          'state/count': i32([], [2 ** 24 + 10]),
          'state/w': f32([2], [1, 2 ** -10]),
        });
        program.dispose();
      });

      it('refuse state that changes its type (catches: `tf.add(count, 1)`)', async () => {
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
        await expect(run()).rejects.toThrow(/count/);
        backend.free(count);
      });

      it('name a kernel that is missing (catches: an error that says nothing of where)', async () => {
        const x = backend.upload(Float32Array.of(1), [1], 'float32');
        const odd = tf.op({
          oddity_: (x: tf.Tensor): tf.Tensor => tf.engine().runKernel('NoSuchKernel', { x }),
        });
        const run = async (): Promise<unknown> => {
          const fn = ({ x }: { x: tf.Tensor }) => ({ y: odd(x) });
          return (await backend.compile('odd', fn, { x })).run({ x });
        };
        await expect(run()).rejects.toThrow(/NoSuchKernel.*oddity.*Add/s);
        backend.free(x);
      });
    });

    describe.each([...backendCases, ...cases])('$name', (entry) => {
      it('has the value and the gradient of float64', async () => {
        const inputs = drawInputs(entry);
        const value = Float64Array.from(entry.reference(inputs));
        // A weighted sum of the results, so that no error cancels another.
        const weights = rng(2).split(entry.name).normal(value.length);
        const host = Object.fromEntries(
          Object.entries(inputs).map(([key, { shape, data }]) => [key, f32(shape, data)]),
        );
        const got = await once(
          ({ x, weights }: { x: Params; weights: tf.Tensor }) => {
            const { loss, aux, grads } = valueAndGrads((x) => {
              const out = entry.tensor(x);
              const flat = tf.reshape(out, [-1]);
              return { loss: tf.sum(tf.mul(flat, weights)), aux: { value: flat } };
            }, x);
            return { loss, value: aux.value, grads };
          },
          { x: host, weights: f32([weights.length], weights) },
        );
        const close = { absolute: 1e-5, relative: 1e-5 };
        expect(got.value, 'value').toBeCloseToTensor(value, close);
        for (const [key, { shape, data }] of Object.entries(host)) {
          const want = finiteDifferences((at) => {
            const out = entry.reference({ ...inputs, [key]: { shape, data: at } });
            return Array.from(out).reduce((sum, v, i) => sum + v * weights[i]!, 0);
          }, data);
          expect(got[`grads/${key}`], `gradient of ${key}`).toBeCloseToTensor(want, {
            absolute: 5e-5,
            relative: 5e-5,
          });
        }
      });
    });

    it.each(exactCases)('$name: exact', async ({ inputs, tensor, want }) => {
      const { y } = await once((x: Params) => ({ y: tensor(x) }), inputs);
      expect(y).toEqual(want);
    });

    describe('training', () => {
      it.skipIf(repeats === 0)(
        `adds an embedding’s gradient exactly, ${repeats} times alike (catches: threads that race for a row)`,
        async () => {
          const [rows, classes, width] = [2048, 99, 32];
          const ids = Int32Array.from(rng(3).words(rows), (word) => word % classes);
          const dy = rng(4).normal(rows * width);
          const want = new Float64Array(classes * width);
          for (let i = 0; i < dy.length; i++)
            want[ids[Math.floor(i / width)]! * width + (i % width)]! += dy[i]!;
          const fn = ({ table, ids, dy }: Record<'table' | 'ids' | 'dy', tf.Tensor>) => ({
            grad: tf.grad((table) => tf.sum(tf.mul(tf.gather(table, ids as tf.Tensor1D), dy)))(
              table!,
            ),
          });
          const inputs = uploadTree(backend, {
            table: f32([classes, width], new Float32Array(classes * width)),
            ids: i32([rows], ids),
            dy: f32([rows, width], dy),
          }) as Record<'table' | 'ids' | 'dy', DeviceTensor>;
          const program: Program<typeof inputs, { grad: tf.Tensor }> = await backend.compile(
            'embedding',
            fn as never,
            inputs as never,
          );
          const seen = new Set<string>();
          for (let i = 0; i < repeats; i++) {
            const { grad } = await readAndFree(backend, await program.run(inputs as never));
            expect(grad).toBeCloseToTensor(want, { absolute: 1e-4 });
            if (backend.capabilities.bitExact) seen.add(String(new Uint32Array(grad!.data.buffer)));
          }
          expect(seen.size).toBeLessThanOrEqual(1);
          program.dispose();
          for (const leaf of leaves(inputs)) backend.free(leaf);
        },
        60_000 + 1_000 * repeats, // plain JavaScript takes longer than a runner's own 5 s
      );

      it('gives zeros where the loss does not reach (catches: unused parameters that throw)', async () => {
        const out = await once(
          (params: Params) =>
            valueAndGrads((p) => ({ loss: tf.sum(p.used!), aux: {} }), params).grads,
          { used: f32([2], [1, 2]), unused: f32([3], [1, 2, 3]) },
        );
        expect(out.used).toBeCloseToTensor([1, 1]);
        expect(out.unused).toEqual(f32([3], [0, 0, 0]));
      });

      it('differentiates twice (catches: gradients that are not on the tape)', async () => {
        const out = await once(
          ({ x }: { x: tf.Tensor }) => ({
            y: tf.grad((x) => tf.sum(tf.grad((x) => tf.sum(tf.pow(x, 3)))(x)))(x),
          }),
          { x: f32([2], [1, 2]) },
        );
        expect(out.y).toBeCloseToTensor([6, 12], { absolute: 1e-4 });
      });
    });

    mannersSuite(() => backend, makeBackend);
  });
}
