/** The public API for plugins and applications. This project's own packages use `@grok/core/internal` for the rest. */
export { InputError, isInputError, isRunError, RunError, unknownName } from './contracts/errors.js';
export { experimentHash, paramsSha256 } from './contracts/hash.js';
export type {
  Execution,
  Executor,
  ExecutorHost,
  Experiment,
  Job,
  JobOutcome,
  Json,
  Lease,
  Manifest,
  MetricsRow,
  RunEvent,
  RunListener,
  RunSpec,
  Store,
  TeacherRef,
  TrackedRun,
  Tracker,
} from './contracts/run-types.js';
export type {
  AdapterProgram,
  Backend,
  BackendAdapter,
  ComponentDefinition,
  DeviceTensor,
  DType,
  ExportedModel,
  ExportedRun,
  ExportSource,
  Host,
  HostArray,
  HostParams,
  Kind,
  LossContext,
  Model,
  ModelFactory,
  ModelInfo,
  Objective,
  ObjectiveTerm,
  Optimizer,
  OptimizerState,
  ParamReader,
  Params,
  Plugin,
  Probe,
  Program,
  Rng,
  RowPairs,
  Site,
  SiteInfo,
  Snapshot,
  Split,
  SplitRows,
  Task,
  TaskInfo,
  TensorSpec,
  Tree,
  TypedArray,
  When,
} from './contracts/types.js';
export {
  type Component,
  defineBackend,
  defineExecutor,
  defineExporter,
  defineModel,
  defineOptimizer,
  definePlugin,
  defineProbe,
  defineSplit,
  defineStore,
  defineStrategy,
  defineTask,
  defineTracker,
  defineTransform,
} from './plugins/define.js';
export {
  flag,
  integer,
  layerMap,
  listOf,
  number,
  oneOf,
  parseOptions,
  schema,
  text,
} from './plugins/options.js';
export type { Registry } from './plugins/registry.js';
export { openBackend } from './runs/compose.js';
export { evaluateRun } from './runs/evaluate-run.js';
export type { RunHost, RunResult } from './runs/host.js';
export { memoryStore } from './runs/memory-store.js';
export { opfsStore } from './runs/opfs-store.js';
export { resumeRun, startRun } from './runs/run.js';
export { readConfig, readManifest, readMetrics } from './runs/run-folder.js';
export { buildSpecSchema } from './runs/spec-schema.js';
export { sizeOf } from './tensors/params.js';
export { rng } from './tensors/rng.js';
export { tfjsAdapter } from './tensors/tfjs-adapter.js';
export { combine, hiddenStates, layerPairs, listNeeds } from './training/distillation.js';
export { crossEntropy, hard } from './training/hard.js';
export { transformModel } from './training/model-transforms.js';
export { createRegistry } from './training/registry.js';
