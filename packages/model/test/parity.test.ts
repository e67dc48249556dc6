import { type Params, rng, type Site } from '@grok/core';
import { reader, valueAndGrads } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TransformerOptions, transformer } from '../src/index.js';
import { type Fixture, fixtures, type Group, toTensor } from './fixtures.js';

beforeAll(() => tf.setBackend('cpu'));
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

const options = ({ settings }: Fixture, dim: string | number): TransformerOptions => ({
  dim: dim as number,
  depth: settings.depth as number,
  heads: settings.heads as number,
  dropout: (settings.dropout as number) ?? 0,
  pool: (settings.pool as 'cls' | 'mean') ?? 'cls',
  ropeBase: (settings.rope_base as number) ?? 1e6,
  eps: (settings.eps as number) ?? 1e-6,
});
const model = (fixture: Fixture, dim: string | number) =>
  transformer(options(fixture, dim))({
    vocabulary: (fixture.settings.p as number) + 2,
    inputs: { shape: [1, 4], dtype: 'int32' },
  });
const tensors = (group: Group): Params =>
  Object.fromEntries(Object.entries(group).map(([name, value]) => [name, toTensor(value)]));

/** Largest excess of |got − wanted| over the tolerance `absolute + relative · |wanted|`. */
function excess(got: tf.Tensor, wanted: Group[string], absolute: number, relative = 0): number {
  expect(got.shape).toEqual(wanted.shape);
  const values = got.dataSync();
  return Array.from(wanted.data).reduce(
    (worst, w, i) => Math.max(worst, Math.abs(values[i]! - w) - absolute - relative * Math.abs(w)),
    Number.NEGATIVE_INFINITY,
  );
}

describe.each(fixtures('model', 'dropout'))('$file', (fixture) => {
  const tokens = (): tf.Tensor => toTensor(fixture.group('tokens')['']!);
  const built = model(fixture, fixture.settings.dim!);
  const keepGroup = fixture.group('keep/');
  const masks = () => (Object.keys(keepGroup).length > 0 ? { masks: tensors(keepGroup) } : {});

  it('has the reference’s parameters', () => {
    // Catches: a missing, misnamed or transposed parameter.
    const specs = Object.entries(fixture.group('params/')).map(([n, { shape }]) => [n, shape]);
    const own = Object.entries(built.init(rng(0))).map(([n, { shape }]) => [n, shape]);
    expect(Object.fromEntries(own)).toEqual(Object.fromEntries(specs));
  });

  it('computes the reference’s sites', () => {
    // Catches: any difference in the forward pass, located by site.
    const wanted = fixture.group('sites/');
    const sites = built.apply(reader('parameter', tensors(fixture.group('params/'))), tokens(), {
      sites: new Set<Site>(Object.keys(wanted)),
      ...masks(),
    });
    const off = Object.entries(wanted).filter(
      ([s, w]) => excess(reader('site', sites)(s), w, 2e-5) > 0,
    );
    expect(off.map(([site]) => site)).toEqual([]);
  });

  it('has the reference’s loss and gradients', () => {
    // Catches: a wrong custom gradient; dropout scaled on one side only.
    const labels = toTensor(fixture.group('labels')['']!) as tf.Tensor1D;
    const vocabulary = (fixture.settings.p as number) + 2;
    const { loss, grads } = valueAndGrads(
      (params) => {
        const { logits } = built.apply(reader('parameter', params), tokens(), {
          sites: new Set(['logits']),
          ...masks(),
        });
        const hot = tf.oneHot(labels, vocabulary);
        const rows = tf.sum(tf.mul(tf.logSoftmax(logits!), hot), -1);
        return { loss: tf.neg(tf.mean(rows)) as tf.Scalar, aux: {} };
      },
      tensors(fixture.group('params/')),
    );
    expect(loss.dataSync()[0]).toBeCloseTo(fixture.group('loss/').ce!.data[0]!, 4.6);
    const off = Object.entries(fixture.group('grads/')).filter(
      ([name, wanted]) => excess(reader('gradient', grads)(name), wanted, 2e-5, 1e-3) > 0,
    );
    expect(off.map(([name]) => name)).toEqual([]);
  });
});

describe.each(fixtures('distill'))('$file', (fixture) => {
  it('computes the teacher’s sites', () => {
    // Catches: errors that only appear with another p or width.
    const wanted = fixture.group('teacher/sites/');
    const built = model(fixture, fixture.settings.teacher_dim!);
    const sites = built.apply(
      reader('parameter', tensors(fixture.group('teacher/params/'))),
      toTensor(fixture.group('tokens')['']!),
      { sites: new Set<Site>(Object.keys(wanted)) },
    );
    const off = Object.entries(wanted).filter(
      ([s, w]) => excess(reader('site', sites)(s), w, 2e-5) > 0,
    );
    expect(off.map(([site]) => site)).toEqual([]);
  });
});
