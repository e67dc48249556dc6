/** Hooks, patching, circuits and the loss landscape of grok's models, in Node and in browsers; names after TransformerLens. */
export * from './ascent.js';
export * from './circuits.js';
export type { CircuitComponent, ComponentKind } from './components.js';
export type { Evaluations } from './evaluator.js';
export * from './hooked-model.js';
export type { Hook, HookFunction } from './hooks.js';
export * from './landscape/alignment.js';
export * from './landscape/barriers.js';
export {
  type Barrier,
  type BezierOptions,
  type BezierPath,
  type ConnectingPath,
  connectByBezier,
  connectLinearly,
} from './landscape/connectivity.js';
export * from './landscape/curvature.js';
export {
  filterNormalizedDirection,
  type LossCurve,
  type LossGrid,
  lossAlongDirection,
  lossOnLine,
  lossOnPlane,
  lossOnTrajectory,
  type RangeOptions,
  type TrajectoryPlane,
} from './landscape/slices.js';
export {
  createLossSurface,
  type LossPoint,
  type LossSurface,
  type SurfaceOptions,
} from './landscape/surface.js';
export * from './logits.js';
export type { LabeledBatch, Metric, MetricFunction, Targets } from './metrics.js';
export * from './neuron-effects.js';
export * from './open-run.js';
export * from './overlap.js';
export * from './pairs.js';
export * from './patching.js';
export { getActName, type Index, type Where } from './sites.js';
export * from './stitching.js';
