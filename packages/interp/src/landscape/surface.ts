/**
 * The loss as a function of all parameters of a model, over fixed rows: what lines, planes, paths and
 * curvatures are read from. Compiled once for the loss and once for its gradient.
 */
import { type Backend, type HostParams, InputError, type Model, type Params } from '@grok/core';
import {
  createRowPrograms,
  EVAL_ROWS,
  preciseCrossEntropy,
  reader,
  valueAndGrads,
} from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { type LabeledBatch, type Metric, metricFunction, metricName } from '../metrics.js';

/** What a loss surface is of. */
export interface SurfaceOptions {
  readonly backend: Backend;
  readonly model: Model;
  /** The rows that the loss is a mean over. */
  readonly batch: LabeledBatch;
  /** Cross-entropy (`loss`, nats) by default; or another metric of the logits. */
  readonly loss?: Metric;
}
/** Mean loss (nats, unless it is another metric) and accuracy (0–1) over all rows. */
export interface LossPoint {
  readonly loss: number;
  readonly accuracy: number;
}
/** A loss over fixed rows, at any parameters. */
export interface LossSurface extends SurfaceOptions {
  /** @throws InputError when the loss is not finite. */
  evaluate(params: HostParams): Promise<LossPoint>;
  /** The gradient of the mean loss, without dropout. */
  gradient(params: HostParams): Promise<HostParams>;
  /** Frees the compiled passes. */
  dispose(): void;
}

interface SurfaceInputs {
  readonly params: Params;
  readonly inputs: tf.Tensor;
  readonly labels: tf.Tensor1D;
}

/** The logits of a model, `[batch, d_vocab]`. */
function computeLogits(model: Model, params: Params, inputs: tf.Tensor): tf.Tensor {
  const sites = model.apply(reader('parameter', params), inputs, { sites: new Set(['logits']) });
  return reader('site', sites)('logits');
}

/** The loss summed over rows, inside a compiled function. */
export function sumLoss(
  { model, loss = 'loss' }: Pick<SurfaceOptions, 'model' | 'loss'>,
  params: Params,
  { inputs, labels }: Pick<SurfaceInputs, 'inputs' | 'labels'>,
): { readonly loss: tf.Scalar; readonly logits: tf.Tensor } {
  const logits = computeLogits(model, params, inputs);
  // A mean over rows whose gradient keeps its digits where rows are all but certain.
  const sum: tf.Scalar =
    loss === 'loss'
      ? tf.mul(preciseCrossEntropy(logits, labels), labels.size)
      : tf.sum(metricFunction(loss)(logits, { labels }));
  return { loss: sum, logits };
}

/** The loss surface of a model over a batch. */
export function createLossSurface(options: SurfaceOptions): LossSurface {
  const { backend, batch, loss = 'loss' } = options;
  const values = createRowPrograms<SurfaceInputs>(
    backend,
    'landscape-loss',
    ({ params, ...rows }) => {
      const { loss: sum, logits } = sumLoss(options, params, rows);
      return { loss: sum, correct: tf.sum(metricFunction('accuracy')(logits, rows)) };
    },
  );
  const gradients = createRowPrograms<SurfaceInputs>(
    backend,
    'landscape-gradient',
    ({ params, ...rows }) =>
      valueAndGrads(
        (changing) => ({ loss: sumLoss(options, changing, rows).loss, aux: {} }),
        params,
      ).grads,
  );
  const rows = batch.labels.length;
  const prepare = (params: HostParams) => ({
    params,
    data: {
      inputs: batch.inputs,
      labels: { data: batch.labels, shape: [rows], dtype: 'int32' } as const,
    },
    rows: Int32Array.from(batch.labels.keys()),
    most: EVAL_ROWS,
  });
  return {
    ...options,
    async evaluate(params) {
      let [sum, correct] = [0, 0];
      for await (const part of values.run(prepare(params))) {
        const read = reader('output', part.values);
        sum += read('loss').data[0] ?? Number.NaN;
        correct += read('correct').data[0] ?? Number.NaN;
      }
      if (!Number.isFinite(sum))
        throw new InputError(
          `landscape: "${metricName(loss)}" must be finite at every point, got ${sum / rows}; choose a smaller range`,
        );
      return { loss: sum / rows, accuracy: correct / rows };
    },
    async gradient(params) {
      const sums = new Map(
        Object.entries(params).map(([name, { data }]) => [name, new Float64Array(data.length)]),
      );
      for await (const part of gradients.run(prepare(params)))
        for (const [name, sum] of sums)
          for (const [i, value] of reader('gradient', part.values)(name).data.entries())
            sum[i] = (sum[i] ?? 0) + value / rows;
      return Object.fromEntries(
        Object.entries(params).map(([name, { shape }]) => [
          name,
          { data: Float32Array.from(sums.get(name) ?? []), shape, dtype: 'float32' } as const,
        ]),
      );
    },
    dispose() {
      values.dispose();
      gradients.dispose();
    },
  };
}
