import { rng } from '@grok/core';
import { reader } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Algebra } from '../src/index.js';
import { distinctPrefixes } from '../src/prefixes.js';
import { askedFor, changedBy, describeTask, make, OFF, pairs, switches } from './algebra.js';
import { useFloat64 } from './float64.js';
import {
  build,
  createMasks,
  distance,
  matMulFlops,
  randomParams,
  title,
  toTensors,
  variants,
} from './helpers.js';
import type { Sizes } from './reference.js';

useFloat64();

beforeAll(() => tf.setBackend('cpu'));
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

describe('all shortcuts together change nothing', () => {
  it.each(variants.map((v) => [title(v), v] as const))('%s', (_, variant) => {
    // Catches: a shortcut that is not exact in value or gradient, or interferes with another.
    expect(changedBy(switches.at(-1)!, variant, askedFor.slice(0, 2))).toEqual([]);
  });
});

describe('one shortcut alone changes nothing', () => {
  it.each(switches.map((s) => [JSON.stringify(s), s] as const))('%s', (_, algebra) => {
    // Catches: a switch that only works together with the others; sites that are not whole.
    expect(changedBy(algebra, {}, askedFor)).toEqual([]);
  });
});

describe('the shortcuts', () => {
  const flops = (
    variant: Partial<Sizes>,
    algebra: Algebra,
    rows: readonly number[][],
    sites = ['logits'],
  ): number => {
    const model = make({ dim: 16, ...variant }, algebra, rows);
    const params = randomParams(model);
    const values = toTensors(params);
    const masks = createMasks(model, rows.length);
    return matMulFlops(() => {
      model.apply(
        reader('parameter', values),
        tf.tensor2d(rows as number[][], undefined, 'int32'),
        {
          sites: new Set(sites),
          ...masks,
        },
      );
    });
  };

  it.each(switches.slice(0, -1).map((s) => [JSON.stringify(s), s] as const))(
    '%s saves work',
    (_, algebra) => {
      // Catches: a switch that has no effect.
      expect(flops({}, algebra, pairs)).toBeLessThan(0.95 * flops({}, OFF, pairs));
    },
  );

  it('include learned positions in tables, except with a norm', () => {
    // Catches: positions missing from queries or keys by token; position embeddings that are never
    // read.
    const learned = { positions: 'learned', norm: 'none', depth: 1, heads: 2 } as const;
    for (const algebra of switches) expect(changedBy(algebra, learned, askedFor)).toEqual([]);
    const saved = (variant: Partial<Sizes>): number =>
      flops({ ...learned, ...variant }, { vocabularyTable: true }, pairs) /
      flops({ ...learned, ...variant }, OFF, pairs);
    expect(saved({})).toBeLessThan(0.8);
    expect(saved({ norm: 'rms' })).toBe(1);
  });

  it('share no prefix with dropout masks or without causal attention', () => {
    // Catches: one mask for all rows with the same prefix; a prefix that depends on later tokens.
    for (const variant of [{ dropout: 0.5 }, { causal: false }])
      expect(flops(variant, { sharedPrefixes: true }, pairs)).toBe(flops(variant, OFF, pairs));
  });

  it('share prefixes in the evaluation of a model with dropout', () => {
    // Catches: a rule based on the option instead of the masks.
    const model = make({ dim: 16, dropout: 0.5 }, { sharedPrefixes: true }, pairs);
    const values = toTensors(randomParams(model));
    const inputs = tf.tensor2d(pairs, undefined, 'int32');
    const run = (more: object): number =>
      matMulFlops(() => {
        model.apply(reader('parameter', values), inputs, { sites: new Set(['logits']), ...more });
      });
    expect(run({})).toBeLessThan(0.8 * run(createMasks(model, pairs.length)));
  });

  it('are disabled by taps', () => {
    // Catches: a tap that sees one value per prefix; a table that ignores a tapped embedding.
    const on = switches.at(-1)!;
    const run = (algebra: Algebra, site: string): ArrayLike<number> => {
      const model = make({}, algebra, pairs);
      const shape = model.sites().find(({ name }) => name === site)!.shape;
      const size = shape.reduce((a, b) => a * b, pairs.length);
      const noise = tf.tensor(rng(9).normal(size), [pairs.length, ...shape]);
      const out = model.apply(
        reader('parameter', toTensors(randomParams(model))),
        tf.tensor2d(pairs, undefined, 'int32'),
        { sites: new Set(['logits']), taps: { [site]: (v) => tf.add(v, noise) } },
      );
      return out.logits!.dataSync();
    };
    for (const { name } of make({}, OFF, pairs).sites())
      expect([name, distance(run(on, name), run(OFF, name)) < 1e-12]).toEqual([name, true]);
  });

  it.each([{ sharedPrefixes: true }, { vocabularyTable: true }])(
    'refuse rows that are not in the task: %o',
    (algebra) => {
      // Catches: another row's prefix, or another place's scores, silently used for a row that does
      // not exist.
      const model = make({}, algebra, pairs);
      const values = toTensors(randomParams(model));
      const logits = (rows: number[][]) =>
        model
          .apply(reader('parameter', values), tf.tensor2d(rows, undefined, 'int32'), {
            sites: new Set(['logits']),
          })
          .logits!.dataSync();
      expect(logits(pairs)).toHaveLength(pairs.length * 7);
      for (const wrong of [
        [6, 5, 0, 6],
        [0, 4, 0, 6],
      ])
        expect(() => logits([...pairs.slice(1), wrong])).toThrow();
    },
  );

  it('are off when a task’s rows are not known', () => {
    // Catches: prefixes made up from shapes.
    expect(distinctPrefixes({ vocabulary: 7, inputs: { shape: [25, 4], dtype: 'int32' } })).toEqual(
      [],
    );
    expect(build({}).shape.layers).toBe(2);
  });
});

describe('distinct prefixes', () => {
  it('are found for the lengths that repeat', () => {
    // Catches: prefixes merged by their last token only; numbers that do not match their tokens.
    const found = distinctPrefixes(describeTask(pairs));
    expect(found.map(({ length, count }) => [length, count])).toEqual([
      [1, 5],
      [2, 5],
    ]);
    expect([...found[1]!.tokens]).toEqual([0, 5, 1, 5, 2, 5, 3, 5, 4, 5]);
    const mixed = [
      [0, 1, 2, 3],
      [1, 0, 2, 3],
      [0, 0, 2, 3],
      [1, 1, 2, 3],
    ];
    const twice = distinctPrefixes(describeTask([...mixed, ...mixed]));
    expect(twice.map(({ count }) => count)).toEqual([2, 4, 4]);
    expect([...twice[1]!.tokens]).toEqual([0, 1, 1, 0, 0, 0, 1, 1]);
  });
});
