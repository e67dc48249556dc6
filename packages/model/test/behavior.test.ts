import '@tensorflow/tfjs-backend-cpu';
import { rng } from '@grok/core';
import { reader } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { scaleOptions, transformer } from '../src/index.js';
import {
  build,
  createMasks,
  distance,
  randomParams,
  randomRows,
  readSites,
  toTensors,
  VOCABULARY,
} from './helpers.js';

beforeAll(() => tf.setBackend('cpu'));
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

const tokens97 = { vocabulary: 99, inputs: { shape: [9312, 4], dtype: 'int32' } } as const;
const { tokens } = randomRows(5);
const inputs = (rows = tokens): tf.Tensor => tf.tensor2d(rows, undefined, 'int32');
/** Names of the kernels that `f` runs. */
function listKernels(f: () => void): string[] {
  const names: string[] = [];
  const engine = tf.engine() as unknown as {
    runKernel: (name: string, ...rest: unknown[]) => unknown;
  };
  const original = engine.runKernel;
  engine.runKernel = function (name, ...rest) {
    names.push(name);
    return original.call(this, name, ...rest);
  };
  f();
  engine.runKernel = original;
  return names;
}

describe('parameters', () => {
  const count = (dim: number): number =>
    Object.values(transformer({ dim })(tokens97).init(rng(0))).reduce(
      (n, p) => n + p.data.length,
      0,
    );

  it('match the reference in number', () => {
    // Catches: biases; tied or missing weights.
    expect([count(128), count(64), count(32)]).toEqual([550_272, 144_064, 39_264]);
  });

  it('are in the order of their hash', () => {
    // Catches: a parameter hash that other tools cannot recompute.
    expect(Object.keys(transformer({ depth: 1 })(tokens97).init(rng(0)))).toEqual([
      'embed.W_E',
      'blocks.0.ln1.w',
      'blocks.0.attn.W_Q',
      'blocks.0.attn.W_K',
      'blocks.0.attn.W_V',
      'blocks.0.attn.W_O',
      'blocks.0.ln2.w',
      'blocks.0.mlp.W_gate',
      'blocks.0.mlp.W_in',
      'blocks.0.mlp.W_out',
      'ln_final.w',
      'unembed.W_U',
    ]);
  });

  it('have the reference’s initial standard deviations', () => {
    // Catches: fan-out instead of fan-in, a truncated normal that is not rescaled, a total norm far
    // from 64.5.
    const params = transformer()(tokens97).init(rng(42));
    const variance = (name: string): number => {
      const { data } = reader('parameter', params)(name);
      return Array.from(data).reduce((sum, v) => sum + v * v, 0) / data.length;
    };
    expect(variance('embed.W_E') * 128).toBeCloseTo(1, 1);
    expect(variance('blocks.1.attn.W_K') * 128).toBeCloseTo(1, 1);
    expect(variance('blocks.0.mlp.W_gate') * 128).toBeCloseTo(1, 1);
    expect(variance('blocks.0.mlp.W_out') * 512).toBeCloseTo(1, 1);
    expect(variance('ln_final.w')).toBe(1);
    const { data } = reader('parameter', params)('blocks.0.mlp.W_out');
    const largest = Math.max(...data.map(Math.abs));
    expect(largest * Math.sqrt(512) * 0.87962566).toBeLessThan(2);
    const norm = Math.hypot(...Object.values(params).map(({ data }) => Math.hypot(...data)));
    expect(Math.abs(norm - 64.5)).toBeLessThan(0.5);
  });

  it('depend only on their names and the seed', () => {
    // Catches: a narrower MLP or a second block that changes the initial values of other
    // parameters.
    const one = transformer({ depth: 1, dMlp: 8 })(tokens97).init(rng(1));
    const two = transformer({ depth: 2 })(tokens97).init(rng(1));
    expect(one['blocks.0.attn.W_Q']).toEqual(two['blocks.0.attn.W_Q']);
    expect(one['unembed.W_U']).not.toEqual(
      transformer({ depth: 1 })(tokens97).init(rng(2))['unembed.W_U'],
    );
  });
});

