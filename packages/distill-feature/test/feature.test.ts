/** Feature distillation against a float64 reference: values, gradients of states and of projectors. */
import { type HostArray, hiddenStates, type ObjectiveTerm, rng } from '@grok/core';
import { type Arrays, applyTerm as apply, distance, draw, makeModelInfo } from '@grok/testing';
import { describe, expect, it } from 'vitest';
import plugin, { feature } from '../src/index.js';
import '@tensorflow/tfjs-backend-cpu';

const [batch, pos, wide, narrow] = [3, 4, 6, 5];
/** A model's values at one hidden state, by the model's label. */
const drawState = (who: string, site: string, width: number): HostArray =>
  draw(who + site, batch, pos, width);
const states = (who: string, layers: number, width: number): Arrays =>
  Object.fromEntries(
    hiddenStates(makeModelInfo(layers, width)).map((site) => [site, drawState(who, site, width)]),
  );
const initial = (term: ObjectiveTerm, seed: number) => term.auxiliaryParams?.(rng(seed)) ?? {};

/** Row-major product `[n, k] · [k, m]`; either factor may be transposed. */
function product(
  n: number,
  k: number,
  m: number,
  a: (i: number, j: number) => number,
  b: (i: number, j: number) => number,
): Float64Array {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) for (let l = 0; l < k; l++) out[i * m + j]! += a(i, l) * b(l, j);
  return out;
}

/** mean (target − from·P)² and its gradients with respect to target, from and P. */
function reference(target: HostArray, from: HostArray, p: HostArray) {
  const [dFrom = 0, dTo = 0] = p.shape;
  const rows = from.data.length / dFrom;
  const at = (data: ArrayLike<number>, width: number) => (i: number, j: number) =>
    Number(data[i * width + j]);
  const projected = product(rows, dFrom, dTo, at(from.data, dFrom), at(p.data, dTo));
  const residual = projected.map((x, i) => x - Number(target.data[i]));
  const scale = 2 / residual.length;
  const error = residual.map((r) => r * scale);
  return {
    value: residual.reduce((sum, r) => sum + r * r, 0) / residual.length,
    target: error.map((e) => -e),
    from: product(rows, dTo, dFrom, at(error, dTo), (i, j) => Number(p.data[j * dTo + i])),
    p: product(dFrom, rows, dTo, (i, j) => Number(from.data[j * dFrom + i]), at(error, dTo)),
  };
}

