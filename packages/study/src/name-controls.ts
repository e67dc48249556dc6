/** Finds arms that need no teacher although their loss has more than hard labels; this takes a registry. */
import { isInputError, type Registry } from '@grok/core';
import { checkExperiment, isControl } from '@grok/core/internal';
import { armPart, type Plan } from './plan.js';

/**
 * Adds `"teachers": {}` to every arm that names no teacher and whose terms need none; returns the same object
 * if there is none. Errors in an arm are left to `preflight`.
 */
export function nameControls(plan: Plan, registry: Registry): Plan {
  const found = Object.keys(plan.arms).filter((name) => isUnsaidControl(plan, name, registry));
  if (found.length === 0) return plan;
  const arms = Object.entries(plan.arms).map(
    ([name, arm]) => [name, found.includes(name) ? { ...arm, teachers: {} } : arm] as const,
  );
  return { ...plan, arms: Object.fromEntries(arms) };
}

function isUnsaidControl(plan: Plan, name: string, registry: Registry): boolean {
  const arm = plan.arms[name];
  if (arm?.teacher !== undefined || arm?.teachers !== undefined) return false;
  try {
    const experiment = checkExperiment(armPart(plan, name, plan.seeds[0] ?? 0));
    const isPlain = (experiment.objective ?? []).every(({ use }) => use === 'hard');
    return !isPlain && isControl(experiment, registry);
  } catch (error) {
    if (isInputError(error)) return false;
    throw error;
  }
}
