/**
 * A run as data: types (aliases, so that they are assignable to JSON) and a schema for each. Every key is in both, and
 * the compiler checks that they agree (`Shape`), since `isolatedDeclarations` does not allow exported types that are
 * inferred from values.
 */
import { z } from 'zod';
import { type Json, jsonObjectSchema, type Shape } from './json.js';

export { type Json, jsonObjectSchema, jsonSchema, type Shape } from './json.js';

const name: z.ZodString = z.string().min(1);
/** Compiled programs count steps in int32. */
const MOST_STEPS = 2 ** 31 - 1;
/** Files in `states/`, and threads of a backend: more is a typing mistake. */
const [MOST_STATES, MOST_THREADS] = [10_000, 512];
const natural: z.ZodInt = z.int().min(0);
/** A number of epochs, steps or rows. */
const positive: z.ZodInt = z.int().min(1).max(MOST_STEPS);
/** A number of steps taken. */
const moment: z.ZodInt = natural.max(MOST_STEPS);
const share: z.ZodNumber = z.number().min(0).max(1);
/** A SHA-256 hash as 64 lowercase hex digits. */
export const sha256Schema: z.ZodType<string> = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits');

/** A component by name, with options. */
export type Use = {
  readonly use: string;
  readonly options?: Readonly<Record<string, Json>>;
};
/** A weight schedule over optimizer steps: `from` until step `begin` (default 0), then to `to` within `steps` steps. */
export type WeightSchedule = {
  /** A line, or half a cosine. */
  readonly schedule: 'linear' | 'cosine';
  readonly from: number;
  readonly to: number;
  readonly begin?: number;
  readonly steps: number;
};
/** One term of the objective: an instance of a strategy with a weight (default 1). */
export type TermUse = Use & {
  /** Name of the term; required if a strategy is used twice. */
  readonly as?: string;
  readonly weight?: number | WeightSchedule;
};
/** Optimizer options of the parameters that `match` matches. */
export type ParamGroup = {
  /** A parameter's name; `*` matches any part between dots, and at the end all remaining parts. */
  readonly match: string;
  readonly options: Readonly<Record<string, Json>>;
};
/** The optimizer. For each parameter, the options of the first matching group override the optimizer's own. */
export type OptimizerUse = Use & {
  readonly groups?: readonly ParamGroup[];
};
/** A probe. `as` names its results (letters, digits and `. _ - + @`); required if a probe is used twice. */
export type ProbeUse = Use & {
  readonly as?: string;
};
/** A tracker. `as` is its name in notices; required if a tracker is used twice. */
export type TrackerUse = Use & {
  readonly as?: string;
};
/** The study that a run is part of: its name, the run's key in it, and the teacher or arm that it is one seed of. */
export type StudyRef = {
  readonly name: string;
  readonly key: string;
  readonly arm: string;
  readonly role: 'teacher' | 'student' | 'control';
};
/**
 * A point of a run's training: a step, the last step, the first evaluated epoch with at least this validation accuracy
 * (0–1), or `"crossing"`, which means an accuracy of .99.
 */
export type TrainingPoint = number | 'crossing' | 'last' | { readonly validationAccuracy: number };
/** A frozen teacher: the id of a finished run and the SHA-256 of its parameters; never a path. */
export type TeacherRef = {
  readonly run: string;
  readonly paramsSha256: string;
  /** The step of the checkpoint; default: the last. */
  readonly step?: number;
};

