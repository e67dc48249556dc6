/** Attention distillation against a float64 reference, values and gradients. */
import type { HostArray } from '@grok/core';
import { type Arrays, applyTerm as apply, distance, draw, makeModelInfo } from '@grok/testing';
import { describe, expect, it } from 'vitest';
import plugin, { attention } from '../src/index.js';
import '@tensorflow/tfjs-backend-cpu';

const pattern = (layer: number) => `blocks.${layer}.attn.hook_pattern`;
/** A block's pattern, by the model's label. */
const drawn = (who: string, layer: number, heads = 2): HostArray =>
  draw(`${who}${layer}`, 3, heads, 4, 4);
const draws = (who: string, layers: number, heads: number): Arrays =>
  Object.fromEntries(Array.from({ length: layers }, (_, l) => [pattern(l), drawn(who, l, heads)]));

/** Mean over heads: `[batch, head, 4, 4]` → `[batch, 4, 4]`. */
function overHeads({ data, shape }: HostArray): Float64Array {
  const [batch = 0, heads = 0] = shape;
  const out = new Float64Array(batch * 16);
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < 16; i++)
        out[b * 16 + i]! += Number(data[(b * heads + h) * 16 + i]) / heads;
  return out;
}
const mse = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a, (x, i) => (x - Number(b[i])) ** 2).reduce((sum, x) => sum + x, 0) / a.length;

