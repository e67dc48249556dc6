/** Single runs as plans, so that everything that works on studies also works on them. */
import { type Experiment, InputError } from '@grok/core';
import { checkSpec, formatSlug } from '@grok/core/internal';
import { checkPlan } from './check-plan.js';
import { isObject } from './merge.js';
import type { Plan } from './plan.js';

/**
 * The plan of a single run, as a teacher without students. The run keeps its id.
 * @throws InputError that names `what` if the run has a teacher itself.
 */
export function planOfRun(experiment: Experiment, summary: string, what: string): Plan {
  const { seed, teachers, ...teacher } = experiment;
  if (teachers !== undefined)
    throw new InputError(
      `${what}: its teacher is missing; give the whole study, or a plan with the teacher in it`,
    );
  return checkPlan(
    { name: formatSlug(experiment), summary, teacher, student: {}, arms: {}, seeds: [seed] },
    what,
  );
}

/**
 * Returns a plan unchanged, and a run's specification as the plan of that run.
 * @throws InputError that names `what`, the key and the rule.
 */
export function checkPlanOrSpec(document: unknown, what: string): Plan {
  if (!isObject(document) || !('experiment' in document)) return checkPlan(document, what);
  const { experiment } = checkSpec(document, what);
  return planOfRun(experiment, 'The run of a specification.', what);
}
