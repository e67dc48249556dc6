/**
 * Checks everything in a plan that can be checked before its first run: a bad option of a student
 * should not wait until its teacher has trained for hours.
 */
import { InputError, isInputError, type Model, type ModelInfo, type Registry } from '@grok/core';
import {
  checkExperiment,
  compareTaughtData,
  compose,
  data,
  describeModel,
  needsTeacher,
  type TaughtData,
  withSubject,
} from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { orderByTeachers, type PlannedRun } from './planned-runs.js';
import { findSameRuns } from './same-runs.js';

/**
 * Creates the components of every run of a study to find errors in advance.
 * @throws InputError that names the run and the problem.
 */
export function preflight(runs: readonly PlannedRun[], registry: Registry, title: string): void {
  inside(title, () => findSameRuns(runs));
  const seen = new Map<string, Ready>();
  for (const run of orderByTeachers(runs)) {
    const { key, name, override, experiment } = run;
    const what = `${title}, ${override === undefined ? '' : `${override}/`}${name}`;
    checkExperiment(experiment, what);
    inside(what, () => seen.set(key, createParts(run, registry, seen)));
  }
}

interface Ready extends TaughtData {
  readonly model: Model;
}

/** Creates the parts of one run, given those of its teachers. */
function createParts(
  { experiment, needs }: PlannedRun,
  registry: Registry,
  seen: ReadonlyMap<string, Ready>,
): Ready {
  const host = { tf };
  const { written, split, model } = data(experiment, registry);
  const own: Ready = { model, use: experiment.task, written, split };
  const teachers: Record<string, ModelInfo> = {};
  for (const [as, need] of Object.entries(needs)) {
    const teacher = seen.get(need.key);
    if (teacher === undefined) continue; // teachers come first, so this is defined
    compareTaughtData(`teacher "${as}"`, teacher, own, experiment);
    teachers[as] = describeModel(teacher.model);
  }
  registry.create('optimizer', experiment.optimizer.use, experiment.optimizer.options, host);
  for (const probe of experiment.probes ?? [])
    registry.create('probe', probe.use, probe.options, host);
  const terms = (experiment.objective ?? [{ use: 'hard' }]).map((term) => ({
    name: term.as ?? term.use,
    weight: term.weight ?? 1,
    objective: registry.create('strategy', term.use, term.options, host),
  }));
  const student = describeModel(model);
  compose(terms, { student, teachers });
  const learns = terms.some(({ objective }) => needsTeacher(objective, student));
  if (Object.keys(needs).length > 0 && !learns)
    throw new InputError(
      `none of its terms needs a teacher, so it is a control, and would wait for ${Object.values(needs).map((need) => need.key)}; name no teacher in its arm`,
    );
  return own;
}

function inside(what: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw isInputError(error) ? withSubject(what, error) : error;
  }
}
