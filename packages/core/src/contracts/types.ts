/**
 * The plugin API of grok: everything that a plugin author needs is in this file.
 *
 * A training step is a pure function of tensors, written in plain TensorFlow.js, and a backend compiles it. Models,
 * objectives, optimizers and probes do not depend on backends; backends do not depend on grokking.
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
  /** Number of classes in the model's logits. */
  readonly vocabulary: number;
  /** int32 tokens `[rows, positions]`, or float32 features `[rows, …]`. */
  readonly inputs: HostArray;
  readonly labels: Int32Array;
  /** A row as text, such as `"3 / 5 = 20 (mod 97)"`. */
  show(row: number): string;
  /** Name of each input position, such as `['a', 'op', 'b', 'eq']`. */
  readonly format?: readonly string[];
  /** The meaning of each token id: `tokens[5]` is `"5"`, another one `"="`. */
  readonly tokens?: readonly string[];
  /** The meaning of each label: `classes[label]`. Logits without a class have no meaning. */
  readonly classes?: readonly string[];
  /** The question of a row, such as `"3 / 5 (mod 97)"`; rows of any task with the same question have the same text. */
  question?(row: number): string;
  /** `n` seeded random pairs of rows that differ in one operand: clean and corrupted inputs for patching. */
  pairs?(seed: number, n: number): RowPairs;
  /** Present for tasks over (a, b) modulo p; analyses in the Fourier basis need it. */
  readonly modular?: { readonly p: number; readonly op: string };
}
/** Pairs of rows that differ in one position: pair `i` is the rows `clean[i]` and `corrupted[i]`. */
export interface RowPairs {
  readonly clean: Int32Array;
  readonly corrupted: Int32Array;
  /** The position at which they differ. */
  readonly position: Int32Array;
}
/** Row numbers of the training set and of the validation set. */
export interface SplitRows {
  readonly train: Int32Array;
  readonly validation: Int32Array;
}
/** Divides the indices of `rows` rows into training and validation rows. */
export type Split = (rows: number, seed: number) => SplitRows;

/** The part of a task that a model gets. */
export interface TaskInfo {
  readonly vocabulary: number;
  /** With the `data` of all rows, a model may share repeated computations; it is then valid only for these rows. */
  readonly inputs: TensorSpec & { readonly data?: TypedArray };
}