describe('attention', () => {
  const student = draws('s', 2, 2);
  const teacher = draws('t', 2, 2);
  const models = {
    student: makeModelInfo(2, 16, 2),
    teachers: { teacher: makeModelInfo(2, 32, 2) },
  };
  const perBlock = [0, 1].map((l) => mse(drawn('s', l).data, drawn('t', l).data));

  it('is the mean over blocks, or their sum (catches: swapped reductions, which halve the gradient)', () => {
    const [a = 0, b = 0] = perBlock;
    const given = { student, teachers: { teacher } };
    for (const [reduce, factor] of [
      ['mean', 0.5],
      ['sum', 1],
    ] as const) {
      const { values, grads } = apply(attention({ reduce })(models), given);
      expect(values.attention).toBeCloseTo(factor * (a + b), 6);
      const [s, t] = [drawn('s', 1).data, drawn('t', 1).data];
      const expected = Array.from(s, (x, i) => (factor * 2 * (x - Number(t[i]))) / s.length);
      expect(distance(grads[pattern(1)], expected)).toBeLessThan(1e-7);
    }
    expect(apply(attention()(models), given).values.attention).toBeCloseTo((a + b) / 2, 6);
  });

  it('matches a case worked by hand', () => {
    const one = (data: number[]): HostArray => ({
      data: Float32Array.from(data),
      shape: [1, 1, 2, 2],
      dtype: 'float32',
    });
    const infos = { student: makeModelInfo(1, 8), teachers: { teacher: makeModelInfo(1, 8) } };
    const { values } = apply(attention()(infos), {
      student: { [pattern(0)]: one([1, 0, 0.25, 0.75]) },
      teachers: { teacher: { [pattern(0)]: one([1, 0, 0.75, 0.25]) } },
    });
    expect(values.attention).toBe(0.125); // (.5² + .5²) / 4
  });

  it('is zero, with zero gradient, for teacher = student', () => {
    const { values, grads } = apply(attention()(models), {
      student,
      teachers: { teacher: student },
    });
    expect(values.attention).toBe(0);
    for (const grad of Object.values(grads)) expect(grad.every((g) => g === 0)).toBe(true);
  });

  it('averages over unequal heads, and each head gets its share of the gradient', () => {
    const four = draws('t', 2, 4);
    const infos = {
      student: makeModelInfo(2, 16, 2),
      teachers: { teacher: makeModelInfo(2, 32, 4) },
    };
    const { values, grads } = apply(attention({ reduce: 'sum' })(infos), {
      student,
      teachers: { teacher: four },
    });
    const means = (l: number) => [overHeads(drawn('s', l)), overHeads(drawn('t', l, 4))] as const;
    expect(values.attention).toBeCloseTo(mse(...means(0)) + mse(...means(1)), 6);
    const [s, t] = means(0);
    const shares = Array.from(drawn('s', 0).data, (_, i) => {
      const at = Math.floor(i / 32) * 16 + (i % 16); // [batch, head, 16] → [batch, 16]
      return (2 * (Number(s[at]) - Number(t[at]))) / s.length / 2;
    });
    expect(distance(grads[pattern(0)], shares)).toBeLessThan(1e-7);
  });

  it('compares equal heads one by one (their means may agree when they do not)', () => {
    const swapped = (value: HostArray): HostArray => {
      const data = new Float32Array(value.data.length);
      for (let i = 0; i < data.length; i++) data[i] = Number(value.data[i ^ 16]); // swaps the two heads
      return { ...value, data };
    };
    const teachers = {
      teacher: Object.fromEntries(Object.entries(student).map(([k, v]) => [k, swapped(v)])),
    };
    expect(apply(attention()(models), { student, teachers }).values.attention).toBeGreaterThan(0.1);
  });

  it('reads a layer map as teacher → student', () => {
    const infos = {
      student: makeModelInfo(1, 16, 2),
      teachers: { teacher: makeModelInfo(3, 32, 2) },
    };
    const term = attention({ layers: { 2: 0 } })(infos);
    expect(term.needs).toEqual({ student: [pattern(0)], teachers: { teacher: [pattern(2)] } });
    const deep = draws('t', 3, 2);
    const shallow = draws('s', 1, 2);
    const { values } = apply(term, { student: shallow, teachers: { teacher: deep } });
    expect(values.attention).toBeCloseTo(mse(drawn('s', 0).data, drawn('t', 2).data), 6);
  });

  it('lets two teacher blocks teach one student block', () => {
    const infos = {
      student: makeModelInfo(1, 16, 2),
      teachers: { teacher: makeModelInfo(2, 32, 2) },
    };
    const term = attention({ layers: { 0: 0, 1: 0 } })(infos);
    expect(term.needs.student).toEqual([pattern(0)]);
    const shallow = draws('s', 1, 2);
    const { grads } = apply(term, { student: shallow, teachers: { teacher } });
    const [s, t0, t1] = [drawn('s', 0), drawn('t', 0), drawn('t', 1)];
    const expected = Array.from(
      s.data,
      (x, i) => (2 * x - Number(t0.data[i]) - Number(t1.data[i])) / s.data.length,
    );
    expect(distance(grads[pattern(0)], expected)).toBeLessThan(1e-7);
  });

  it('lets two terms use two teachers', () => {
    const teachers = { teacher, other: draws('o', 2, 2) };
    const infos = {
      student: models.student,
      teachers: { ...models.teachers, other: makeModelInfo(2, 8, 2) },
    };
    const term = attention({ teacher: 'other' })(infos);
    expect(Object.keys(term.needs.teachers ?? {})).toEqual(['other']);
    const ours = apply(term, { student, teachers }).values.attention;
    const theirs = apply(attention()(infos), { student, teachers }).values.attention;
    expect(ours).not.toBeCloseTo(Number(theirs), 3);
  });

  it('explains unequal depths, an invalid map, an empty map, a missing teacher, a wrong option', () => {
    const shallow = { student: makeModelInfo(1, 16), teachers: { teacher: makeModelInfo(2, 16) } };
    expect(() => attention()(shallow)).toThrow(
      'give a layer map (teacher → student) such as {"1": 0}',
    );
    expect(() => attention({ layers: { 2: 0 } })(shallow)).toThrow('teacher has blocks 0 to 1');
    expect(() => attention({ layers: {} })).toThrow('at least one pair');
    expect(() => attention({ teacher: 'other' })(shallow)).toThrow('a teacher named "other"');
    expect(() => attention({ reduce: 'max' } as never)).toThrow('reduce');
    expect(() => attention({ layer: {} } as never)).toThrow('did you mean "layers"');
  });

  it('is in the plugin', () => {
    expect(plugin.components.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'strategy attention',
    ]);
  });
});
