/**
 * The adapter of onnxruntime: `compile` traces a function into one graph, and `run` is one call of
 * the runtime. Tensors are typed arrays; a step's state alternates between two of them.
 */
import type { AdapterProgram, BackendAdapter, Program } from '@grok/core';
import type { ProgramInput } from '@grok/core/internal';
import type * as tf from '@grok/tfjs';
import { computedOutputs, encode } from './encode.js';
import type { Graph } from './graph.js';
import { createMemory, type Memory, type Storage } from './memory.js';
import { optimize, type Rules } from './optimize/index.js';
import { createRunner } from './run.js';
import type { Runtime } from './session.js';
import { summarizeGraph } from './summary.js';
import { trace } from './tracer.js';

/** Settings of the backend. */
export interface Settings {
  /** Threads per run. */
  readonly threads: number;
  /** Rewrite rules to disable: `{ name: false }`. */
  readonly rules: Rules;
  /** File name prefix for onnxruntime's profile of each program, `PREFIX-NAME_….json`. */
  readonly profile?: string | undefined;
}
/** A compiled program that exposes its graph, for tests and profiles. */
export interface OnnxProgram<I, O> extends Program<I, O> {
  readonly graph: Graph;
}
interface GraphProgram extends AdapterProgram<Storage> {
  readonly graph: Graph;
}

/** Creates the adapter of a loaded runtime. */
export function createAdapter(runtime: Runtime, settings: Settings): BackendAdapter<Storage> {
  const { threads } = settings;
  const memory = createMemory(runtime);
  return {
    device: `${runtime.name}, ${runtime.provider ?? 'cpu'}, ${threads} thread${threads === 1 ? '' : 's'}`,
    capabilities: {
      residentInputs: runtime.residentInputs,
      threads,
      bitExact: runtime.provider !== 'webgpu',
    },
    upload: (data, { dtype }, { lent }) =>
      lent ? memory.borrow(data) : memory.copyOf(dtype, data),
    read: async ({ data }) => data,
    release: memory.release,
    compile: (name, fn, inputs) => compile({ runtime, memory, ...settings }, name, fn, inputs),
    dispose: memory.clear,
  };
}

async function compile(
  { runtime, memory, threads, rules, profile }: Settings & { runtime: Runtime; memory: Memory },
  name: string,
  fn: (tensors: readonly tf.Tensor[]) => tf.Tensor[],
  inputs: readonly ProgramInput[],
): Promise<GraphProgram> {
  const types = inputs.map(({ dtype, shape }) => ({ type: dtype, shape }));
  const graph = optimize(await trace(types, fn), rules);
  const bytes = encode(graph, { nothing: runtime.emptySequenceOutput === true });
  const file = profile && `${profile}-${name.replace(/\W+/g, '-')}`;
  // The runtime rejects models without outputs.
  const session =
    computedOutputs(graph).length === 0
      ? undefined
      : await runtime.open(bytes, { threads, ...(file ? { profile: file } : {}) });
  return {
    summary: summarizeGraph(graph, bytes.length),
    graph,
    run: createRunner({ graph, session, memory }),
    async dispose() {
      if (file) session?.endProfiling();
      await session?.release();
    },
  };
}
