import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@grok/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { constant, cosine, linearWarmup, type Schedule } from '../src/index.js';

beforeAll(() => tf.setBackend('cpu'));
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

const at = (schedule: Schedule, step: number): number =>
  schedule(tf.scalar(step, 'int32')).dataSync()[0]!;

describe('schedules', () => {
  it('warm up from exactly 0', () => {
    // Catches: a first step at lr / steps, integer division, an overshoot.
    const schedule = linearWarmup(1e-3, 10);
    expect(at(schedule, 0)).toBe(0);
    expect(at(schedule, 3)).toBeCloseTo(3e-4, 9);
    for (const step of [10, 11, 100000]) expect(at(schedule, step)).toBe(Math.fround(1e-3));
    expect(at(linearWarmup(0.5, 0), 0)).toBe(0.5);
    expect(at(constant(0.25), 7)).toBe(0.25);
  });

  it('fall along half a cosine', () => {
    // Catches: a period of a whole cosine, a floor that is not reached or not kept.
    const schedule = cosine(1, 110, { warmup: 10, floor: 0.1 });
    const wanted = (step: number): number =>
      step < 10
        ? step / 10
        : 0.1 + 0.45 * (1 + Math.cos((Math.PI * Math.min(100, step - 10)) / 100));
    for (const step of [0, 5, 10, 35, 60, 109, 110, 500])
      expect(at(schedule, step)).toBeCloseTo(wanted(step), 6);
  });

  it('refuse what has no meaning', () => {
    // Catches: a division by zero steps.
    expect(() => linearWarmup(1, -1)).toThrow('whole number of steps from 0 on, got -1');
    expect(() => cosine(1, 10, { warmup: 10 })).toThrow('longer than its warm-up of 10');
  });
});
