/** What single neurons do to the logits, by exact ablation. */
import { type HostArray, InputError } from '@grok/core';
import type { HookedModel } from './hooked-model.js';
import type { LabeledBatch } from './metrics.js';
import { getActName } from './sites.js';

/** The effect of one neuron. */
export interface NeuronEffect {
  readonly neuron: number;
  /** By class: what the neuron gives its logit, mean over rows of (whole − neuron at 0), the mean over classes taken off. */
  readonly logits: readonly number[];
  /** What the loss (nats) gains when the neuron has its mean over rows. */
  readonly loss: number;
  /** What accuracy (0–1) loses then. */
  readonly accuracy: number;
}

/** Effects of neurons of one layer over rows; a neuron that does nothing has 0 throughout. @throws InputError on a neuron that is not there. */
export async function neuronEffects(
  model: HookedModel,
  batch: LabeledBatch,
  { layer, neurons }: { readonly layer: number; readonly neurons: readonly number[] },
): Promise<readonly NeuronEffect[]> {
  if (batch.labels.length === 0) throw new InputError('neuron effects: need at least one row');
  const site = getActName('post', layer);
  const { logits } = await model.runWithCache(batch.inputs, []);
  const whole = meanByClass(logits);
  const [loss, accuracy] = [
    await model.measure(batch, 'loss'),
    await model.measure(batch, 'accuracy'),
  ];
  const effects: NeuronEffect[] = [];
  for (const neuron of neurons) {
    const zeroed = await model.runWithHooks(batch.inputs, [{ site, neuron, ablate: 'zero' }]);
    const without = meanByClass(zeroed.logits);
    const averaged = [{ site, neuron, ablate: 'mean' }] as const;
    effects.push({
      neuron,
      logits: center(whole.map((v, c) => v - (without[c] ?? 0))),
      loss: (await model.measure(batch, 'loss', averaged)) - loss,
      accuracy: accuracy - (await model.measure(batch, 'accuracy', averaged)),
    });
  }
  return effects;
}

function meanByClass({ data, shape }: HostArray): readonly number[] {
  const [rows = 1, classes = 1] = shape;
  const sums = new Float64Array(classes);
  for (const [i, v] of data.entries()) sums[i % classes] = (sums[i % classes] ?? 0) + v;
  return Array.from(sums, (sum) => sum / rows);
}

/** Softmax does not see what all classes share. */
function center(values: readonly number[]): readonly number[] {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return values.map((v) => v - mean);
}
