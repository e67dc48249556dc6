/** Compares models with and without their exact shortcuts. */
import { type HostParams, type Model, type Params, rng, type TaskInfo } from '@grok/core';
import { reader, valueAndGrads } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { type Algebra, transformer } from '../src/index.js';
import {
  createMasks,
  defaults,
  distance,
  LENGTH,
  randomParams,
  randomRows,
  toTensors,
  VOCABULARY,
} from './helpers.js';
import type { Sizes } from './reference.js';

/** Every row `[a, 5, b, 6]`: five prefixes of one and of two tokens; all prefixes of three tokens are distinct. */
export const pairs = Array.from({ length: 25 }, (_, i) => [Math.floor(i / 5), 5, i % 5, 6]);
const random = randomRows(100, 4).tokens;
export const describeTask = (rows: readonly number[][]): TaskInfo => ({
  vocabulary: VOCABULARY,
  inputs: { data: Int32Array.from(rows.flat()), shape: [rows.length, LENGTH], dtype: 'int32' },
});
export const OFF: Required<Algebra> = {
  vocabularyTable: false,
  lastPosition: false,
  sharedPrefixes: false,
  jointOV: false,
};
export const make = (variant: Partial<Sizes>, algebra: Algebra, rows: readonly number[][]): Model =>
  transformer({ ...defaults, dMlp: 12, ...variant, algebra: { ...OFF, ...algebra } })(
    describeTask(rows),
  );

/** Values at sites, and gradients of a random weighted sum of their squares with respect to all parameters. */
function evaluate(
  model: Model,
  params: HostParams,
  rows: readonly number[][],
  sites: readonly string[],
): { values: Params; grads: Params } {
  const masks = createMasks(model, rows.length);
  const inputs = tf.tensor2d(rows as number[][], undefined, 'int32');
  const { aux, grads } = valueAndGrads((values) => {
    const found = model.apply(reader('parameter', values), inputs, {
      sites: new Set(sites),
      ...masks,
    });
    const terms = Object.entries(found).map(([site, value]) => {
      // Masked scores are huge and have no gradient.
      const visible = value.dataSync().map((v) => (v > -1e8 ? 1 : 0));
      const weights = rng(6)
        .split(site)
        .normal(value.size)
        .map((z, i) => z * visible[i]!);
      return tf.sum(tf.mul(tf.square(value), tf.tensor(weights, value.shape)));
    });
    return { loss: tf.addN(terms) as tf.Scalar, aux: found };
  }, toTensors(params));
  return { values: aux, grads };
}
export const askedFor: readonly ((model: Model) => string[])[] = [
  () => ['logits'],
  (m) => [
    'logits',
    ...m
      .sites()
      .map(({ name }) => name)
      .filter((n) => /resid|ln_final|pattern/.test(n)),
  ],
  () => ['pooled', 'blocks.0.hook_resid_mid'],
  (m) => ['logits', `blocks.${m.shape.layers - 1}.attn.hook_pattern`],
  (m) => ['logits', `blocks.${m.shape.layers - 1}.hook_resid_mid`],
  (m) => ['logits', `blocks.${m.shape.layers - 1}.attn.hook_k`, 'hook_embed'],
  (m) => m.sites().map(({ name }) => name),
  () => ['blocks.0.attn.hook_v'],
  (m) => ['logits', `blocks.${m.shape.layers - 1}.attn.hook_z`],
  (m) => [`blocks.${m.shape.layers - 1}.attn.hook_result`, 'blocks.0.attn.hook_z', 'logits'],
  (m) => [
    'unembed.hook_logits',
    ...m
      .sites()
      .map(({ name }) => name)
      .filter((n) => /hook_scale|hook_normalized|hook_pos_embed/.test(n)),
  ],
];
export const switches: readonly Algebra[] = [
  { vocabularyTable: true },
  { lastPosition: true },
  { sharedPrefixes: true },
  { jointOV: true },
  { vocabularyTable: true, lastPosition: true, sharedPrefixes: true, jointOV: true },
];

/** Sites whose values or gradients the shortcuts change, over batches of two tasks; empty if they are exact. */
export function changedBy(
  algebra: Algebra,
  variant: Partial<Sizes>,
  asks: readonly ((model: Model) => string[])[],
): string[] {
  const cases = [
    [pairs, pairs],
    [random, random.slice(0, 30)],
  ] as const;
  return cases.flatMap(([rows, batch]) => {
    const plain = make(variant, OFF, rows);
    const quick = make(variant, algebra, rows);
    const params = randomParams(plain);
    return asks.flatMap((ask) => {
      const sites = ask(plain);
      const wanted = evaluate(plain, params, batch, sites);
      const got = evaluate(quick, params, batch, sites);
      const values = sites.filter((site) => {
        const [a, b] = [got.values[site]!, wanted.values[site]!];
        return `${a.shape}` !== `${b.shape}` || distance(a.dataSync(), b.dataSync()) > 1e-12;
      });
      const grads = Object.keys(params).filter(
        (name) => distance(got.grads[name]!.dataSync(), wanted.grads[name]!.dataSync()) > 1e-10,
      );
      return [...values, ...grads].map((what) => `${what}, asked for ${sites}`);
    });
  });
}
