/**
 * The contracts of grok: everything that a plugin author has to know is in this file.
 *
 * One idea carries them all: a training step is a pure function of tensors, written in plain
 * TensorFlow.js, and a backend compiles it. Models, objectives, optimisers and probes know
 * nothing of backends; backends know nothing of grokking.
 */
import type * as tf from '@grok/tfjs';
import type { Rng } from './rng.js';
import type { Json, MetricsRow, Tracker } from './run-types.js';

export type * from './run-types.js';

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
/** `T` with every tensor leaf replaced by `Leaf`. */
export type MapLeaves<T, Leaf> = T extends tf.Tensor
  ? Leaf
  : { readonly [K in keyof T]: MapLeaves<T[K], Leaf> };
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

/** Compiles pure tfjs functions and keeps tensors between runs. One package each. */
export interface Backend {
  /** `"onnx"`, `"wasm"`, `"node-gpu"`, or a third party's. */
  readonly name: string;
  /** For manifests, such as `"onnxruntime-node 1.30.0, cpu, 2 threads"`. */
  readonly device: string;
  readonly capabilities: {
    /** Inputs stay on the device between runs at no cost: data sets may be gathered inside a step. */
    readonly residentInputs: boolean;
    readonly threads: number;
    /** Same inputs give the same bits, run after run. */
    readonly bitExact: boolean;
  };
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

// ---------------------------------------------------------------------------------------------
// Task, split, model

/** A labelled data set: row `i` of `inputs` has class `labels[i]`. */
export interface Task {
  /** Number of classes of the model's logits. */
  readonly vocabulary: number;
  /** int32 tokens `[rows, positions]`, or float32 features `[rows, …]`. */
  readonly inputs: HostArray;
  readonly labels: Int32Array;
  /** One row for people, such as `"3 / 5 = 20 (mod 97)"`. */
  show(row: number): string;
  /** Present for tasks over (a, b) modulo p; analyses in the Fourier basis need it. */
  readonly modular?: { readonly p: number; readonly op: string };
}
/** Rows of the training and of the validation set. */
export interface SplitRows {
  readonly train: Int32Array;
  readonly validation: Int32Array;
}
/** Divides `rows` row numbers in two, from a seed of its own. */
export type Split = (rows: number, seed: number) => SplitRows;

/** What a model is told of its task. */
export interface TaskInfo {
  readonly vocabulary: number;
  /** With the `data` of all rows a model may compute once what repeats in them; it is then for these rows only. */
  readonly inputs: TensorSpec & { readonly data?: TypedArray };
}

/** Name of a place in a model where a value can be read or replaced, after TransformerLens's hooks. */
export type Site = string;
/** A site and the shape of one row's value there (the batch dimension left out). */
export interface SiteInfo {
  readonly name: Site;
  readonly shape: readonly number[];
  /** The parameter `[d_vocab, d]` whose rows the site is, token by token, where it is nothing more. */
  readonly table?: string;
}
/** What a model computes: a finished object without parameters in it. */
export interface Model {
  /** Numbers that others may need, such as layer maps. */
  readonly shape: ModelShape;
  /** Draws the initial parameters, in the order of the parameters' hash. */
  init(rng: Rng): HostParams;
  sites(): readonly SiteInfo[];
  /** Shapes of the dropout masks for a batch, by name; empty without dropout. */
  keeps(batch: number): Readonly<Record<string, readonly number[]>>;
  /** Probability with which a mask keeps a value (1 without dropout). */
  readonly keepProbability: number;
  /**
   * Computes the requested sites, always whole (`[batch, pos, …]`).
   * `taps` replace the value at a site; `keep` holds bool masks, absent in evaluation.
   * @throws on an unknown site, and lists the known ones.
   */
  apply(
    params: ParamReader,
    inputs: tf.Tensor,
    how: {
      sites: ReadonlySet<Site>;
      taps?: Readonly<Record<Site, (value: tf.Tensor) => tf.Tensor>>;
      keep?: Readonly<Record<string, tf.Tensor>>;
    },
  ): Record<Site, tf.Tensor>;
}
/** Sizes of a model. */
export interface ModelShape {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
}
/** Builds a model for a task. @throws when options and task do not fit. */
export type ModelFactory = (task: TaskInfo) => Model;

// ---------------------------------------------------------------------------------------------
// Objective: hard labels, every distillation strategy, every regulariser

/** What an objective is told of a model. */
export interface ModelInfo extends ModelShape {
  readonly sites: readonly SiteInfo[];
}
/** What an objective may read inside a step; readers throw on an unknown name and list the known ones. */
export interface LossContext {
  /** The student's value at a site named in `needs.student`, `[batch, …]`. */
  student(site: Site): tf.Tensor;
  /** A teacher's value at a site named in `needs.teachers`; the teacher is `"teacher"` unless named. */
  teacher(site: Site, name?: string): tf.Tensor;
  /** A trainable parameter of the objective's own. */
  extra(name: string): tf.Tensor;
  /** A parameter of the student, trained with it. */
  parameter(name: string): tf.Tensor;
  /** A frozen parameter of a teacher; the teacher is `"teacher"` unless named. */
  frozen(name: string, teacher?: string): tf.Tensor;
  /** A value drawn for this step. */
  draws(name: string): tf.Tensor;
  /** int32 tokens `[batch, pos]`, or float32 features `[batch, …]`. */
  readonly inputs: tf.Tensor;
  /** int32 `[batch]`. */
  readonly labels: tf.Tensor1D;
  /** int32 scalar: optimiser steps taken before this one. */
  readonly step: tf.Scalar;
}
/** A term of the loss, bound to the shapes of its models. */
export interface ObjectiveTerm {
  readonly needs: {
    readonly student: readonly Site[];
    readonly teachers?: Readonly<Record<string, readonly Site[]>>;
  };
  /** Initial float32 values of trainable parameters of its own, trained and decayed with the model's. */
  extra?(rng: Rng): HostParams;
  /** Anything random or scheduled; called once with step 0 for the shapes, then before every step with the batch's rows. */
  draws?(rng: Rng, step: number, rows: Int32Array): Readonly<Record<string, HostArray>>;
  /** Named scalars; the term is their sum, and each is logged unweighted. */
  loss(on: LossContext): Readonly<Record<string, tf.Scalar>>;
}
/** A strategy's product: given its models' shapes, a term of the loss. @throws when they do not fit. */
export type Objective = (models: {
  readonly student: ModelInfo;
  readonly teachers: Readonly<Record<string, ModelInfo>>;
}) => ObjectiveTerm;

// ---------------------------------------------------------------------------------------------
// Optimizer

/** State of an optimiser: a tree of tensors whose shapes and types never change. */
export type OptimizerState = Tree<tf.Tensor>;
/** A gradient transformation as in optax: pure, `params + updates` is the next value. */
export interface Optimizer {
  init(params: Params): OptimizerState;
  update(
    grads: Params,
    state: OptimizerState,
    params: Params,
  ): { updates: Params; state: OptimizerState };
  /** Treats every entry alike, whatever its parameter: core may then pass one flat vector named `flat`. */
  readonly elementwise: boolean;
}

// ---------------------------------------------------------------------------------------------
// Probes

/** When a probe runs: every n epochs (or at the next that leaves a row), when validation accuracy first crosses a threshold, or at the end. */
export type When = { readonly every: number } | { readonly crossing: number } | 'end';
/** One moment of a run, as a probe sees it. */
export interface Snapshot {
  readonly epoch: number;
  readonly step: number;
  /** The model's parameters; objectives' extras are left out. */
  readonly params: HostParams;
  /** Requested sites over the requested rows. */
  readonly sites: Readonly<Record<Site, HostArray>>;
  /** Gradients of the mean hard loss, without dropout, over equal batches of the requested rows, those left over in none; as many as `needs.grads` asks for. */
  readonly grads?: readonly HostParams[];
  readonly rows: Int32Array;
  readonly task: Task;
  readonly model: ModelInfo;
  /** Metrics of all epochs so far, this one included. */
  readonly history: readonly MetricsRow[];
  /** Largest memory of the process so far, in bytes, where that can be told. */
  readonly peakMemoryBytes?: number;
}
/** Measures something of a run; pure, and never changes it. */
export interface Probe {
  readonly needs: {
    /** `*` stands for any part of a name between dots: `blocks.*.attn.hook_pattern`. */
    readonly sites?: readonly Site[];
    /** Which rows it is shown (default `validation`); a number: the first n validation rows. */
    readonly rows?: 'train' | 'validation' | 'all' | number;
    /** Number of batches to give gradients of. */
    readonly grads?: number;
  };
  readonly when: When;
  on(snapshot: Snapshot): Json | Promise<Json>;
}

// ---------------------------------------------------------------------------------------------
// Plugins

/** What each kind of provision creates. */
export interface Created {
  task: Task;
  split: Split;
  model: ModelFactory;
  strategy: Objective;
  optimizer: Optimizer;
  backend: Backend | Promise<Backend>;
  probe: Probe;
  tracker: Tracker;
}
/** Kinds of provisions. */
export type Kind = keyof Created;

/** JSON Schema (draft 2020-12), as much of it as grok looks at. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly enum?: readonly Json[];
  readonly default?: Json;
  readonly description?: string;
  readonly [keyword: string]: unknown;
}
/** Result of validating options, after https://standardschema.dev. */
export type SchemaResult<O> =
  | { readonly value: O; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };
/**
 * The shape of a provision's options: a Standard Schema that also gives JSON Schema (zod ≥ 4.2 does),
 * or plain JSON Schema, which core validates.
 */
export type OptionSchema<O = unknown> =
  | {
      readonly '~standard': {
        readonly version: 1;
        readonly vendor: string;
        validate(value: unknown): SchemaResult<O> | Promise<SchemaResult<O>>;
        readonly jsonSchema?: {
          input(options: { target: 'draft-2020-12' }): Record<string, unknown>;
        };
        readonly types?: { readonly input: unknown; readonly output: O } | undefined;
      };
      readonly jsonSchema?: JsonSchema;
    }
  | JsonSchema;

/** What `create` is handed, so that a plugin outside the workspace imports nothing of ours. */
export interface Host {
  readonly tf: typeof tf;
}
/** One named thing that a plugin offers. Method syntax on purpose: property syntax would be contravariant in `O`. */
export interface Provision<K extends Kind = Kind, O = unknown> {
  readonly kind: K;
  readonly name: string;
  /** One sentence for people. */
  readonly summary: string;
  readonly options: OptionSchema<O>;
  create(options: O, host: Host): Created[K];
}
/** Plain data, the default export of a plugin's entry; importing it does nothing. */
export interface Plugin {
  readonly name: string;
  readonly version: string;
  /** Range of `@grok/core` versions that it works with, such as `">=0.1.0 <1"`, or `"*"`. */
  readonly core: string;
  readonly provides: readonly Provision[];
}
