/** onnxruntime-node behind `session.ts`: the native CPU provider, tensors in ordinary typed arrays. */
import { availableParallelism } from 'node:os';
import { InputError } from '@grok/core';
import type * as Ort from 'onnxruntime-common';
import type { Runtime, RuntimeOptions, RuntimeTensor } from './session.js';

/**
 * Loads onnxruntime-node, an optional peer.
 * @throws InputError that says how to install it, or that a provider is for browsers.
 */
export async function loadRuntime({ provider }: RuntimeOptions = {}): Promise<Runtime> {
  if (provider !== undefined)
    throw new InputError(
      `backend "onnx": the provider "${provider}" is for browsers; leave it out in Node`,
    );
  const ort = await load();
  return {
    name: `onnxruntime-node ${ort.env.versions.node ?? ort.env.versions.common}`,
    residentInputs: true,
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
        ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
      });
      return {
        // One native call that blocks; it starts from setImmediate, so signals and timers get their turn.
        run: async (feeds, fetches) => {
          await session.run(feeds as Tensors, fetches as Tensors);
        },
        endProfiling: () => session.endProfiling(),
        release: () => session.release(),
      };
    },
  };
}
type Tensors = Readonly<Record<string, RuntimeTensor & Ort.Tensor>>;

async function load(): Promise<typeof Ort> {
  try {
    const module = (await import('onnxruntime-node')) as typeof Ort & { default?: typeof Ort };
    return module.default ?? module;
  } catch (error) {
    throw new InputError(
      `backend "onnx": onnxruntime-node cannot be loaded (${(error as Error).message}); install it with: npm i onnxruntime-node --onnxruntime-node-install=skip`,
    );
  }
}
