/** Tests the hypotheses of a plan, each with a log-rank test and restricted means up to the plan's horizon. */
import { InputError } from '@grok/core';
import { quote } from '@grok/core/internal';
import { compareTimes, type PairedTimes } from './arm-times.js';
import type { Hypothesis } from './hypotheses.js';
import type { Plan } from './plan.js';
import { holm } from './stats/holm.js';
import type { StudyRun } from './study-run.js';

/** `undecided` while runs of the family are missing; `opposite` if the other arm was earlier. */
export type HypothesisVerdict = 'undecided' | 'supported' | 'opposite' | 'not shown';
/** Result of a hypothesis; times are in epochs. */
export interface TestedHypothesis extends Hypothesis, Omit<PairedTimes, 'test'> {
  readonly threshold: number;
  readonly horizon: number;
  /** p-value of the paired Prentice–Wilcoxon test. */
  readonly z: number | null;
  readonly p: number | null;
  /** p-value with Holm's correction over the whole family; null until the family is complete. */
  readonly adjusted: number | null;
  /** At the plan's alpha. */
  readonly verdict: HypothesisVerdict;
}

/** Tests the hypotheses of a plan on its runs. @throws InputError if the plan has no hypotheses. */
export function testHypotheses(plan: Plan, runs: readonly StudyRun[]): readonly TestedHypothesis[] {
  const { hypotheses } = plan;
  if (hypotheses === undefined)
    throw new InputError(`plan ${quote(plan.name)}: has no hypotheses; add them to the plan`);
  const { family, outcome, alpha } = hypotheses;
  const tested = family.map((hypothesis): TestedHypothesis => {
    const given = { ...outcome, ...hypothesis };
    const { test, ...found } = compareTimes(plan, runs, [given.arm, given.against], given);
    const { z = null, p = null } = test ?? {};
    return { ...given, ...found, z, p, adjusted: null, verdict: 'undecided' };
  });
  if (tested.some(({ missing }) => missing.length > 0)) return tested;
  // A hypothesis without a pair still counts in the family and is not supported.
  const corrected = holm(tested.map(({ p }) => p ?? 1));
  return tested.map((one, i) => {
    const adjusted = corrected[i] ?? 1;
    return { ...one, adjusted, verdict: adjusted > alpha ? 'not shown' : compareDirection(one) };
  });
}

function compareDirection({ z, expected }: TestedHypothesis): HypothesisVerdict {
  return (z ?? 0) < 0 === (expected === 'earlier') ? 'supported' : 'opposite';
}
