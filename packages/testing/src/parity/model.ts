/** Cases `model` and `dropout`: every stored site, the loss, and the gradient of every parameter. */
import {
  type Backend,
  crossEntropy,
  type HostParams,
  type Model,
  type Params,
  rng,
} from '@grok/core';
import { reader, valueAndGrads } from '@grok/core/internal';
import type * as tf from '@grok/tfjs';
import { runOnce } from '../run-once.js';
import { type Group, hostArray, hostArrays, type ParityCase } from './case.js';
import { type Find, make } from './features.js';
import { GRADIENTS, type ParityVerdict, SITES } from './verdict.js';

/** Runs a case of kind `model` or `dropout`. */
export async function modelCase(
  of: ParityCase,
  backend: Backend,
  find: Find,
  found: ParityVerdict,
): Promise<void> {
  const model = buildModel(of, find, of.setting('dim'), of.setting('heads'));
  const params = inOrder(model, of.group('params/'), found);
  const [inputs, labels] = [hostArray(of.tensor('tokens')), hostArray(of.tensor('labels'))];
  const masks = hostArrays(of.group('keep/'));
  const wanted = of.group('sites/');
  const dropout = (given: Params): { masks?: Params } =>
    Object.keys(given).length > 0 ? { masks: given } : {};

  const sites = await runOnce(
    backend,
    `${of.file}: sites`,
    (x: { params: Params; inputs: tf.Tensor; masks: Params }) =>
      model.apply(reader('parameter', x.params), x.inputs, {
        sites: new Set(Object.keys(wanted)),
        ...dropout(x.masks),
      }),
    { params, inputs, masks },
  );
  for (const [site, want] of Object.entries(wanted))
    found.check(`sites/${site}`, sites[site], want, SITES);

  const out = await runOnce(
    backend,
    `${of.file}: gradients`,
    (x: { params: Params; inputs: tf.Tensor; labels: tf.Tensor1D; masks: Params }) => {
      const { loss, grads } = valueAndGrads((values) => {
        const { logits } = model.apply(reader('parameter', values), x.inputs, {
          sites: new Set(['logits']),
          ...dropout(x.masks),
        });
        if (logits === undefined) throw new Error('the model gave no logits');
        return { loss: crossEntropy(logits, x.labels), aux: {} };
      }, x.params);
      return { loss, grads };
    },
    { params, inputs, labels, masks },
  );
  found.check('loss/ce', out.loss, of.tensor('loss/ce'), SITES);
  for (const [name, want] of Object.entries(of.group('grads/')))
    found.check(`grads/${name}`, out[`grads/${name}`], want, GRADIENTS);
}

/** The transformer of a case, with the given width. */
export function buildModel(of: ParityCase, find: Find, dim: number, heads: number): Model {
  const { shape } = of.tensor('tokens');
  return make(find, 'model', 'transformer', {
    dim,
    heads,
    depth: of.setting('depth'),
    dropout: of.setting('dropout', 0),
    pool: of.setting('pool', 'cls'),
    eps: of.setting('eps', 1e-6),
    ropeBase: of.setting('rope_base', 1e6),
  })({ vocabulary: of.setting<number>('p') + 2, inputs: { shape, dtype: 'int32' } });
}

/** Stored parameters in the model's order; names and shapes must match the model's. */
export function inOrder(model: Model, stored: Group, found: ParityVerdict): HostParams {
  const own = Object.entries(model.init(rng(0)));
  for (const [name, { shape }] of Object.entries(stored))
    found.require(
      `params/${name}`,
      own.some(([key, value]) => key === name && value.shape.join() === shape.join()),
      'is no parameter of the model, or of another shape',
    );
  return Object.fromEntries(
    own.flatMap(([name]) => {
      const { [name]: value } = stored;
      return value === undefined ? [] : [[name, hostArray(value)]];
    }),
  );
}
