import { experimentHash } from '@grok/core';
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
  it('controls has two arms of decay, as the same runs', () => {
    // Catches: the control and the strategy trained once more, or compared with others than theirs.
    const runs = new Map(expandPlan(presetPlan('controls')).map((run) => [run.key, run]));
    const theirs = expandPlan(presetPlan('decay'));
    for (const name of ['teacher', 'none', 'feature']) {
      const found = theirs.find(({ key }) => key === `decay-0/${name}@10`);
      const mine = runs.get(`${name}@10`) ?? expect.fail(`no ${name}`);
      expect(experimentHash(mine.experiment)).toBe(
        experimentHash(found?.experiment ?? expect.fail(`no ${name}`)),
      );
      expect(mine.needs).toEqual(
        Object.fromEntries(
          Object.entries(found?.needs ?? {}).map(([as, need]) => [
            as,
            { ...need, key: need.key.replace('decay-0/', '') },
          ]),
        ),
      );
    }
  });
  it('decay has one teacher a seed, shared by all decays', () => {
    // Catches: a teacher trained three times, once for each decay of the students.
    const runs = expandPlan(presetPlan('decay'));
    const first = new Set(findSameRuns(runs).values());
    expect([runs.length, first.size]).toEqual([150, 130]);
  });
});