describe('sites', () => {
  const model = build({ heads: 2 });
  const params = randomParams(model);
  const apply = (sites: string[], more: object = {}) =>
    readSites(model, toTensors(params), inputs(), sites, more);
  const readLogits = (more: object = {}): tf.Tensor => apply(['logits'], more)('logits');

  it('cost nothing beyond what they need', () => {
    // Catches: the whole model run for the attention of its first block.
    const heavy = (sites: string[]): number =>
      listKernels(() => apply(sites)).filter((kernel) => kernel === 'BatchMatMul').length;
    expect(heavy(['hook_embed'])).toBe(0);
    expect(heavy(['blocks.0.hook_resid_mid'])).toBe(6);
    expect(heavy(['blocks.0.hook_resid_post'])).toBe(9);
    expect(heavy(['blocks.0.attn.hook_k'])).toBe(1);
    expect(heavy([])).toBe(0);
  });

  it('name every axis, and an axis name has one size', () => {
    // Catches: heads and positions swapped; axes of different sizes under one name.
    const sizes = new Map<string, Set<number>>();
    for (const { axes, shape } of build({ heads: 2, positions: 'learned' }).sites())
      for (const [i, axis] of axes.entries())
        sizes.set(axis, new Set([...(sizes.get(axis) ?? []), ...shape.slice(i, i + 1)]));
    expect(Object.fromEntries([...sizes].map(([axis, found]) => [axis, [...found]]))).toEqual({
      ...{ pos: [4], query: [4], key: [4], head: [2], scale: [1] },
      ...{ d_model: [8], d_head: [4], d_mlp: [12], d_vocab: [7] },
    });
  });

  it('of each head add up to the attention output, tapped or not', () => {
    // Catches: per-head results computed beside the trained path; a per-head product that every run
    // pays for.
    const at = (name: string): string => `blocks.1.attn.${name}`;
    const [result, out] = [at('hook_result'), 'blocks.1.hook_attn_out'];
    const plain = apply([out])(out).dataSync();
    const found = apply([result, out]);
    expect(distance(tf.sum(found(result), 2).dataSync(), plain)).toBeLessThan(1e-6);
    expect(distance(found(out).dataSync(), plain)).toBeLessThan(1e-6);
    // Removing the first head's result equals zeroing the first half of z in the product.
    const maskOut = tf.tensor([0, 1], [1, 1, 2, 1]);
    const only = (site: string): ArrayLike<number> =>
      readLogits({ taps: { [site]: (v: tf.Tensor) => tf.mul(v, maskOut) } }).dataSync();
    expect(distance(only(result), only(at('hook_z')))).toBeLessThan(1e-6);
    const products = (sites: string[]): number =>
      listKernels(() => apply(sites)).filter((kernel) => kernel === 'BatchMatMul').length;
    expect(products([out])).toBe(products([result, out]));
  });

  it.each(['cls', 'mean'] as const)(
    'include the logits of every position, which pooling %s reads',
    (pool) => {
      // Catches: per-position logits computed from other values; their product computed when not
      // requested.
      const pooling = build({ pool });
      const run = (sites: string[]) => readSites(pooling, toTensors(params), inputs(), sites);
      const site = 'unembed.hook_logits';
      const found = run(['logits', site]);
      const all = found(site);
      const read = pool === 'mean' ? tf.mean(all, 1) : tf.squeeze(tf.slice(all, [0, 3, 0]), [1]);
      expect(distance(read.dataSync(), found('logits').dataSync())).toBeLessThan(1e-6);
      const products = (sites: string[]): number =>
        listKernels(() => run(sites)).filter((kernel) => kernel === 'BatchMatMul').length;
      expect(products(['logits', site])).toBe(products(['logits']) + 1);
    },
  );

  it('of a norm are its divisor and its output before the weights', () => {
    // Catches: a tap on either that the layer ignores.
    const [scale, normalized] = ['blocks.0.ln2.hook_scale', 'blocks.0.ln2.hook_normalized'];
    const half = (site: string, by: number): ArrayLike<number> =>
      readLogits({ taps: { [site]: (v: tf.Tensor) => tf.mul(v, by) } }).dataSync();
    expect(distance(half(scale, 2), half(normalized, 0.5))).toBeLessThan(1e-6);
    expect(distance(half(scale, 2), readLogits().dataSync())).toBeGreaterThan(1e-3);
  });

  it('are replaced by taps for everything after them', () => {
    // Catches: a tap that only affects its own site; a site delivered before its tap.
    const logits = readLogits({
      taps: { 'blocks.0.hook_attn_out': (v: tf.Tensor) => tf.zerosLike(v) },
    });
    const values = toTensors(params);
    const zeroed = { ...values, 'blocks.0.attn.W_O': tf.zeros([8, 8]) };
    const wanted = readSites(model, zeroed, inputs(), ['logits'])('logits');
    expect(tf.max(tf.abs(tf.sub(logits, wanted))).dataSync()[0]).toBeLessThan(1e-6);
    const captured = apply(['blocks.1.attn.hook_pattern'], {
      taps: { 'blocks.1.attn.hook_pattern': (v: tf.Tensor) => tf.mul(v, 2) },
    })('blocks.1.attn.hook_pattern');
    expect(tf.mean(tf.sum(captured, -1)).dataSync()[0]).toBeCloseTo(2, 6);
  });

  it.each(model.sites())('$name can be tapped, with gradients', ({ name: site, shape }) => {
    // Catches: a tap that receives another shape than the site's; a tap that blocks the gradient.
    // Nothing follows the logits of all positions, so they are read directly.
    const read = site === 'unembed.hook_logits' ? site : 'logits';
    const f = (shift: tf.Tensor): tf.Scalar =>
      tf.sum(
        tf.square(
          apply([read], {
            taps: {
              [site]: (v: tf.Tensor) => {
                expect(v.shape).toEqual([5, ...shape]);
                return tf.add(v, shift);
              },
            },
          })(read),
        ),
      );
    const gradient = tf.grad(f)(tf.zeros([...shape]));
    // Adding a constant to all scores of a query changes nothing; any other tap must have an
    // effect.
    expect(tf.max(tf.abs(gradient)).dataSync()[0]).toBeGreaterThan(1e-9);
  });

  it('of a causal model do not see the future', () => {
    // Catches: a mask with query and key swapped.
    const changed = tokens.map((row) => [...row.slice(0, 3), (row[3]! + 1) % VOCABULARY]);
    const late = 'blocks.1.hook_resid_post';
    const at = (rows: number[][]): tf.Tensor =>
      tf.slice(
        readSites(model, toTensors(params), inputs(rows), [late])(late),
        [0, 0, 0],
        [-1, 3, -1],
      );
    expect(at(changed).dataSync()).toEqual(at(tokens).dataSync());
  });

  it('and masks have checked names', () => {
    // Catches: a misspelled site silently ignored; half of the dropout missing.
    expect(() => apply(['blocks.0.hook_resid_pst'])).toThrow(
      'unknown site "blocks.0.hook_resid_pst": did you mean "blocks.0.hook_resid_post"?',
    );
    expect(() => apply([], { taps: { nowhere: (v: tf.Tensor) => v } })).toThrow('unknown site');
    const dropping = build({ dropout: 0.5 });
    const { masks } = createMasks(dropping, 5);
    const { 'blocks.1.mlp': _, ...rest } = masks!;
    expect(() =>
      dropping.apply(reader('parameter', toTensors(params)), inputs(), {
        sites: new Set(['logits']),
        masks: rest,
      }),
    ).toThrow('dropout needs the mask "blocks.1.mlp"');
  });
});

