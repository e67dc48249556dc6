/** Single runs as plans. */
import { experimentHash } from '@grok/core';
import { describe, expect, it } from 'vitest';
import { checkPlanOrSpec, expandPlan, planOfRun } from '../src/index.js';

const experiment = {
  task: { use: 'add', options: { p: 7 } },
  model: { use: 'transformer' },
  optimizer: { use: 'adamw' },
  batch: 8,
  epochs: 2,
  seed: 3,
};

describe('a specification', () => {
  it('becomes a plan of one run with the same id (catches: another id than on the command line)', () => {
    const [run, ...others] = expandPlan(checkPlanOrSpec({ experiment }, 'spec.json'));
    expect(others).toEqual([]);
    expect(experimentHash(run!.experiment)).toBe(experimentHash(experiment));
  });
  it('with a teacher is refused (catches: a student trained without its teacher)', () => {
    const teachers = { teacher: { run: 'a'.repeat(64), paramsSha256: 'b'.repeat(64) } };
    expect(() => planOfRun({ ...experiment, teachers }, 'x', 'run/config.json')).toThrow(
      'run/config.json: its teacher is missing',
    );
  });
  it('that is not one is checked as a plan (catches: any JSON accepted as a plan)', () => {
    for (const [document, says] of [
      [{ a: 1 }, /x\.json: .*unknown key "a"/],
      ['text', /x\.json: /],
      [{ experiment: { ...experiment, lr: 1 } }, /x\.json: .*"lr"/],
    ] as const)
      expect(() => checkPlanOrSpec(document, 'x.json')).toThrow(says);
  });
});
