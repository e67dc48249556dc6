import '@tensorflow/tfjs-backend-cpu';
import {
  constant,
  cosine,
  createSchedule,
  linear,
  linearWarmup,
  type Schedule,
  warmupCosine,
} from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

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

  it('decay along half a cosine', () => {
    // Catches: a period of a whole cosine; a floor that is not reached or not kept.
    const schedule = warmupCosine(1, 110, { warmup: 10, floor: 0.1 });
    const wanted = (step: number): number =>
      step < 10
        ? step / 10
        : 0.1 + 0.45 * (1 + Math.cos((Math.PI * Math.min(100, step - 10)) / 100));
    for (const step of [0, 5, 10, 35, 60, 109, 110, 500])
      expect(at(schedule, step)).toBeCloseTo(wanted(step), 6);
  });

  it('ramp from one value to another between two steps, exact at both ends', () => {
    // Catches: a ramp that ignores `begin`, ends that are an ulp off, an overshoot.
    const ramp = { from: 0.7, to: 0.1, begin: 4, steps: 8 };
    for (const schedule of [linear(ramp), cosine(ramp)]) {
      for (const step of [0, 3, 4]) expect(at(schedule, step)).toBe(Math.fround(0.7));
      for (const step of [12, 13, 100000]) expect(at(schedule, step)).toBe(Math.fround(0.1));
    }
    expect(at(linear(ramp), 6)).toBeCloseTo(0.55, 6);
    expect(at(cosine(ramp), 6)).toBeCloseTo(0.1 + 0.3 * (1 + Math.cos(Math.PI / 4)), 6);
    expect(at(createSchedule({ schedule: 'linear', ...ramp }), 6)).toBe(at(linear(ramp), 6));
    expect(at(createSchedule({ schedule: 'cosine', ...ramp }), 6)).toBe(at(cosine(ramp), 6));
  });

  it('refuse invalid lengths', () => {
    // Catches: a division by zero steps.
    expect(() => linearWarmup(1, -1)).toThrow('an integer number of steps ≥ 0, got -1');
    expect(() => linear({ from: 1, to: 0, steps: 0 })).toThrow(
      'integer number of steps ≥ 1, got 0',
    );
    expect(() => warmupCosine(1, 10, { warmup: 10 })).toThrow('longer than its warm-up of 10');
  });
});
