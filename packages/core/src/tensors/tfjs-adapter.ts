/**
 * An adapter for any tfjs backend. Nothing is compiled: `run` calls the function inside `tidy`,
 * with the tfjs backend current only for that time, so programs of several backends may interleave.
 */
import * as tf from '@grok/tfjs';
import { RunError } from '../contracts/errors.js';
import type { BackendAdapter } from '../contracts/types.js';
import { yieldToEventLoop } from './event-loop.js';
import { startTfjsBackend, withTfjsBackend } from './tfjs-backend.js';

/** What differs between tfjs backends. */
export interface TfjsBackend {
  /** The backend's name in tfjs. */
  readonly tfjs: string;
  /** Description for manifests, with the version. */
  readonly device: string;
  readonly threads: number;
  readonly bitExact: boolean;
}

const NOTHING_COMPILED = { nodes: 0, gemms: [], flops: 0, bytes: 0 } as const;

/**
 * Adapts a tfjs backend and initializes it if needed.
 * @throws RunError if tfjs does not know the backend or cannot initialize it.
 */
export async function tfjsAdapter({
  tfjs,
  device,
  threads,
  bitExact,
}: TfjsBackend): Promise<BackendAdapter<tf.Tensor>> {
  await startTfjsBackend(tfjs);
  const instance = withTfjsBackend(tfjs, () => tf.backend());
  const inside = <T>(body: () => T): T =>
    withTfjsBackend(tfjs, () => {
      if (tf.backend() === instance) return body();
      throw new RunError(
        `tfjs backend "${tfjs}" was removed or restarted; create the backend again`,
      );
    });
  return {
    device,
    capabilities: { residentInputs: true, threads, bitExact },
    // Some tfjs backends keep the array they are given, so they get a copy.
    upload: (data, { shape, dtype }) =>
      inside(() => tf.keep(tf.tensor(data.slice(), [...shape], dtype))),
    read: (tensor) => tensor.data(),
    release: (tensor) => tensor.dispose(),
    compile: async (name, fn) => ({
      summary: NOTHING_COMPILED,
      async run(inputs) {
        try {
          // A returned input, or a tensor returned twice, would be disposed of twice, so each is
          // copied.
          const outputs = inside(() =>
            tf.tidy(() =>
              fn(inputs).map((tensor) => tf.keep(tensor.kept ? tf.clone(tensor) : tensor)),
            ),
          );
          await yieldToEventLoop();
          return outputs;
        } catch (error) {
          throw explainMissingKernel(error, name, tfjs);
        }
      },
      dispose() {},
    }),
    dispose() {},
  };
}

/** Explains a missing kernel with the op that called it and the available kernels; returns other errors unchanged. */
function explainMissingKernel(error: unknown, program: string, tfjs: string): unknown {
  if (!(error instanceof Error)) return error;
  const [, whose, kernel] = /^(.*?)Kernel '(.+?)' not registered/.exec(error.message) ?? [];
  if (kernel === undefined) return error;
  const { stack = '' } = error.cause instanceof Error ? error.cause : error;
  const op = /\b(\w+?)__op\b/.exec(stack)?.[1];
  const known = tf.getKernelsForBackend(tfjs).map(({ kernelName }) => kernelName);
  return new RunError(
    `program "${program}": ${whose}backend "${tfjs}" has no kernel ${kernel}${op ? `, needed by tf.${op}` : ''}; use other operations or another backend. Supported: ${known.sort().join(', ')}`,
    { cause: error },
  );
}