const options = jsonObjectSchema;
const useShape = {
  use: name.describe('name of the component'),
  options: options.exactOptional().describe('its options'),
} satisfies Shape<Use>;
const use: z.ZodType<Use> = z.strictObject(useShape);
const namedUse: z.ZodType<ProbeUse> = z.strictObject({
  ...useShape,
  as: name.exactOptional().describe('name of its results or notices; required if it is used twice'),
} satisfies Shape<ProbeUse>);
const role = z.enum(['teacher', 'student', 'control']);
const studyRef: z.ZodType<StudyRef> = z.strictObject({
  name: name.describe('name of the study'),
  key: name.describe('key of the run'),
  arm: name.describe('name of the arm'),
  role: role.describe('role of the run'),
} satisfies Shape<StudyRef>);
/** The schema of a point of a run's training. */
export const trainingPointSchema: z.ZodType<TrainingPoint> = z.union([
  moment,
  z.enum(['crossing', 'last']),
  z.strictObject({ validationAccuracy: share }),
]);
const weight: z.ZodNumber = z.number().nonnegative();
const weightSchedule: z.ZodType<WeightSchedule> = z.strictObject({
  schedule: z.enum(['linear', 'cosine']),
  from: weight,
  to: weight,
  begin: moment.exactOptional(),
  steps: positive,
} satisfies Shape<WeightSchedule>);
const term: z.ZodType<TermUse> = z.strictObject({
  ...useShape,
  as: name.exactOptional().describe('name of the term; required if a strategy is used twice'),
  weight: z.union([weight, weightSchedule]).exactOptional().describe('a number or a schedule'),
} satisfies Shape<TermUse>);
const optimizerGroups: z.ZodType<readonly ParamGroup[]> = z.array(
  z.strictObject({ match: name, options } satisfies Shape<ParamGroup>),
);
const optimizer: z.ZodType<OptimizerUse> = z.strictObject({
  ...useShape,
  groups: optimizerGroups.exactOptional().describe('options of the parameters that `match` names'),
} satisfies Shape<OptimizerUse>);
/** Shape of a reference to a teacher, for documents that extend it. */
export const teacherRefShape: Shape<TeacherRef> = {
  run: sha256Schema.describe('id of the run'),
  paramsSha256: sha256Schema.describe('SHA-256 of the parameters'),
  step: moment.exactOptional().describe('step of the checkpoint (default: the last)'),
};

/** Bounds, both inclusive. */
export type Bounds = { readonly atLeast?: number; readonly atMost?: number };
const bounds: z.ZodType<Bounds> = z
  .strictObject({
    atLeast: share.exactOptional(),
    atMost: share.exactOptional(),
  } satisfies Shape<Bounds>)
  .refine(
    ({ atLeast = 0, atMost = 1 }) => atLeast <= atMost,
    '"atLeast" must not be above "atMost"',
  );

/** Bounds on the accuracies (0–1) of an epoch; training accuracy is without dropout (the row's `trainEval`). */
export type Requirement = { readonly trainAccuracy?: Bounds; readonly validationAccuracy?: Bounds };
/** Accuracies (0–1), without dropout, that end a run once all of them are reached. */
export type StopCondition = {
  readonly trainAccuracy?: number;
  readonly validationAccuracy?: number;
  /** Number of consecutive evaluations that must reach them (default 1). */
  readonly for?: number;
};
const stop: z.ZodType<StopCondition> = z
  .strictObject({
    trainAccuracy: share.exactOptional().describe('training accuracy to reach, without dropout'),
    validationAccuracy: share.exactOptional().describe('validation accuracy to reach'),
    for: positive.exactOptional().describe('consecutive evaluations that reach them (default 1)'),
  } satisfies Shape<StopCondition>)
  .refine(
    ({ trainAccuracy, validationAccuracy }) => (trainAccuracy ?? validationAccuracy) !== undefined,
    'must have "trainAccuracy", "validationAccuracy" or both',
  );
/** A state of another run: the run's id, the step, and the SHA-256 of the model's parameters at that step. */
export type ParentRef = TeacherRef & { readonly step: number };
/** Schema of a parent reference. */
export const parentRefSchema: z.ZodType<ParentRef> = z.strictObject({
  ...teacherRefShape,
  step: moment.describe('step of the state'),
} satisfies Shape<ParentRef>);

/** Parameters from a file, by their SHA-256. */
export type ImportedParams = { readonly paramsSha256: string };

