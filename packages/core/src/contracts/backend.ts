/** Arrays, tensors, random numbers, and the backend that compiles functions of them. */
import type * as tf from '@grok/tfjs';

// ---------------------------------------------------------------------------------------------
// Arrays and tensors

/** Data types that backends support; tfjs's `complex64` and `string` are not supported. */
export type DType = 'float32' | 'int32' | 'bool';
/** Host data of a tensor: `float32` → Float32Array, `int32` → Int32Array, `bool` → Uint8Array of 0 and 1. */
export type TypedArray = Float32Array | Int32Array | Uint8Array;

/** Shape and data type of a tensor. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: DType;
}
/** A tensor in host memory, row-major. */
export interface HostArray extends TensorSpec {
  readonly data: TypedArray;
}
/** A tensor on a backend; opaque except for its shape and data type. */
export interface DeviceTensor extends TensorSpec {}

/** Named parameters on the host, in the order in which they are hashed. */
export type HostParams = Readonly<Record<string, HostArray>>;
/** Named parameters inside a step, in order; never a `tf.Variable`. */
export type Params = Readonly<Record<string, tf.Tensor>>;
/** Reads a parameter by name; throws on an unknown name and lists the known ones. */
export type ParamReader = (name: string) => tf.Tensor;

/** A plain object with leaves of type `Leaf`, nested to any depth. */
export type Tree<Leaf> = { readonly [key: string]: Leaf | Tree<Leaf> };
/** A leaf of any tree: a tfjs tensor, a device tensor, a host array, or a tensor spec. */
export interface TensorLike {
  readonly shape: readonly number[];
  readonly dtype: string;
}
/** The tree `T` with every leaf replaced by `Leaf`. */
export type MapLeaves<T, Leaf> = { readonly [K in keyof T]: MapNode<T[K], Leaf> };
type MapNode<N, Leaf> = N extends TensorLike ? Leaf : MapLeaves<N, Leaf>;
/** A tree of tensors on a backend. */
export type OnDevice<T> = MapLeaves<T, DeviceTensor>;
/** The shapes and data types of a tree of tensors; a tree of device tensors is its own signature. */
export type Signature<T> = MapLeaves<T, TensorSpec>;

// ---------------------------------------------------------------------------------------------
// Backend: compiles and runs pure functions of tensors

/** Size of a compiled program, for logs, benchmarks and tests. */
export interface ProgramSummary {
  /** Nodes of the compiled graph; 0 on an eager backend. */
  readonly nodes: number;
  /** Matrix products, `[m, k, n]` each with its batch count. */
  readonly gemms: readonly { m: number; k: number; n: number; batch: number }[];
  /** Floating-point operations of the matrix products in one run. */
  readonly flops: number;
  /** Size of the compiled graph in bytes; 0 on an eager backend. */
  readonly bytes: number;
}

/** A compiled function; `run` takes and returns device tensors. Donated inputs must not be used after `run`. */
export interface Program<I, O> {
  run(inputs: OnDevice<I>): Promise<OnDevice<O>>;
  readonly summary: ProgramSummary;
  dispose(): void;
}

/** Description of a backend. */
export interface BackendInfo {
  /** For manifests, such as `"onnxruntime-node 1.30.0, cpu, 2 threads"`. */
  readonly device: string;
  readonly capabilities: {
    /** Whether inputs stay on the device between runs at no cost, so that a step can gather rows from the data set. */
    readonly residentInputs: boolean;
    readonly threads: number;
    /** Whether equal inputs always give bit-identical results. */
    readonly bitExact: boolean;
  };
}

