/** What a sweep measures of the logits: one number a row, computed inside the compiled pass. */
import { type HostArray, InputError, unknownName } from '@grok/core';
import * as tf from '@grok/tfjs';

/** Classes that the logits of a batch are compared with. */
export interface Targets {
  /** int32 `[batch]`: the labels. */
  readonly labels: tf.Tensor1D;
  /** int32 `[batch]`: the wrong classes of the logit difference. */
  readonly wrong?: tf.Tensor1D;
}
/** A metric per row in differentiable tfjs: logits `[batch, d_vocab]` → `[batch]`. */
export type MetricFunction = (logits: tf.Tensor, targets: Targets) => tf.Tensor;
/**
 * A metric, by name or as a function. `logitDifference`: the label's logit minus the wrong label's, or minus
 * the mean of all others if there are no wrong labels. `loss`: cross-entropy (nats). `probability`: probability
 * of the label (0–1). `accuracy`: 1 if the label's logit is the largest.
 */
export type Metric = 'logitDifference' | 'loss' | 'probability' | 'accuracy' | MetricFunction;
/** Input rows with their labels. */
export interface LabeledBatch {
  /** int32 tokens `[rows, pos]`, or float32 features `[rows, …]`. */
  readonly inputs: HostArray;
  /** The label of each row. */
  readonly labels: Int32Array;
  /** The wrong class of each row in the logit difference. */
  readonly wrong?: Int32Array;
}

const pick = (values: tf.Tensor, labels: tf.Tensor1D): tf.Tensor =>
  tf.sum(tf.mul(values, tf.oneHot(labels, values.shape.at(-1) ?? 0, 1, 0, 'float32')), -1);

const METRICS: Readonly<Record<string, MetricFunction>> = {
  logitDifference(logits, { labels, wrong }) {
    const right = pick(logits, labels);
    if (wrong !== undefined) return tf.sub(right, pick(logits, wrong));
    const others = (logits.shape.at(-1) ?? 2) - 1;
    return tf.sub(right, tf.div(tf.sub(tf.sum(logits, -1), right), others));
  },
  loss: (logits, { labels }) => tf.neg(pick(tf.logSoftmax(logits), labels)),
  probability: (logits, { labels }) => tf.exp(pick(tf.logSoftmax(logits), labels)),
  accuracy: (logits, { labels }) => tf.cast(tf.equal(tf.argMax(logits, -1), labels), 'float32'),
};

/** What a metric is called in errors and results. */
export function metricName(metric: Metric): string {
  return typeof metric === 'string' ? metric : metric.name || 'function';
}

/** The function of a metric. @throws InputError on an unknown name. */
export function metricFunction(metric: Metric): MetricFunction {
  if (typeof metric !== 'string') return metric;
  const known = new Map(Object.entries(METRICS)).get(metric);
  if (known === undefined) throw unknownName('metric', metric, Object.keys(METRICS));
  return known;
}

/** The mean of a metric's values. @throws InputError that names the metric and the row where one is not finite. */
export function meanMetric(metric: Metric, values: Float32Array): number {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at !== -1)
    throw new InputError(
      `metric "${metricName(metric)}": is ${values[at]} in row ${at}; it must be finite in every row`,
    );
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