/** Everything that determines a run's results; hashed as canonical JSON without its length and without defaults. */
export type Experiment = {
  /** The data set: rows with labels. */
  readonly task: Use;
  /** How rows are divided into training and validation rows; default: `{ "use": "numpy" }`. */
  readonly split?: Use;
  /** The model to train. */
  readonly model: Use;
  /** Changes of the model's parameters or activations, such as a pruning mask, applied in order. */
  readonly transforms?: readonly Use[];
  /** The terms of the loss; default: `[{ "use": "hard" }]`, the control. */
  readonly objective?: readonly TermUse[];
  /** Frozen teachers, by the names that terms use; `grok distill` and studies fill this in. */
  readonly teachers?: Readonly<Record<string, TeacherRef>>;
  /** The optimizer. */
  readonly optimizer: OptimizerUse;
  /** Patterns of parameters that are not trained, with the same syntax as `match` of a group. */
  readonly freeze?: readonly string[];
  /** Rows per step; `"full"`: all training rows. */
  readonly batch: number | 'full';
  /** Length of training in epochs (or give `steps`); not part of the run's id. */
  readonly epochs?: number;
  /** Length of training in optimizer steps; the last epoch may be partial. */
  readonly steps?: number;
  /** Epochs between evaluations (default 1); crossings are found among evaluated epochs. */
  readonly evalEvery?: number;
  /** Random seed of initialization, row order, dropout and random inputs. */
  readonly seed: number;
  /** Random seed of the split; default: the seed. */
  readonly splitSeed?: number;
  /** Measurements during training. */
  readonly probes?: readonly ProbeUse[];
  /** Allow teachers that were trained on the questions of validation rows; every table marks such runs. */
  readonly allowLeak?: boolean;
  /** Allow teachers of another task; they run on their own rows with the same questions, or on the run's rows. */
  readonly allowOtherTask?: boolean;
  /** Permute the labels of the training rows (random stream `labels`), so that the model can only memorize. */
  readonly shuffleLabels?: boolean;
  /** Permute the teachers' activations over the training rows: the same statistics, no information about the row. */
  readonly shuffleTeachers?: boolean;
  /** Also evaluate the training rows, without dropout, as `trainEval`. */
  readonly evaluate?: { readonly train: boolean };
  /** Stop early once these accuracies are reached. */
  readonly stop?: StopCondition;
  /** Accuracies that the last epoch must have; otherwise the run fails. */
  readonly require?: Requirement;
  /** The state of another run that this run continues from. */
  readonly parent?: ParentRef;
  /** Initial parameters that come from a file; `grok import` fills this in. */
  readonly imported?: ImportedParams;
};
const experimentShape = {
  task: use,
  split: use.exactOptional(),
  model: use,
  transforms: z.array(use).exactOptional(),
  objective: z.array(term).min(1).exactOptional(),
  teachers: z.record(name, z.strictObject(teacherRefShape)).exactOptional(),
  optimizer,
  freeze: z.array(name).exactOptional(),
  batch: z.union([positive, z.literal('full')]).describe('rows per step, or "full"'),
  epochs: positive.exactOptional().describe('epochs to train'),
  steps: positive.exactOptional().describe('optimizer steps to train (instead of epochs)'),
  evalEvery: positive.exactOptional().describe('epochs between evaluations (default 1)'),
  seed: natural.describe('random seed'),
  splitSeed: natural.exactOptional().describe('random seed of the split (default: the seed)'),
  probes: z.array(namedUse).exactOptional(),
  allowLeak: z
    .boolean()
    .exactOptional()
    .describe('allow teachers trained on validation rows; every table marks such runs'),
  allowOtherTask: z.boolean().exactOptional().describe('allow teachers trained on another task'),
  shuffleLabels: z.boolean().exactOptional().describe('shuffle the labels of the training rows'),
  shuffleTeachers: z.boolean().exactOptional().describe('shuffle teachers’ outputs over rows'),
  evaluate: z.strictObject({ train: z.boolean().describe('training rows too') }).exactOptional(),
  stop: stop.exactOptional(),
  require: z
    .strictObject({
      trainAccuracy: bounds.exactOptional().describe('of training accuracy, without dropout'),
      validationAccuracy: bounds.exactOptional().describe('of validation accuracy'),
    } satisfies Shape<Requirement>)
    .exactOptional(),
  parent: parentRefSchema.exactOptional(),
  imported: z
    .strictObject({
      paramsSha256: sha256Schema.describe('SHA-256 of the parameters'),
    } satisfies Shape<ImportedParams>)
    .exactOptional(),
} satisfies Shape<Experiment>;
/** The schema of an experiment. */
export const experimentSchema: z.ZodType<Experiment> = z
  .strictObject(experimentShape)
  .refine((it) => (it.epochs ?? it.steps ?? it.imported) !== undefined, {
    message: 'required unless "steps" is given',
    path: ['epochs'],
  })
  .refine(({ epochs, steps }) => epochs === undefined || steps === undefined, {
    message: 'cannot be combined with "epochs"; give one of them',
    path: ['steps'],
  });

const {
  seed: _seed,
  teachers: _teachers,
  parent: _parent,
  imported: _imported,
  ...shared
} = experimentShape;
const usePart = z.strictObject({ use: name.exactOptional(), options: options.exactOptional() });
/**
 * Shape of a part of an experiment in a plan: any keys except seed, teachers, parent and imported, which
 * the plan sets. A
 * component may leave out `use` if another part gives it.
 */
export const experimentPartShape: Readonly<Record<string, z.ZodExactOptional<z.ZodType<Json>>>> = {
  ...shared,
  task: usePart.exactOptional(),
  split: usePart.exactOptional(),
  model: usePart.exactOptional(),
  optimizer: usePart.extend({ groups: optimizerGroups.exactOptional() }).exactOptional(),
  batch: shared.batch.exactOptional(),
};

