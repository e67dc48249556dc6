/**
 * Everything that can be known wrong of a plan before its first run begins: a student's bad option
 * should not wait for its teacher's hours.
 */
import { InputError, type Model, type ModelInfo, type Registry } from '@grok/core';
import {
  checkExperiment,
  compose,
  data,
  infoOf,
  splitHash,
  taskHash,
  type Use,
} from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { orderByTeachers, type PlannedRun } from './planned-runs.js';
import { findSameRuns } from './same-runs.js';

/** Creates the parts of every run of a study. @throws InputError that names the run and what is wrong with it. */
export function preflight(runs: readonly PlannedRun[], registry: Registry, title: string): void {
  const host = { tf };
  inside(title, () => findSameRuns(runs));
  const seen = new Map<string, Ready>();
  for (const { key, name, override, experiment, needs } of orderByTeachers(runs)) {
    const what = `${title}, ${override === undefined ? '' : `${override}/`}${name}`;
    checkExperiment(experiment, what);
    inside(what, () => {
      const { written, split, model } = data(experiment, registry);
      const own: Ready = {
        model,
        use: experiment.task,
        task: taskHash(written),
        split: splitHash(split),
      };
      const teachers: Record<string, ModelInfo> = {};
      for (const [as, need] of Object.entries(needs)) {
        const teacher = seen.get(need.key);
        if (teacher === undefined) continue; // teachers come first: there is one
        if (teacher.task !== own.task)
          throw new InputError(
            `its task is ${JSON.stringify(own.use)}, its teacher's ${JSON.stringify(teacher.use)}; both must have the same rows and labels`,
          );
        if (teacher.split !== own.split && experiment.allowLeak !== true)
          throw new InputError(
            'its split is not its teacher\'s, which has then seen validation rows; share one split, or set "allowLeak": true',
          );
        teachers[as] = infoOf(teacher.model);
      }
      registry.create('optimizer', experiment.optimizer.use, experiment.optimizer.options, host);
      for (const probe of experiment.probes ?? [])
        registry.create('probe', probe.use, probe.options, host);
      const terms = (experiment.objective ?? [{ use: 'hard' }]).map((term) => ({
        name: term.as ?? term.use,
        weight: term.weight ?? 1,
        objective: registry.create('strategy', term.use, term.options, host),
      }));
      compose(terms, { student: infoOf(model), teachers });
      seen.set(key, own);
    });
  }
}

interface Ready {
  readonly model: Model;
  readonly use: Use;
  /** Hashes of the task and of the split. */
  readonly task: string;
  readonly split: string;
}

function inside(what: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'GrokInputError') throw error;
    throw new InputError(`${what}: ${error.message}`, { cause: error });
  }
}
