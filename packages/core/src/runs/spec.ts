/** The schema of a run's specification; unknown keys are errors with a suggestion. */
import { z } from 'zod';
import { parseOptions } from '../plugins/options.js';
import type { Experiment, OptionSchema, RunSpec } from '../contracts/types.js';

const options = z.record(z.string(), z.unknown()).optional();
const use = z.strictObject({ use: z.string().min(1), options });
const name = z.string().min(1);
const seed = z.int().min(0);
const positive = z.int().min(1);
const hex = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits');

const share = z.number().min(0).max(1);
const weight = z.number().nonnegative();
const weightSchedule = z.strictObject({
  schedule: z.enum(['linear', 'cosine']),
  from: weight,
  to: weight,
  begin: z.int().nonnegative().optional(),
  steps: positive,
});
const bounds = z
  .strictObject({ atLeast: share.optional(), atMost: share.optional() })
  .refine(
    ({ atLeast = 0, atMost = 1 }) => atLeast <= atMost,
    '"atLeast" must not be above "atMost"',
  );

const experiment = z.strictObject({
  task: use,
  split: use.optional(),
  model: use,
  objective: z
    .array(
      use.extend({ as: z.string().min(1).optional(), weight: weight.or(weightSchedule).optional() }),
    )
    .min(1)
    .optional(),
  teachers: z.record(z.string(), z.strictObject({ run: hex, paramsSha256: hex })).optional(),
  optimizer: use.extend({
    groups: z
      .array(z.strictObject({ match: name, options: z.record(z.string(), z.unknown()) }))
      .optional(),
  }),
  freeze: z.array(name).optional(),
  batch: positive,
  epochs: positive,
  evalEvery: positive.optional(),
  seed,
  splitSeed: seed.optional(),
  probes: z.array(use.extend({ as: z.string().min(1).optional() })).optional(),
  allowLeak: z.boolean().optional(),
  shuffleLabels: z.boolean().optional(),
  stop: z.strictObject({ trainAccuracy: share }).optional(),
  require: z
    .strictObject({ trainAccuracy: bounds.optional(), validationAccuracy: bounds.optional() })
    .optional(),
});
const execution = z.strictObject({
  backend: z.string().min(1).optional(),
  backendOptions: options,
  threads: positive.optional(),
  out: z.string().optional(),
  checkpointEvery: positive.optional(),
  teachers: z.record(z.string(), z.string()).optional(),
  plugins: z.array(z.string()).optional(),
  trackers: z.array(use.extend({ as: z.string().min(1).optional() })).optional(),
});
const runSpec = z.strictObject({ experiment, execution: execution.optional() });

/** The schema of a run's specification, for editors and for whoever composes specifications. */
export const runSpecSchema: OptionSchema<RunSpec> = runSpec as unknown as OptionSchema<RunSpec>;

/** Checks a run's specification. @throws InputError that names the key, the rule and what was got. */
export function checkSpec(value: unknown, what = 'spec'): RunSpec {
  return parseOptions<RunSpec>(what, runSpecSchema, value, 'key');
}

/** Checks an experiment alone. @throws InputError as `checkSpec`. */
export function checkExperiment(value: unknown, what = 'experiment'): Experiment {
  const schema = experiment as unknown as OptionSchema<Experiment>;
  return parseOptions<Experiment>(what, schema, value, 'key');
}
