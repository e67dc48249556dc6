/** What a person may hand to the page: a plan, or the specification of one run. */
import { type Experiment, InputError } from '@grok/core';
import { checkSpec, slugOf } from '@grok/core/internal';
import { checkPlan, isObject, type Plan } from '@grok/study';

/** A plan as it is; a specification as a plan of that one run. @throws InputError that says what is wrong. */
export function readStoredPlan(document: unknown): Plan {
  if (!isObject(document) || !('experiment' in document)) return checkPlan(document, 'plan');
  const { experiment } = checkSpec(document, 'spec');
  const { seed, teachers, ...teacher } = experiment as Experiment;
  if (teachers !== undefined)
    throw new InputError(
      'spec: names a teacher, which is not in this browser; drop a plan with teacher and students instead',
    );
  const summary = 'The run of a specification.';
  return checkPlan(
    { name: slugOf(experiment), summary, teacher, student: {}, arms: {}, seeds: [seed] },
    'spec',
  );
}