/** Compiles pure tfjs functions and keeps tensors between runs. Core makes a backend from an adapter. */
export interface Backend extends BackendInfo {
  /** `"onnx"`, `"wasm"`, `"node-gpu"`, or the name of a third-party backend. */
  readonly name: string;
  /**
   * Copies host data to the device. Lent data may be used in place instead; the caller must not change it until the
   * tensor is freed. @throws if the size of `data` does not match `shape`.
   */
  upload(
    data: TypedArray,
    shape: readonly number[],
    dtype: DType,
    how?: { readonly lent?: boolean },
  ): DeviceTensor;
  /** Copies a device tensor to a new host array. @throws if it was freed or donated. */
  read(tensor: DeviceTensor): Promise<TypedArray>;
  /** Frees a device tensor; freeing it twice has no effect. */
  free(tensor: DeviceTensor): void;
  /**
   * Compiles `fn`, a tfjs function of a tree of tensors that may call `tf.grads`, for one signature. On every backend,
   * `run` may overwrite or free donated inputs (top-level keys). A tracing backend calls `fn` once, so `fn` must not
   * depend on JavaScript values that change between runs.
   * @throws if a kernel is unsupported; the error names it, the calling operation, and the supported kernels.
   */
  compile<I extends object, O extends object>(
    name: string,
    fn: (inputs: I) => O,
    signature: Signature<I>,
    options?: { donate?: readonly (keyof I & string)[] },
  ): Promise<Program<I, O>>;
  dispose(): Promise<void>;
}

/** An input of a program: its path in the tree, and whether `run` may overwrite it. */
export interface ProgramInput extends TensorSpec {
  readonly path: string;
  readonly donated: boolean;
}
/** A program of an adapter, as a plain object; its other properties are copied to the `Program`. */
export interface AdapterProgram<H> {
  readonly summary: ProgramSummary;
  /**
   * Takes and returns handles in order. Each output is a new handle or one of the inputs, and may appear several times.
   * The event loop must get a turn before the promise resolves.
   */
  run(inputs: readonly H[]): Promise<readonly H[]>;
  dispose(): void | Promise<void>;
}
/**
 * The interface that the author of a backend implements: upload, read and release arrays, and compile functions of a
 * list of tensors. `H` is the adapter's type of a tensor handle. Core handles trees, signatures, donation, lifetimes,
 * checks and error messages; an adapter never receives a freed or foreign handle.
 */
export interface BackendAdapter<H = unknown> extends BackendInfo {
  /** Copies `data`, whose size matches `spec`; lent data may be used in place until it is released. */
  upload(data: TypedArray, spec: TensorSpec, how: { readonly lent: boolean }): H;
  /** Returns the elements of a tensor; core copies them. */
  read(handle: H): Promise<TypedArray>;
  /** Called once for each handle, when nothing refers to it anymore. */
  release(handle: H): void;
  /**
   * Compiles `fn`, a tfjs function, for inputs of these shapes. Call `fn` while this adapter's tfjs backend is current,
   * either once during compilation or at every run.
   * @throws if a kernel is unsupported; the error names it, the calling operation, and the supported kernels.
   */
  compile(
    name: string,
    fn: (tensors: readonly tf.Tensor[]) => tf.Tensor[],
    inputs: readonly ProgramInput[],
  ): Promise<AdapterProgram<H>>;
  /** Called once, after every handle is released and every program disposed. */
  dispose(): void | Promise<void>;
}

// ---------------------------------------------------------------------------------------------
// Random numbers

/** A key of a counter-based random number generator; equal keys always give equal numbers. */
export interface Rng {
  /** Returns an independent generator for a label. */
  split(label: string | number): Rng;
  /** `n` uniform 32-bit words. */
  words(n: number): Uint32Array;
  /** `n` uniform numbers in (0, 1), 32 bits each. */
  uniform(n: number): Float64Array;
  /** `n` standard normal numbers. */
  normal(n: number): Float32Array;
  /** `n` standard normal numbers truncated to ±2, not rescaled. */
  truncatedNormal(n: number): Float32Array;
  /** `n` values that are 1 with probability `keep`, else 0, with 16 bits of resolution; written to `into` (length `n`) if given. */
  bernoulli(n: number, keep: number, into?: Uint8Array): Uint8Array;
  /** A uniformly random permutation of 0 … n − 1. */
  permutation(n: number): Int32Array;
}