describe('feature', () => {
  const models = {
    student: makeModelInfo(2, narrow),
    teachers: { teacher: makeModelInfo(2, wide) },
  };
  const student = states('s', 2, narrow);
  const teacher = states('t', 2, wide);
  const sites = hiddenStates(models.student);

  it('teacher to student, as published: MSE(H_S, H_T·P), mean over the six states', () => {
    const term = feature()(models);
    const auxiliary = initial(term, 1);
    expect(Object.keys(auxiliary)).toEqual([0, 1, 2, 3, 4, 5].map((i) => `projector.${i}.W`));
    const { values, grads } = apply(term, { student, teachers: { teacher }, auxiliary });
    let sum = 0;
    for (const [i, p] of Object.values(auxiliary).entries()) {
      const [site = ''] = sites.slice(i);
      expect(p.shape).toEqual([wide, narrow]);
      const expected = reference(drawState('s', site, narrow), drawState('t', site, wide), p);
      sum += expected.value;
      const sixth = (x: number) => x / 6;
      expect(distance(grads[site], expected.target.map(sixth))).toBeLessThan(1e-6);
      expect(distance(grads[`projector.${i}.W`], expected.p.map(sixth))).toBeLessThan(1e-6);
    }
    expect(values.feature).toBeCloseTo(sum / 6, 5);
  });

  it('student to teacher: MSE(H_S·P, H_T), with gradients to the student through the projector', () => {
    const term = feature({ direction: 'student-to-teacher', reduce: 'sum' })(models);
    const auxiliary = initial(term, 1);
    const { values, grads } = apply(term, { student, teachers: { teacher }, auxiliary });
    let sum = 0;
    for (const [i, p] of Object.values(auxiliary).entries()) {
      const [site = ''] = sites.slice(i);
      expect(p.shape).toEqual([narrow, wide]);
      const expected = reference(drawState('t', site, wide), drawState('s', site, narrow), p);
      sum += expected.value;
      expect(distance(grads[site], expected.from)).toBeLessThan(1e-6);
      expect(distance(grads[`projector.${i}.W`], expected.p)).toBeLessThan(1e-6);
    }
    expect(values.feature).toBeCloseTo(sum, 4);
  });

  // Catches: wrong token counts, a table gradient that misses a row, embeddings still requested per
  // position.
  it.each(['teacher-to-student', 'student-to-teacher'] as const)(
    '%s: embedding tables are compared per token, with the same result as per position',
    (direction) => {
      const vocabulary = 7;
      const withTable = (width: number) => ({
        ...makeModelInfo(2, width),
        sites: [
          { name: 'hook_embed', shape: [pos, width], axes: ['pos', 'd_model'], table: 'embed.W_E' },
        ],
      });
      const tables = { student: withTable(narrow), teachers: { teacher: withTable(wide) } };
      const own = draw('own table', vocabulary, narrow);
      const theirs = draw('their table', vocabulary, wide);
      // Token 3 occurs five times, tokens 0 and 6 never.
      const tokens = Int32Array.of(3, 5, 1, 4, 3, 5, 2, 4, 3, 3, 3, 4);
      const takeRows = ({ data, shape }: HostArray): HostArray => {
        const [, width = 0] = shape;
        const rows = Array.from(tokens, (t) => [...data.subarray(t * width, (t + 1) * width)]);
        return {
          data: Float32Array.from(rows.flat()),
          shape: [batch, pos, width],
          dtype: 'float32',
        };
      };
      const map = { direction, layers: { 0: 0, 2: 3 } };
      const byPosition = feature(map)(models);
      const byToken = feature(map)(tables);
      expect(byToken.needs).toEqual({
        student: ['blocks.1.hook_resid_mid'],
        teachers: { teacher: ['blocks.0.hook_resid_post'] },
      });
      const auxiliary = initial(byPosition, 1);
      const plain = apply(byPosition, {
        student: { ...student, hook_embed: takeRows(own) },
        teachers: { teacher: { ...teacher, hook_embed: takeRows(theirs) } },
        auxiliary,
      });
      const met = apply(byToken, {
        student,
        teachers: { teacher },
        auxiliary,
        parameters: { 'embed.W_E': own },
        teacherParams: { teacher: { 'embed.W_E': theirs } },
        inputs: { data: tokens, shape: [batch, pos], dtype: 'int32' },
      });
      expect(met.values.feature).toBeCloseTo(Number(plain.values.feature), 5);
      for (const name of ['projector.0.W', 'projector.2.W', 'blocks.1.hook_resid_mid'])
        expect(distance(met.grads[name], plain.grads[name])).toBeLessThan(1e-6);
      const wanted = new Float64Array(vocabulary * narrow);
      for (const [i, token] of tokens.entries())
        for (let j = 0; j < narrow; j++)
          wanted[token * narrow + j]! += Number(plain.grads.hook_embed?.[i * narrow + j]);
      expect(distance(met.grads['embed.W_E'], wanted)).toBeLessThan(1e-6);
    },
  );

  it('teacher = student through the identity gives zero, in both directions', () => {
    const same = { student: makeModelInfo(2, wide), teachers: models.teachers };
    const identity: HostArray = {
      data: Float32Array.from({ length: wide * wide }, (_, i) => Number(i % (wide + 1) === 0)),
      shape: [wide, wide],
      dtype: 'float32',
    };
    const auxiliary = Object.fromEntries(sites.map((_, i) => [`projector.${i}.W`, identity]));
    for (const direction of ['teacher-to-student', 'student-to-teacher'] as const) {
      const given = { student: teacher, teachers: { teacher }, auxiliary };
      const { values, grads } = apply(feature({ direction })(same), given);
      expect(values.feature).toBe(0);
      for (const grad of Object.values(grads))
        expect(grad.every((g) => Math.abs(g) === 0)).toBe(true);
    }
  });

  it('a layer map pairs states, not blocks: the last state of a deep teacher is its final norm', () => {
    const infos = {
      student: makeModelInfo(1, narrow),
      teachers: { teacher: makeModelInfo(2, wide) },
    };
    const term = feature({ layers: { 0: 0, 3: 1, 5: 3 } })(infos);
    expect(term.needs).toEqual({
      student: ['hook_embed', 'blocks.0.hook_resid_mid', 'ln_final.hook_out'],
      teachers: { teacher: ['hook_embed', 'blocks.1.hook_resid_mid', 'ln_final.hook_out'] },
    });
    const auxiliary = initial(term, 1);
    expect(Object.keys(auxiliary)).toEqual(['projector.0.W', 'projector.3.W', 'projector.5.W']);
    const { values } = apply(term, {
      student: states('s', 1, narrow),
      teachers: { teacher },
      auxiliary,
    });
    const expected = [
      ['hook_embed', 'hook_embed', 0],
      ['blocks.0.hook_resid_mid', 'blocks.1.hook_resid_mid', 3],
      ['ln_final.hook_out', 'ln_final.hook_out', 5],
    ].map(([s, t, i]) => {
      const p = auxiliary[`projector.${i}.W`];
      if (p === undefined) return Number.NaN;
      return reference(drawState('s', `${s}`, narrow), drawState('t', `${t}`, wide), p).value;
    });
    expect(values.feature).toBeCloseTo(expected.reduce((a, b) => a + b) / 3, 5);
  });

  it('projectors are LeCun normal by their own fan-in, truncated at ±2σ, with one stream each', () => {
    const big = { student: makeModelInfo(2, 64), teachers: { teacher: makeModelInfo(2, 128) } };
    const auxiliary = initial(feature()(big), 3);
    for (const { data, dtype } of Object.values(auxiliary)) {
      expect(dtype).toBe('float32');
      const variance = Array.from(data, (w) => w * w).reduce((a, b) => a + b) / data.length;
      expect(variance * 128).toBeGreaterThan(0.95); // 0.774 without the correction
      expect(variance * 128).toBeLessThan(1.05);
      const sigma = Math.sqrt(1 / 128) / 0.87962566;
      expect(Math.max(...data)).toBeLessThanOrEqual(2 * sigma);
      expect(Math.max(...data)).toBeGreaterThan(1.9 * sigma);
    }
    const [first, second] = Object.values(auxiliary);
    expect(first?.data).not.toEqual(second?.data);
    expect(initial(feature()(big), 3)).toEqual(auxiliary);
    const up = initial(feature({ direction: 'student-to-teacher' })(big), 3)['projector.0.W']!;
    const variance = Array.from(up.data, (w) => w * w).reduce((a, b) => a + b) / up.data.length;
    expect(Math.abs(variance * 64 - 1)).toBeLessThan(0.05);
  });

  it('a projector in a map has the same initial values as without a map', () => {
    const all = initial(feature()(models), 5);
    const some = initial(feature({ layers: { 4: 4 } })(models), 5);
    expect(some['projector.4.W']).toEqual(all['projector.4.W']);
  });

  it('two terms, in opposite directions and with two teachers, do not interfere', () => {
    const teachers = { teacher, other: states('o', 2, wide) };
    const infos = { ...models, teachers: { ...models.teachers, other: makeModelInfo(2, wide) } };
    const first = feature()(infos);
    const second = feature({ teacher: 'other', direction: 'student-to-teacher' })(infos);
    const alone = apply(first, { student, teachers, auxiliary: initial(first, 1) });
    const again = apply(second, { student, teachers, auxiliary: initial(second, 2) });
    const repeated = apply(first, { student, teachers, auxiliary: initial(first, 1) });
    expect(repeated).toEqual(alone);
    expect(again.values.feature).not.toBeCloseTo(Number(alone.values.feature), 2);
    expect(Object.keys(second.needs.teachers ?? {})).toEqual(['other']);
  });

  it('explains unequal depths, an empty map, a missing teacher and wrong options', () => {
    const infos = {
      student: makeModelInfo(1, narrow),
      teachers: { teacher: makeModelInfo(2, wide) },
    };
    expect(() => feature()(infos)).toThrow('teacher has 6 hidden states, student 4');
    expect(() => feature({ layers: { 6: 0 } })(infos)).toThrow('teacher has hidden states 0 to 5');
    expect(() => feature({ layers: {} })).toThrow('at least one pair');
    expect(() => feature()({ student: models.student, teachers: {} })).toThrow('named "teacher"');
    expect(() => feature({ direction: 'up' } as never)).toThrow('direction');
  });

  it('is in the plugin', () => {
    expect(plugin.components.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'strategy feature',
    ]);
  });
});
