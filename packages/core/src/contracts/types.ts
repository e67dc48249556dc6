/**
 * The contracts of grok: everything that a plugin author has to know is in this file.
 *
 * One idea carries them all: a training step is a pure function of tensors, written in plain
 * TensorFlow.js, and a backend compiles it. Models, objectives, optimizers and probes know
 * nothing of backends; backends know nothing of grokking.
 */
import type * as tf from '@grok/tfjs';
import type {
  Backend,
  BackendAdapter,
  HostArray,
  HostParams,
  ParamReader,
  Params,
  Rng,
  TensorSpec,
  Tree,
  TypedArray,
} from './backend.js';
import type {
  ExecutorFactory,
  Experiment,
  Json,
  Manifest,
  MetricsRow,
  Position,
  StoreFactory,
  Tracker,
} from './run-types.js';

export type * from './backend.js';
export type * from './run-types.js';

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
  /** What each position of a row holds, such as `['a', 'op', 'b', 'eq']`. */
  readonly format?: readonly string[];
  /** What each token means, by its number: `tokens[5]` is `"5"`, one of them `"="`. */
  readonly tokens?: readonly string[];
  /** What each label means: `classes[label]`; logits beyond them answer nothing. */
  readonly classes?: readonly string[];
  /** What a row asks, such as `"3 / 5 (mod 97)"`: equal where rows of any task ask the same, whatever their tokens. */
  question?(row: number): string;
  /** `n` pairs of rows that differ in one operand, drawn from a seed: clean and corrupted inputs for patching. */
  pairs?(seed: number, n: number): RowPairs;
  /** Present for tasks over (a, b) modulo p; analyses in the Fourier basis need it. */
  readonly modular?: { readonly p: number; readonly op: string };
}
/** Pairs of rows that differ in one place: pair `i` is the rows `clean[i]` and `corrupted[i]`. */
export interface RowPairs {
  readonly clean: Int32Array;
  readonly corrupted: Int32Array;
  /** The position at which they differ. */
  readonly position: Int32Array;
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
/** A site, and the shape of one row's value there with a name for each axis (the batch dimension left out). */
export interface SiteInfo {
  readonly name: Site;
  readonly shape: readonly number[];
  /** As many as the shape has sizes, such as `['pos', 'd_model']`, or `['head', 'query', 'key']` of an attention pattern. */
  readonly axes: readonly string[];
  /** The parameter `[d_vocab, d]` whose rows the site is, token by token, where it is nothing more. */
  readonly table?: string;
}
/** What a model computes: a finished object without parameters in it. */
export interface Model {
  /** Numbers that others may need, such as layer maps. */
  readonly shape: ModelShape;
  /** How parameters are named and laid out, in a line for who reads them elsewhere; checkpoints carry it. */
  readonly conventions?: string;
  /** Draws the initial parameters, in the order of the parameters' hash. */
  init(rng: Rng): HostParams;
  sites(): readonly SiteInfo[];
  /** Shapes of the dropout masks for a batch, by name; empty without dropout. */
  dropoutMaskShapes(batch: number): Readonly<Record<string, readonly number[]>>;
  /** Probability with which a mask keeps a value (1 without dropout). */
  readonly keepProbability: number;
  /**
   * Computes the requested sites, always whole (`[batch, pos, …]`).
   * `taps` replace the value at a site; `masks` holds bool dropout masks, absent in evaluation.
   * @throws on an unknown site, and lists the known ones.
   */
  apply(
    params: ParamReader,
    inputs: tf.Tensor,
    how: {
      sites: ReadonlySet<Site>;
      taps?: Readonly<Record<Site, (value: tf.Tensor) => tf.Tensor>>;
      masks?: Readonly<Record<string, tf.Tensor>>;
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

/**
 * The same model seen through something, such as a mask on its parameters; `initial` gives the run's
 * initial parameters. @throws when model and options do not fit.
 */
export type ModelTransform = (model: Model, on: { initial(): HostParams }) => Model;

// ---------------------------------------------------------------------------------------------
// Objective: hard labels, every distillation strategy, every regularizer

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
  auxiliary(name: string): tf.Tensor;
  /** A parameter of the student, trained with it. */
  param(name: string): tf.Tensor;
  /** A frozen parameter of a teacher; the teacher is `"teacher"` unless named. */
  teacherParam(name: string, teacher?: string): tf.Tensor;
  /** A value drawn for this step. */
  random(name: string): tf.Tensor;
  /** int32 tokens `[batch, pos]`, or float32 features `[batch, …]`. */
  readonly inputs: tf.Tensor;
  /** int32 `[batch]`. */
  readonly labels: tf.Tensor1D;
  /** int32 scalar: optimizer steps taken before this one. */
  readonly step: tf.Scalar;
}
/** A term of the loss, bound to the shapes of its models. */
export interface ObjectiveTerm {
  readonly needs: {
    readonly student: readonly Site[];
    readonly teachers?: Readonly<Record<string, readonly Site[]>>;
  };
  /** Initial float32 values of trainable parameters of its own, trained and decayed with the model's. */
  auxiliaryParams?(rng: Rng): HostParams;
  /** Anything random or scheduled; called once with step 0 for the shapes, then before every step with the batch's rows. */
  randomInputs?(rng: Rng, step: number, rows: Int32Array): Readonly<Record<string, HostArray>>;
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

/** State of an optimizer: a tree of tensors whose shapes and types never change. */
export type OptimizerState = Tree<tf.Tensor>;
/** A gradient transformation as in optax: pure, `params + updates` is the next value. */
export interface Optimizer {
  init(params: Params): OptimizerState;
  update(
    grads: Params,
    state: OptimizerState,
    params: Params,
  ): { updates: Params; state: OptimizerState };
  /** Whether it changes the parameter of that name (default: every one); one that it does not gets no gradient and no update. */
  trains?(name: string): boolean;
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
  /** The model's parameters; auxiliary parameters of the objective are left out. */
  readonly params: HostParams;
  /** Requested sites over the requested rows. */
  readonly sites: Readonly<Record<Site, HostArray>>;
  /** Gradients without dropout over equal batches of the requested rows, those left over in none; as many as `needs.gradients` asks for. */
  readonly gradients?: {
    /** Of the mean hard loss. */
    readonly hardLoss: readonly HostParams[];
    /** Of the weighted total of the run's terms; only with `byTerm`. */
    readonly total?: readonly HostParams[];
    /** Of each term unweighted, by its name in the metrics rows; only with `byTerm`. */
    readonly terms?: Readonly<Record<string, readonly HostParams[]>>;
  };
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
    /** `*` stands for any one part of a name between dots, at the end for all that are left: `blocks.*.attn.hook_pattern`. */
    readonly sites?: readonly Site[];
    /** Which rows it is shown (default `validation`); a number: the first n validation rows. */
    readonly rows?: 'train' | 'validation' | 'all' | number;
    /** Number of batches to give gradients of; `byTerm`: of the run's total and of each of its terms too. */
    readonly gradients?: { readonly batches: number; readonly byTerm?: boolean };
  };
  readonly when: When;
  on(snapshot: Snapshot): Json | Promise<Json>;
}

// ---------------------------------------------------------------------------------------------
// Checkpoints

/** All that a run needs to go on as if it had never stopped. */
export interface Checkpoint {
  /** Id of the run. */
  readonly run: string;
  /** The model's parameters and the objective's extras, in order. */
  readonly params: HostParams;
  /** Leaves of the optimizer's state by path. */
  readonly state: Readonly<Record<string, HostArray>>;
  readonly position: Position;
}

// ---------------------------------------------------------------------------------------------
// Exporter: a run or a study as another tool reads it

/** A run as exporters see it. */
export interface ExportedRun {
  /** What a plan calls it, such as `logit@42`; else its folder's name. */
  readonly key: string;
  /** What tables call it, seed aside. */
  readonly name: string;
  readonly role: 'teacher' | 'student' | 'control';
  readonly override?: string;
  readonly experiment: Experiment;
  readonly manifest: Manifest;
  /** Metrics of all epochs so far. */
  readonly history: readonly MetricsRow[];
}
/** A run's model, for any rows of its task's format, and its parameters at a step. */
export interface ExportedModel {
  readonly run: ExportedRun;
  readonly epoch: number;
  readonly step: number;
  readonly task: Task;
  readonly model: Model;
  /** Auxiliary parameters of the objective are left out. */
  readonly params: HostParams;
}
/** What is exported. */
export interface ExportSource {
  /** The plan's name, or the folder's. */
  readonly title: string;
  readonly runs: readonly ExportedRun[];
  /** The model of the one run. @throws InputError where there are several, or no checkpoint can be read. */
  model(): Promise<ExportedModel>;
}
/** Gives files by name; `/` separates folders. They are written once all are there. */
export type Exporter = (
  source: ExportSource,
) => Promise<Readonly<Record<string, string | Uint8Array>>>;

// ---------------------------------------------------------------------------------------------
// Plugins

/** What each kind of component creates. */
export interface Created {
  task: Task;
  split: Split;
  model: ModelFactory;
  strategy: Objective;
  optimizer: Optimizer;
  backend: BackendAdapter | Promise<BackendAdapter>;
  probe: Probe;
  tracker: Tracker;
  transform: ModelTransform;
  executor: ExecutorFactory;
  exporter: Exporter;
  store: StoreFactory;
}
/** Kinds of components. */
export type Kind = keyof Created;
/** What whoever asks for a component gets: what it creates, or the backend that core makes of an adapter. */
export type Product<K extends Kind> = K extends 'backend' ? Promise<Backend> : Created[K];

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
 * The shape of a component's options: a Standard Schema that also gives JSON Schema (zod ≥ 4.2 does),
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
export interface ComponentDefinition<K extends Kind = Kind, O = unknown> {
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
  readonly components: readonly ComponentDefinition[];
}
