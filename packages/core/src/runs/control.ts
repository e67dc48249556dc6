/** Identifies controls: runs that learn from no teacher, whatever else is in their loss. */
import * as tf from '@grok/tfjs';
import { isInputError } from '../contracts/errors.js';
import type { Experiment, ModelInfo, Objective } from '../contracts/types.js';
import type { Registry } from '../plugins/registry.js';
import { describeModel } from '../training/probes.js';
import { data } from './compose.js';

/** Whether a term needs a teacher: without one, it either asks for a teacher's sites or throws. */
export function needsTeacher(objective: Objective, student: ModelInfo): boolean {
  try {
    const { needs } = objective({ student, teachers: {} });
    return Object.keys(needs.teachers ?? {}).length > 0;
  } catch (error) {
    if (isInputError(error)) return true;
    throw error;
  }
}

/**
 * Whether no term of a run needs a teacher: hard labels alone, or with regularizers.
 * @throws InputError on an unknown name or bad options.
 */
export function isControl(experiment: Experiment, registry: Registry): boolean {
  const student = describeModel(data(experiment, registry).model);
  return (experiment.objective ?? []).every(
    ({ use, options }) => !needsTeacher(registry.create('strategy', use, options, { tf }), student),
  );
}
