/**
 * The backend's interface to onnxruntime. `native.node.ts` implements it with onnxruntime-node;
 * in browsers, the `browser` condition of this package's `imports` selects another implementation.
 */
import type { DType, TypedArray } from '@grok/core';

/** The runtime's tensor over our memory: it reads from and writes to `data` directly. */
export interface RuntimeTensor {
  readonly data: unknown;
}
/** Options for loading onnxruntime, all for browsers only. */
export interface RuntimeOptions {
  /** Threads, fixed by the first load: a page has one thread pool. */
  readonly threads?: number | undefined;
  /** Default `wasm`. */
  readonly provider?: 'wasm' | 'webgpu' | undefined;
  /** Folder of onnxruntime's binaries, ending in `/`, if the bundler did not place them. */
  readonly wasmPaths?: string | undefined;
}
/** Options for opening a session. */
interface SessionOptions {
  readonly threads: number;
  /** File name prefix for onnxruntime's profile. */
  readonly profile?: string;
}
/** A loaded model. */
export interface Session {
  /** Computes `fetches` from `feeds`; both are tensors by name, and the fetched ones are overwritten. */
  run(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    fetches: Readonly<Record<string, RuntimeTensor>>,
  ): Promise<void>;
  /** Ends profiling and completes the file. */
  endProfiling(): void;
  release(): Promise<void>;
}
/** A loaded copy of onnxruntime. */
export interface Runtime {
  /** For manifests, such as `"onnxruntime-node 1.30.0"`. */
  readonly name: string;
  /** The execution provider; `cpu` if missing. */
  readonly provider?: 'wasm' | 'webgpu';
  /** Whether inputs are read in place. */
  readonly residentInputs: boolean;
  /** Whether models must have the output `NOTHING` first; see `native.node.ts`. */
  readonly emptySequenceOutput?: boolean;
  /** Number of cores available to a run. */
  readonly cores: number;
  /** Number of threads of every run, if a run cannot choose it. */
  readonly threads?: number;
  tensor(dtype: DType, data: TypedArray, shape: readonly number[]): RuntimeTensor;
  open(model: Uint8Array, options: SessionOptions): Promise<Session>;
}