describe('dropout', () => {
  it('lists its masks, and none without dropout', () => {
    // Catches: masks of the wrong width; masks requested for a model without dropout.
    const model = transformer({ dropout: 0.2, depth: 1, dim: 16, dMlp: 24 })(tokens97);
    expect(model.dropoutMaskShapes(3)).toEqual({
      'blocks.0.attn': [3, 4, 16],
      'blocks.0.mlp': [3, 4, 24],
    });
    expect(model.keepProbability).toBeCloseTo(0.8, 12);
    expect(transformer()(tokens97).dropoutMaskShapes(3)).toEqual({});
    expect(transformer()(tokens97).keepProbability).toBe(1);
  });
});

describe('features as inputs', () => {
  it.each([
    { shape: [20, 3], rows: [5, 3], length: 1 },
    { shape: [20, 4, 3], rows: [5, 4, 3], length: 4 },
  ])('of shape $shape go through a linear embedding', ({ shape, rows, length }) => {
    // Catches: features taken for positions.
    const model = transformer({ dim: 8, dMlp: 8, depth: 1 })({
      vocabulary: 2,
      inputs: { shape, dtype: 'float32' },
    });
    const params = model.init(rng(0));
    const table = reader('parameter', params)('embed.W_E');
    expect(table.shape).toEqual([3, 8]);
    const x = tf.tensor(rng(1).normal(5 * length * 3), rows);
    const read = readSites(model, toTensors(params), x, ['hook_embed', 'logits']);
    const w = tf.tensor(table.data, [3, 8]);
    const wanted = tf.matMul(tf.reshape(x, [-1, 3]), w).dataSync();
    expect(read('hook_embed').shape).toEqual([5, length, 8]);
    expect(read('hook_embed').dataSync()).toEqual(wanted);
    expect(read('logits').shape).toEqual([5, 2]);
  });
});