/** Name of an activation that can be read or replaced, as in TransformerLens. */
export type Site = string;
/** A site with the shape of one row's value and the names of its axes, both without the batch dimension. */
export interface SiteInfo {
  readonly name: Site;
  readonly shape: readonly number[];
  /** One name per axis, such as `['pos', 'd_model']`, or `['head', 'query', 'key']` for an attention pattern. */
  readonly axes: readonly string[];
  /** If the site is a plain lookup by token: the parameter `[d_vocab, d]` that is looked up. */
  readonly table?: string;
}
/** A model: pure functions of parameters, without parameters of its own. */
export interface Model {
  /** Sizes, for layer maps and the like. */
  readonly shape: ModelShape;
  /** Names and layout of the parameters in one line of text, saved in checkpoints. */
  readonly conventions?: string;
  /** Initializes the parameters, in the order in which they are hashed. */
  init(rng: Rng): HostParams;
  sites(): readonly SiteInfo[];
  /** Shapes of the dropout masks for a batch, by name; empty without dropout. */
  dropoutMaskShapes(batch: number): Readonly<Record<string, readonly number[]>>;
  /** Probability that a mask keeps a value (1 without dropout). */
  readonly keepProbability: number;
  /**
   * Computes the requested sites with all their axes (`[batch, pos, …]`). `taps` replace the value at a site; `masks`
   * has boolean dropout masks, absent in evaluation.
   * @throws on an unknown site; the error lists the known ones.
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
/** Builds a model for a task. @throws if options and task do not fit. */
export type ModelFactory = (task: TaskInfo) => Model;

/**
 * Wraps a model so that its parameters or activations change, as with a pruning mask; `initial` returns the run's
 * initial parameters. @throws if model and options do not fit.
 */
export type ModelTransform = (model: Model, on: { initial(): HostParams }) => Model;

// ---------------------------------------------------------------------------------------------
// Objective: hard labels, every distillation strategy, every regularizer

/** The part of a model that an objective gets. */
export interface ModelInfo extends ModelShape {
  readonly sites: readonly SiteInfo[];
}
/** Values that an objective can read inside a step. Functions throw on an unknown name and list the known ones. */
export interface LossContext {
  /** The student's activation at a site from `needs.student`, `[batch, …]`. */
  student(site: Site): tf.Tensor;
  /** A teacher's activation at a site from `needs.teachers`; the default teacher is `"teacher"`. */
  teacher(site: Site, name?: string): tf.Tensor;
  /** A trainable parameter from `auxiliaryParams`. */
  auxiliary(name: string): tf.Tensor;
  /** A parameter of the student; it gets a gradient. */
  param(name: string): tf.Tensor;
  /** A frozen parameter of a teacher; the default teacher is `"teacher"`. */
  teacherParam(name: string, teacher?: string): tf.Tensor;
  /** A value from `randomInputs` for this step. */
  random(name: string): tf.Tensor;
  /** int32 tokens `[batch, pos]`, or float32 features `[batch, …]`. */
  readonly inputs: tf.Tensor;
  /** int32 `[batch]`. */
  readonly labels: tf.Tensor1D;
  /** int32 scalar: optimizer steps taken before this one. */
  readonly step: tf.Scalar;
}
/** A loss term for models of given shapes. */
export interface ObjectiveTerm {
  readonly needs: {
    readonly student: readonly Site[];
    readonly teachers?: Readonly<Record<string, readonly Site[]>>;
  };
  /** Initial float32 values of extra parameters, trained with the model's, with weight decay. */
  auxiliaryParams?(rng: Rng): HostParams;
  /** Random or scheduled inputs. Called once with step 0 to get the shapes, then before every step with the batch's rows. */
  randomInputs?(rng: Rng, step: number, rows: Int32Array): Readonly<Record<string, HostArray>>;
  /** Named scalars. The term is their sum; each is logged unweighted. */
  loss(on: LossContext): Readonly<Record<string, tf.Scalar>>;
}
/** Creates a loss term for models of given shapes. @throws if they do not fit. */
export type Objective = (models: {
  readonly student: ModelInfo;
  readonly teachers: Readonly<Record<string, ModelInfo>>;
}) => ObjectiveTerm;

// ---------------------------------------------------------------------------------------------
// Optimizer

/** State of an optimizer: a tree of tensors whose shapes and types never change. */
export type OptimizerState = Tree<tf.Tensor>;
/** A pure gradient transformation as in optax: the next parameters are `params + updates`. */
export interface Optimizer {
  init(params: Params): OptimizerState;
  update(
    grads: Params,
    state: OptimizerState,
    params: Params,
  ): { updates: Params; state: OptimizerState };
  /** Whether the parameter of this name is trained (default: yes); others get no gradient and no update. */
  trains?(name: string): boolean;
  /** Whether every entry is treated alike, whatever its parameter; core may then pass one flat vector named `flat`. */
  readonly elementwise: boolean;
}

// ---------------------------------------------------------------------------------------------
// Probes

/** When a probe runs: every n epochs (or at the next evaluated one), when validation accuracy first reaches a threshold, or at the end. */
export type When = { readonly every: number } | { readonly crossing: number } | 'end';
/** The state of a run that a probe gets. */
export interface Snapshot {
  readonly epoch: number;
  readonly step: number;
  /** The model's parameters, without auxiliary parameters of the objective. */
  readonly params: HostParams;
  /** Activations at the requested sites on the requested rows. */
  readonly sites: Readonly<Record<Site, HostArray>>;
  /** Gradients without dropout, one per batch. `needs.gradients` sets the number of equal batches; leftover rows are dropped. */
  readonly gradients?: {
    /** Gradients of the mean hard loss. */
    readonly hardLoss: readonly HostParams[];
    /** Gradients of the run's total loss; only with `byTerm`. */
    readonly total?: readonly HostParams[];
    /** Gradients of each unweighted term, by its name in the metrics; only with `byTerm`. */
    readonly terms?: Readonly<Record<string, readonly HostParams[]>>;
  };
  readonly rows: Int32Array;
  readonly task: Task;
  readonly model: ModelInfo;
  /** Metrics of all epochs so far, including this one. */
  readonly history: readonly MetricsRow[];
  /** Peak memory of the process so far in bytes, if known. */
  readonly peakMemoryBytes?: number;
}
/** Measures a run; pure, and never changes the run. */
export interface Probe {
  readonly needs: {
    /** Names of sites. `*` matches one part between dots, at the end all remaining parts: `blocks.*.attn.hook_pattern`. */
    readonly sites?: readonly Site[];
    /** The rows to run on (default `validation`); a number n means the first n validation rows. */
    readonly rows?: 'train' | 'validation' | 'all' | number;
    /** Number of batches for gradients; `byTerm` adds gradients of the total loss and of each term. */
    readonly gradients?: { readonly batches: number; readonly byTerm?: boolean };
  };
  readonly when: When;
  on(snapshot: Snapshot): Json | Promise<Json>;
}

// ---------------------------------------------------------------------------------------------
// Checkpoints

/** The complete state of a run, for bit-exact resumption. */
export interface Checkpoint {
  /** Id of the run. */
  readonly run: string;
  /** The model's parameters and the objective's auxiliary parameters, in order. */
  readonly params: HostParams;
  /** Leaves of the optimizer state by path. */
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

/** The result of `create` for each kind of component. */
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
/** The result of calling a component: what it creates, or a backend made from its adapter. */
export type Product<K extends Kind> = K extends 'backend' ? Promise<Backend> : Created[K];

/** JSON Schema (draft 2020-12), the part that grok uses. */
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
/** Result of validating options, see https://standardschema.dev. */
export type SchemaResult<O> =
  | { readonly value: O; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };
/**
 * Schema of a component's options: a Standard Schema that can return a JSON Schema (as in zod ≥ 4.2), or a plain JSON
 * Schema, which core validates.
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

/** Passed to `create`, so that plugins need no imports. */
export interface Host {
  readonly tf: typeof tf;
}
/** A component of a plugin. It uses method syntax because property syntax would be contravariant in `O`. */
export interface ComponentDefinition<K extends Kind = Kind, O = unknown> {
  readonly kind: K;
  readonly name: string;
  /** One sentence that describes it. */
  readonly summary: string;
  readonly options: OptionSchema<O>;
  create(options: O, host: Host): Created[K];
}
/** A plugin: a plain object, the default export of a module without side effects. */
export interface Plugin {
  readonly name: string;
  readonly version: string;
  /** Range of supported `@grok/core` versions, such as `">=0.1.0 <1"`, or `"*"`. */
  readonly core: string;
  readonly components: readonly ComponentDefinition[];
}
