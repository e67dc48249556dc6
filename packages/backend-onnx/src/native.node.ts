/**
 * Implements `session.ts` with onnxruntime-node: the native CPU provider, tensors in ordinary typed
 * arrays.
 *
 * Its binding writes outputs to the given buffers but then copies each into a new array anyway,
 * which takes milliseconds for a step's state. It does so output by output, and it cannot convert a
 * sequence: for a model whose first output is an empty sequence, everything has been computed when
 * `run` fails. Whether a copy of onnxruntime behaves this way is tested once, when it is loaded.
 */
import { availableParallelism } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { InputError } from '@grok/core';
import type * as Ort from 'onnxruntime-common';
import { emit } from './builder.js';
import { encode, formatName, NOTHING } from './encode.js';
import { addValue, createGraph } from './graph.js';
import type { Runtime, RuntimeOptions, RuntimeTensor } from './session.js';
import { disableTelemetry } from './telemetry.js';

type Tensors = Readonly<Record<string, RuntimeTensor & Ort.Tensor>>;
const NOT_CONVERTED = 'Non tensor type is temporarily not supported.';

/**
 * Loads onnxruntime-node, an optional peer dependency.
 * @throws InputError that says how to install it, or that a provider is for browsers only.
 */
export async function loadNative({ provider }: RuntimeOptions = {}): Promise<Runtime> {
  if (provider !== undefined)
    throw new InputError(
      `backend "onnx": the provider "${provider}" is for browsers; leave it out in Node`,
    );
  const ort = await load();
  const emptySequenceOutput = await stopsAtSequences(ort);
  return {
    name: `onnxruntime-node ${ort.env.versions.node ?? ort.env.versions.common}`,
    residentInputs: true,
    emptySequenceOutput,
    cores: availableParallelism(),
    tensor: (dtype, data, shape) => new ort.Tensor(dtype, data, [...shape]),
    async open(model, { threads, profile }) {
      const session = await ort.InferenceSession.create(model, {
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
        // Threads of a session that has run would keep spinning while another one trains or
        // evaluates.
        extra: {
          session: { force_spinning_stop: '1' },
          // Transposes and scale factors before products are intentional.
          optimization: {
            disable_specified_optimizers:
              'GemmTransposeFusion;MatmulTransposeFusion;TransposeOptimizer;MatMulScaleFusion',
          },
        },
        ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
      });
      return {
        // One blocking native call; it starts from setImmediate, so signals and timers are handled
        // in between.
        async run(feeds, fetches) {
          if (!emptySequenceOutput) await session.run(feeds as Tensors, fetches as Tensors);
          else await runWithoutCopies(session, feeds as Tensors, fetches as Tensors);
        },
        endProfiling: () => session.endProfiling(),
        release: () => session.release(),
      };
    },
  };
}

async function runWithoutCopies(
  session: Ort.InferenceSession,
  feeds: Tensors,
  fetches: Tensors,
): Promise<void> {
  try {
    await session.run(feeds, { [NOTHING]: null, ...fetches });
  } catch (error) {
    if ((error as Error).message !== NOT_CONVERTED) throw error;
  }
}

/** True if a sequence as first output makes `run` fail after all other outputs were written. */
async function stopsAtSequences(ort: typeof Ort): Promise<boolean> {
  const graph = createGraph();
  const x = addValue(graph, 'float32', [1]);
  graph.inputs.push(x);
  const y = emit({ graph, source: '' }, 'Neg', [x], x);
  graph.outputs = [y];
  try {
    const session = await ort.InferenceSession.create(encode(graph, { nothing: true }), {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    const tensor = (value: number) => new ort.Tensor('float32', Float32Array.of(value), [1]);
    const result = tensor(0);
    const fetches = { [NOTHING]: null, [formatName(y)]: result };
    const message = await session
      .run({ [formatName(x)]: tensor(-3) }, fetches)
      .then(() => '')
      .catch((error: Error) => error.message);
    await session.release();
    return message === NOT_CONVERTED && result.data[0] === 3;
  } catch {
    return false;
  }
}

async function load(): Promise<typeof Ort> {
  disableTelemetry(process.env, isMainThread);
  try {
    const module = (await import('onnxruntime-node')) as typeof Ort & { default?: typeof Ort };
    return module.default ?? module;
  } catch (error) {
    throw new InputError(
      `backend "onnx": onnxruntime-node cannot be loaded (${(error as Error).message}); install it with: ONNXRUNTIME_NODE_INSTALL=skip npm i onnxruntime-node`,
    );
  }
}
