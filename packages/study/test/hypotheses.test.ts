import { describe, expect, it } from 'vitest';
import { tinyPlan } from '../../../tests/tiny-plan.js';
import { checkPlan, type Hypotheses } from '../src/index.js';

const family: Hypotheses['family'] = [
  {
    name: 'logit',
    says: 'Logits make students generalize earlier.',
    arm: 'decay-0/logit',
    against: 'decay-0/none',
    expected: 'earlier',
  },
];
const hypotheses: Hypotheses = {
  outcome: { threshold: 0.5, horizon: 10 },
  test: 'paired-prentice-wilcoxon',
  alpha: 0.05,
  family,
};
const plan = {
  ...tinyPlan,
  arms: { none: {}, logit: {} },
  overrides: { 'decay-0': {} },
};

describe('hypotheses of a plan', () => {
  it('are part of the plan', () => {
    // Catches: a family dropped when the plan is read, and so missing from the folder's plan.json.
    expect(checkPlan({ ...plan, hypotheses }, 'plan').hypotheses).toEqual(hypotheses);
  });
  it.each([
    ['decay-0/feature', /hypotheses\.family\.0\.arm": unknown arm "decay-0\/feature"/],
    // With overrides, an arm's name alone would be ambiguous.
    ['logit', /unknown arm "logit"/],
  ])('refuse an unknown arm: %s', (arm, message) => {
    const wrong = { ...hypotheses, family: [{ ...family[0], arm }] };
    expect(() => checkPlan({ ...plan, hypotheses: wrong }, 'plan')).toThrow(message);
  });
  it('have distinct names', () => {
    const twice = { ...hypotheses, family: [...family, ...family] };
    expect(() => checkPlan({ ...plan, hypotheses: twice }, 'plan')).toThrow(/must differ in name/);
  });
});
