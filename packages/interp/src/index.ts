/** Hooks, patching and circuits for models of grok, in Node and in browsers; names after TransformerLens. */
export * from './circuits.js';
export type { CircuitComponent, ComponentKind } from './components.js';
export type { Evaluations } from './evaluator.js';
export * from './hooked-model.js';
export type { Hook, HookFunction } from './hooks.js';
export * from './logits.js';
export type { LabeledBatch, Metric, MetricFunction, Targets } from './metrics.js';
export * from './open-run.js';
export * from './overlap.js';
export * from './pairs.js';
export * from './patching.js';
export { getActName, type Index, type Where } from './sites.js';
export * from './stitching.js';
