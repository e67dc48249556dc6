/**
 * What the backend asks of a copy of onnxruntime. `native.node.ts` answers with onnxruntime-node;
 * a browser's answer is chosen by the `browser` condition of this package's `imports`.
 */
import type { DType, TypedArray } from '@grok/core';

/** The runtime's own tensor over memory of ours: it reads from and writes to `data` itself. */
export interface RuntimeTensor {
  readonly data: unknown;
}
/** What a copy of onnxruntime is asked for when it is loaded; each of them is for browsers alone. */
export interface RuntimeOptions {
  /** Threads, fixed by the first that asks: a page has one pool of them. */
  readonly threads?: number | undefined;
  /** Default `wasm`. */
  readonly provider?: 'wasm' | 'webgpu' | undefined;
  /** Folder of onnxruntime's binaries, where the bundler did not place them; ends in `/`. */
  readonly wasmPaths?: string | undefined;
}
/** How a session is opened. */
interface SessionOptions {
  readonly threads: number;
  /** A file name's beginning: write onnxruntime's profile there. */
  readonly profile?: string;
}
/** A loaded model. */
export interface Session {
  /** Computes `fetches` from `feeds`; both are tensors by name, and those fetched are written over. */
  run(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    fetches: Readonly<Record<string, RuntimeTensor>>,
  ): Promise<void>;
  /** Ends profiling; the file is complete afterwards. */
  endProfiling(): void;
  release(): Promise<void>;
}
/** A copy of onnxruntime. */
export interface Runtime {
  /** For manifests, such as `"onnxruntime-node 1.30.0"`. */
  readonly name: string;
  /** What computes; `cpu` where nothing is said. */
  readonly provider?: 'wasm' | 'webgpu';
  /** Inputs are read where they lie. */
  readonly residentInputs: boolean;
  /** Models are to have the output `NOTHING` first; see `native.node.ts`. */
  readonly emptySequenceOutput?: boolean;
  /** Cores that a run may use. */
  readonly cores: number;
  /** Threads of every run, where a run cannot choose. */
  readonly threads?: number;
  tensor(dtype: DType, data: TypedArray, shape: readonly number[]): RuntimeTensor;
  open(model: Uint8Array, options: SessionOptions): Promise<Session>;
}