/** Points of a run's training to pin. */
export type PinnedPoints = {
  /** Numbers of optimizer steps; 0 is the state before the first step. */
  readonly steps?: readonly number[];
  /** The first evaluated epoch with at least each accuracy (0–1). */
  readonly validationAccuracies?: readonly number[];
};
/** A key of an experiment whose value is an integer or a boolean, for which applications offer a flag. */
export interface ScalarKey {
  readonly key: string;
  readonly type: 'integer' | 'boolean';
  /** The smallest allowed number. */
  readonly least: number;
  /** Words that are allowed instead of a number. */
  readonly words: readonly string[];
  readonly description: string;
}
/** All scalar keys, in schema order. */
export const SCALAR_KEYS: readonly ScalarKey[] = Object.entries<z.ZodType>(experimentShape).flatMap(
  ([key, schema]): readonly ScalarKey[] => {
    const inner = schema instanceof z.ZodExactOptional ? schema.unwrap() : schema;
    const forms = inner instanceof z.ZodUnion ? inner.options : [inner];
    const words = forms.flatMap((form) =>
      form instanceof z.ZodLiteral ? [...form.values].map(String) : [],
    );
    const number = forms.find((form) => form instanceof z.ZodNumber);
    const common = { key, words, description: schema.description ?? '' };
    if (inner instanceof z.ZodBoolean) return [{ ...common, type: 'boolean', least: 0 }];
    return number === undefined
      ? []
      : [{ ...common, type: 'integer', least: number.minValue ?? 0 }];
  },
);

/** Where and how a run is executed; saved in the manifest, not hashed. */
export type Execution = {
  /** Name of the backend. */
  readonly backend?: string;
  /** Options of the backend; unknown ones are errors. */
  readonly backendOptions?: Readonly<Record<string, Json>>;
  /** Threads for the backend; default: all cores. */
  readonly threads?: number;
  /** The run folder. */
  readonly out?: string;
  /** Epochs between checkpoints (default 10). */
  readonly checkpointEvery?: number;
  /** Points of training whose checkpoints are kept, in addition to crossings, such as those of later teachers. */
  readonly pin?: PinnedPoints;
  /** Steps whose parameters are saved in `states/`: a list, or a number of log-spaced steps. */
  readonly record?: { readonly steps: readonly number[] } | { readonly logSpaced: number };
  /** Run folders of teachers, by name. */
  readonly teachers?: Readonly<Record<string, string>>;
  /** Plugins to load: package names or paths. */
  readonly plugins?: readonly string[];
  /** Trackers of the run. They are saved with the run, so pass keys and passwords in the environment. */
  readonly trackers?: readonly TrackerUse[];
  /** Set by the study that carries the run out. */
  readonly study?: StudyRef;
};
/** The schema of an execution. */
export const executionSchema: z.ZodType<Execution> = z.strictObject({
  backend: name.exactOptional(),
  backendOptions: options.exactOptional(),
  threads: positive.max(MOST_THREADS).exactOptional(),
  out: z.string().exactOptional(),
  checkpointEvery: positive.exactOptional(),
  pin: z
    .strictObject({
      steps: z.array(natural).exactOptional().describe('steps; 0 is the state before the first'),
      validationAccuracies: z.array(share).exactOptional().describe('accuracies first reached'),
    } satisfies Shape<PinnedPoints>)
    .exactOptional(),
  record: z
    .union([
      z.strictObject({ steps: z.array(positive).max(MOST_STATES) }),
      z.strictObject({ logSpaced: positive.max(MOST_STATES) }),
    ])
    .exactOptional(),
  teachers: z.record(name, z.string()).exactOptional(),
  plugins: z.array(z.string()).exactOptional(),
  trackers: z.array(namedUse).exactOptional(),
  study: studyRef.exactOptional(),
} satisfies Shape<Execution>);

/** The specification of a run. */
export type RunSpec = {
  /** Version of the format; optional. */
  readonly format?: 'grok spec 1';
  readonly experiment: Experiment;
  readonly execution?: Execution;
};
/** The schema of a specification. */
export const runSpecSchema: z.ZodType<RunSpec> = z.strictObject({
  format: z.literal('grok spec 1').exactOptional(),
  experiment: experimentSchema,
  execution: executionSchema.exactOptional(),
} satisfies Shape<RunSpec>);
