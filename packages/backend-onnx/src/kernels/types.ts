/** The type of a kernel: it takes tfjs's inputs and attributes, writes nodes and returns results. */
import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';

/** Inputs by their tfjs names; each kernel uses those in its own signature. */
export interface Inputs {
  readonly x: Value;
  readonly a: Value;
  readonly b: Value;
  readonly y: Value;
  readonly dy: Value;
  readonly input: Value;
  readonly logits: Value;
  readonly condition: Value;
  readonly t: Value;
  readonly e: Value;
  readonly indices: Value;
  readonly updates: Value;
  readonly params: Value;
  readonly tensor: Value;
  readonly segmentIds: Value;
  readonly alpha: Value;
  readonly value: Value;
  readonly bias?: Value;
  readonly preluActivationWeights?: Value;
  readonly scale?: Value;
  readonly offset?: Value;
  readonly mean: Value;
  readonly variance: Value;
}
/** Records one tfjs kernel; `never` lets each kernel declare the attributes that it reads. */
export type Kernel = (b: Builder, inputs: Inputs, attrs: never) => Value | Value[];
/** Kernels by their tfjs names. */
export type Kernels = Readonly<Record<string, Kernel>>;
