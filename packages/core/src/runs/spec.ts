/** Checks a specification against its schema; unknown keys are errors with a suggestion. */
import {
  type Experiment,
  experimentSchema,
  type RunSpec,
  runSpecSchema,
} from '../contracts/experiment.js';
import { parseOptions } from '../plugins/options.js';

/** Checks a run specification. @throws InputError that names the key, the rule and what was got. */
export function checkSpec(value: unknown, what = 'spec'): RunSpec {
  return parseOptions(what, runSpecSchema, value, 'key');
}

/** Checks an experiment on its own. @throws InputError as `checkSpec`. */
export function checkExperiment(value: unknown, what = 'experiment'): Experiment {
  return parseOptions(what, experimentSchema, value, 'key');
}
