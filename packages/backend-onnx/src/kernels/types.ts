/** What a kernel is: tfjs's inputs and attributes in, nodes written, results out. */
import type { Builder } from '../builder.js';
import type { Value } from '../graph.js';

/** Inputs by the names that tfjs gives them; a kernel takes those that its own signature has. */
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
/** Records one tfjs kernel; `never` lets each name the attributes that it reads. */
export type Kernel = (b: Builder, inputs: Inputs, attrs: never) => Value | Value[];
/** Kernels by tfjs's name. */
export type Kernels = Readonly<Record<string, Kernel>>;