describe('options', () => {
  it('that do not match are refused with a readable error', () => {
    // Catches: a crash deep inside a reshape.
    const make = (options: object) => () => transformer(options)(tokens97);
    expect(make({ dim: 10, heads: 3 })).toThrow(
      'heads must divide dim, got 3 heads for a dim of 10',
    );
    expect(make({ dim: 6, heads: 2 })).toThrow("a head's width must be even, got 3");
    expect(make({ dim: 6, heads: 2, positions: 'none' })).not.toThrow();
    expect(make({ dropout: 1 })).toThrow('option "dropout"');
    expect(make({ mlpRatio: 2, dMlp: 4 })).toThrow('give mlpRatio or dMlp, not both');
    expect(make({ dim: 10, mlpRatio: 2.55 })).toThrow('mlpRatio times dim must be an integer');
    expect(make({ dim: 10, mlpRatio: 1e-12 })).toThrow('must be an integer ≥ 1');
    expect(make({ mlp: 'swish' })).toThrow('option "mlp"');
    expect(make({ width: 4 })).toThrow('unknown option "width"');
    expect(() => transformer()({ vocabulary: 2, inputs: { shape: [4], dtype: 'int32' } })).toThrow(
      'inputs must be int32 tokens [rows, positions]',
    );
  });

  it('compute the MLP width from decimal ratios', () => {
    // Catches: 100 · 1.1 = 110.00000000000001 refused as not an integer.
    for (const [dim, mlpRatio, width] of [
      [100, 1.1, 110],
      [100, 2.3, 230],
      [60, 2.05, 123],
    ] as const) {
      const params = transformer({ dim, mlpRatio, depth: 1 })(tokens97).init(rng(0));
      expect(params['blocks.0.mlp.W_in']?.shape).toEqual([dim, width]);
    }
  });

  it('scale to those of a student', () => {
    // Catches: a narrow student with a wide MLP; heads that no longer divide; lost options.
    expect(scaleOptions({ dropout: 0.2 }, { width: 0.5 })).toEqual({
      dim: 64,
      depth: 2,
      heads: 1,
      dropout: 0.2,
    });
    expect(scaleOptions({ dim: 128, heads: 4, dMlp: 512 }, { width: 0.25, depth: 0.5 })).toEqual({
      dim: 32,
      depth: 1,
      heads: 4,
      dMlp: 128,
    });
    expect(scaleOptions({ dim: 24, heads: 4 }, { width: 0.5 }).heads).toBe(3);
    expect(scaleOptions({ dim: 24, heads: 4, positions: 'none' }, { width: 0.5 }).heads).toBe(4);
    expect(() => scaleOptions({ dim: 10 }, { width: 0.25 })).toThrow('a dim of 10 scaled by 0.25');
    expect(() => scaleOptions({}, { depth: 0.2 })).toThrow('a depth of 2 scaled by 0.2');
  });
});
