/** Logit distillation against a float64 reference, values and gradients. */
import type { HostArray } from '@grok/core';
import { applyTerm as apply, distance, draw, makeModelInfo } from '@grok/testing';
import { describe, expect, it } from 'vitest';
import plugin, { logit } from '../src/index.js';
import '@tensorflow/tfjs-backend-cpu';

const models = { student: makeModelInfo(2, 16), teachers: { teacher: makeModelInfo(2, 32) } };
const [rows, classes] = [5, 7];

function softmax(row: number[]): number[] {
  const most = Math.max(...row);
  const e = row.map((x) => Math.exp(x - most));
  const sum = e.reduce((a, b) => a + b);
  return e.map((x) => x / sum);
}
/** τ² · mean KL(p_T ‖ p_S), and its gradient τ (p_S − p_T) / rows. */
function reference(student: HostArray, teacher: HostArray, tau: number) {
  let value = 0;
  const grad: number[] = [];
  for (let i = 0; i < student.shape[0]!; i++) {
    const row = ({ data, shape }: HostArray) =>
      softmax(Array.from(data.subarray(i * shape[1]!, (i + 1) * shape[1]!), (x) => x / tau));
    const [pS, pT] = [row(student), row(teacher)];
    pT.forEach((p, j) => {
      if (p > 0) value += (tau ** 2 * p * Math.log(p / pS[j]!)) / student.shape[0]!;
      grad.push((tau * (pS[j]! - p)) / student.shape[0]!);
    });
  }
  return { value, grad };
}
const on = (student: HostArray, teacher: HostArray, temperature?: number) =>
  apply(logit(temperature === undefined ? {} : { temperature })(models), {
    student: { logits: student },
    teachers: { teacher: { logits: teacher } },
  });

describe('logit', () => {
  const student = draw('s', rows, classes);
  const teacher = draw('t', rows, classes);

  it('matches float64 in value and gradient at several temperatures; τ defaults to 2', () => {
    for (const tau of [0.5, 1, 2, 4]) {
      const expected = reference(student, teacher, tau);
      const { values, grads } = on(student, teacher, tau);
      expect(values.logit).toBeCloseTo(expected.value, 5);
      expect(distance(grads.logits, expected.grad)).toBeLessThan(1e-6);
    }
    expect(on(student, teacher).values).toEqual(on(student, teacher, 2).values);
  });

  it('matches a case worked by hand (swapped arguments would give 0.368)', () => {
    const of = (...p: number[]): HostArray => ({
      data: Float32Array.from(p, Math.log),
      shape: [1, p.length],
      dtype: 'float32',
    });
    expect(on(of(0.9, 0.1), of(0.5, 0.5), 1).values.logit).toBeCloseTo(0.5108256, 6);
  });

  it('is zero, with zero gradient, for teacher = student', () => {
    const { values, grads } = on(student, student);
    expect(values.logit).toBe(0);
    expect(distance(grads.logits, new Float32Array(rows * classes))).toBeLessThan(1e-7);
  });

  it('ignores a constant added to a row of logits, however large', () => {
    const shifted = (value: HostArray, by: number): HostArray => ({
      ...value,
      data: Float32Array.from(value.data, (x, i) => x + by * Math.floor(i / classes)),
    });
    const plain = on(student, teacher);
    const moved = on(shifted(student, 64), shifted(teacher, -32));
    expect(moved.values.logit).toBeCloseTo(plain.values.logit!, 4);
    expect(distance(moved.grads.logits, plain.grads.logits)).toBeLessThan(1e-5);
  });

  it('stays finite when a probability underflows (0 · log 0)', () => {
    const sure = { ...teacher, data: teacher.data.map((x) => x * 1000) as Float32Array };
    const expected = reference(student, sure, 1);
    const { values, grads } = on(student, sure, 1);
    expect(values.logit).toBeCloseTo(expected.value, 4);
    expect(distance(grads.logits, expected.grad)).toBeLessThan(1e-6);
  });

  it('refuses a temperature that is not positive', () => {
    expect(() => logit({ temperature: 0 })).toThrow('temperature');
    expect(() => logit({ temprature: 2 } as never)).toThrow('did you mean "temperature"');
  });

  it('is in the plugin', () => {
    expect(plugin.components.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'strategy logit',
    ]);
  });
});
