import { expandPlan, findSameRuns } from '@grok/study';
import { describe, expect, it } from 'vitest';
import { presetNames, presetPlan } from '../src/documents.js';

describe('presets', () => {
  it.each(presetNames().filter((name) => name !== 'nanda'))('%s is a plan', (name) => {
    // Catches: a preset that its own schema refuses.
    expect(() => expandPlan(presetPlan(name))).not.toThrow();
  });
  it('decay tests hypotheses on seeds that they were not made from', () => {
    const { hypotheses, seeds } = presetPlan('decay');
    const { seeds: exploratory } = presetPlan('study');
    expect(seeds.filter((seed) => exploratory.includes(seed))).toEqual([]);
    expect(hypotheses?.family).toHaveLength(8);
  });
  it('decay differs from the study in decay, length and evaluation alone', () => {
    // Catches: an arm that is not the one which the hypotheses were made from.
    const decay = expandPlan(presetPlan('decay')).find(({ key }) => key === 'decay-1/logit@10');
    const study = expandPlan({ ...presetPlan('study'), seeds: [10] }).find(
      ({ name }) => name === 'logit',
    );
    const { stop, evalEvery, epochs, ...own } = decay?.experiment ?? expect.fail('no such run');
    const { epochs: _, ...theirs } = study?.experiment ?? expect.fail('no such run');
    expect(own).toEqual(theirs);
    expect({ stop, evalEvery, epochs }).toEqual({
      stop: { validationAccuracy: 0.999, for: 20 },
      evalEvery: 1,
      epochs: 1000,
    });
  });
  it('decay has one teacher a seed, shared by all decays', () => {
    // Catches: a teacher trained three times, once for each decay of the students.
    const runs = expandPlan(presetPlan('decay'));
    const first = new Set(findSameRuns(runs).values());
    expect([runs.length, first.size]).toEqual([150, 130]);
  });
});
