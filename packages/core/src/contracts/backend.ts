/** Arrays, tensors, random numbers, and the backend that compiles functions of them. */
import type * as tf from '@grok/tfjs';

// ---------------------------------------------------------------------------------------------
// Arrays and tensors

/** Element types that cross the seam; tfjs's `complex64` and `string` do not. */
export type DType = 'float32' | 'int32' | 'bool';
/** Host data of a tensor: `float32` → Float32Array, `int32` → Int32Array, `bool` → Uint8Array of 0 and 1. */
export type TypedArray = Float32Array | Int32Array | Uint8Array;

/** Shape and element type: what a compiled program needs to know of a tensor. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: DType;
}
/** A tensor in host memory, row-major. */
export interface HostArray extends TensorSpec {
  readonly data: TypedArray;
}
/** A tensor that lives on a backend; opaque but for its shape and element type. */
export interface DeviceTensor extends TensorSpec {}

/** Named parameters on the host, in the order that their hash uses. */
export type HostParams = Readonly<Record<string, HostArray>>;
/** Named parameters inside a step, in order; never a `tf.Variable`. */
export type Params = Readonly<Record<string, tf.Tensor>>;
/** Reads a parameter by name; throws on an unknown name and lists the known ones. */
export type ParamReader = (name: string) => tf.Tensor;

/** A plain object whose leaves are all of type `Leaf`, nested as deep as one likes. */
export type Tree<Leaf> = { readonly [key: string]: Leaf | Tree<Leaf> };
/** What is a leaf in any tree: a tfjs tensor, a device tensor, a host array, or the spec of one. */
export interface TensorLike {
  readonly shape: readonly number[];
  readonly dtype: string;
}
/** The tree `T` with every leaf replaced by `Leaf`. */
export type MapLeaves<T, Leaf> = { readonly [K in keyof T]: MapNode<T[K], Leaf> };
type MapNode<N, Leaf> = N extends TensorLike ? Leaf : MapLeaves<N, Leaf>;
/** A tree of tensors as it lives on a backend. */
export type OnDevice<T> = MapLeaves<T, DeviceTensor>;
/** A tree of tensors reduced to shapes and types; a tree of device tensors is its own signature. */
export type Signature<T> = MapLeaves<T, TensorSpec>;

// ---------------------------------------------------------------------------------------------
// Backend: compiles and runs pure functions of tensors

/** What a program does, for logs, benchmarks and tests. */
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

/** A compiled function; `run` takes and returns tensors on the device. Donated inputs are dead after `run`. */
export interface Program<I, O> {
  run(inputs: OnDevice<I>): Promise<OnDevice<O>>;
  readonly summary: ProgramSummary;
  dispose(): void;
}

/** What a backend says of itself. */
export interface BackendInfo {
  /** For manifests, such as `"onnxruntime-node 1.30.0, cpu, 2 threads"`. */
  readonly device: string;
  readonly capabilities: {
    /** Inputs stay on the device between runs at no cost: data sets may be gathered inside a step. */
    readonly residentInputs: boolean;
    readonly threads: number;
    /** Same inputs give the same bits, run after run. */
    readonly bitExact: boolean;
  };
}

/** Compiles pure tfjs functions and keeps tensors between runs. Core makes one of an adapter. */
export interface Backend extends BackendInfo {
  /** `"onnx"`, `"wasm"`, `"node-gpu"`, or a third party's. */
  readonly name: string;
  /**
   * Copies host data to the device; what is lent may be read where it lies instead, and the lender
   * changes nothing before the tensor is freed. @throws when `data` does not fill `shape`.
   */
  upload(
    data: TypedArray,
    shape: readonly number[],
    dtype: DType,
    how?: { readonly lent?: boolean },
  ): DeviceTensor;
  /** Copies a device tensor to a new host array. @throws when it was freed or donated. */
  read(tensor: DeviceTensor): Promise<TypedArray>;
  /** Releases a device tensor; releasing twice is harmless. */
  free(tensor: DeviceTensor): void;
  /**
   * Compiles `fn`, ordinary tfjs over a tree of tensors that may call `tf.grads`, for one signature.
   * Donated inputs (top-level keys) may be overwritten or freed by `run`, on every backend.
   * A tracing backend calls `fn` once: nothing in it may depend on a JS value that changes from run to run.
   * @throws when a kernel is unsupported, naming it, the op that asked for it and what is supported.
   */
  compile<I extends object, O extends object>(
    name: string,
    fn: (inputs: I) => O,
    signature: Signature<I>,
    options?: { donate?: readonly (keyof I & string)[] },
  ): Promise<Program<I, O>>;
  dispose(): Promise<void>;
}

/** An input of a program: its place in the tree, and whether `run` may overwrite it. */
export interface ProgramInput extends TensorSpec {
  readonly path: string;
  readonly donated: boolean;
}
/** A program of an adapter, as a plain object: whatever else it holds is on the `Program` too. */
export interface AdapterProgram<H> {
  readonly summary: ProgramSummary;
  /**
   * Handles in, handles out, both in order. Each output is a new handle or one of this run's inputs,
   * and may stand in several places. Timers and signals get a turn before it resolves.
   */
  run(inputs: readonly H[]): Promise<readonly H[]>;
  dispose(): void | Promise<void>;
}
/**
 * What the author of a backend writes: arrays that go up, come back and are let go, and functions of a
 * list of tensors. `H` is whatever the adapter calls a tensor. Core does the rest, once for all: trees,
 * signatures, donation, lifetimes, checks and their messages; an adapter meets no dead or foreign handle.
 */
export interface BackendAdapter<H = unknown> extends BackendInfo {
  /** Copies `data`, which fills `spec`; what is lent may be used in place until it is released. */
  upload(data: TypedArray, spec: TensorSpec, how: { readonly lent: boolean }): H;
  /** The elements of a tensor; core copies them. */
  read(handle: H): Promise<TypedArray>;
  /** Called once for each handle, when nothing refers to it any more. */
  release(handle: H): void;
  /**
   * Compiles `fn`, ordinary tfjs, for inputs of these shapes. It is called with this adapter's tfjs
   * backend as the current one, once while compiling or at every run.
   * @throws when a kernel is unsupported, naming it, the op that asked for it and what is supported.
   */
  compile(
    name: string,
    fn: (tensors: readonly tf.Tensor[]) => tf.Tensor[],
    inputs: readonly ProgramInput[],
  ): Promise<AdapterProgram<H>>;
  /** Called once, after every handle was released and every program disposed. */
  dispose(): void | Promise<void>;
}

// ---------------------------------------------------------------------------------------------
// Random numbers

/** A key for random draws; equal keys give equal draws, however often they are asked. */
export interface Rng {
  /** An independent generator for a label. */
  split(label: string | number): Rng;
  /** `n` uniform 32-bit words. */
  words(n: number): Uint32Array;
  /** `n` uniform numbers in (0, 1), 32 bits each. */
  uniform(n: number): Float64Array;
  /** `n` draws of the standard normal distribution. */
  normal(n: number): Float32Array;
  /** `n` draws of the standard normal cut at ±2, not rescaled. */
  truncatedNormal(n: number): Float32Array;
  /** `n` values that are 1 with probability `keep`, else 0; 16 bits a value. Written over `into`, of length `n`, where one is given. */
  bernoulli(n: number, keep: number, into?: Uint8Array): Uint8Array;
  /** A uniform permutation of 0 … n − 1. */
  permutation(n: number): Int32Array;
}
