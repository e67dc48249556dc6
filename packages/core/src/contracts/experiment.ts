/**
 * A run as data: types for people (aliases, so that they are JSON to the compiler too), and beside each its schema. Every key stands in both, and the
 * compiler holds them to each other (`Shape`), since exported types cannot be inferred from values
 * under `isolatedDeclarations`.
 */
import { z } from 'zod';

/** A JSON value: numbers, strings, lists, trees of them. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A schema for every key of `T` and no other; optional keys are marked `exactOptional`. */
export type Shape<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K>
    ? z.ZodExactOptional<z.ZodType<T[K]>>
    : z.ZodType<T[K]>;
};

/** What JSON can hold. Its source is `JSON.parse`, or it is checked by `canonicalJson` before it is hashed. */
export const jsonSchema: z.ZodType<Json> = z.any();
const name: z.ZodString = z.string().min(1);
/** Steps are counted in int32 inside a program. */
const MOST_STEPS = 2 ** 31 - 1;
/** Files in `states/`, and threads of a backend: more is a slip of the hand. */
const [MOST_STATES, MOST_THREADS] = [10_000, 512];
const natural: z.ZodInt = z.int().min(0);
/** How many epochs, steps or rows. */
const positive: z.ZodInt = z.int().min(1).max(MOST_STEPS);
/** Steps taken before some moment. */
const moment: z.ZodInt = natural.max(MOST_STEPS);
const share: z.ZodNumber = z.number().min(0).max(1);
/** A SHA-256 as 64 lowercase hex digits. */
export const sha256Schema: z.ZodType<string> = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits');

/** Names a component and its options. */
export type Use = {
  readonly use: string;
  readonly options?: Readonly<Record<string, Json>>;
};
/** A weight that changes with the steps: `from` up to step `begin` (default 0), `to` after `steps` more. */
export type WeightSchedule = {
  /** A straight line, or half a cosine. */
  readonly schedule: 'linear' | 'cosine';
  readonly from: number;
  readonly to: number;
  readonly begin?: number;
  readonly steps: number;
};
/** One term of the objective: an instance of a strategy with a weight (default 1). */
export type TermUse = Use & {
  /** Name of the instance; needed when a strategy is used twice. */
  readonly as?: string;
  readonly weight?: number | WeightSchedule;
};
/** Options of the parameters that `match` fits. */
export type ParamGroup = {
  /** A parameter's name; `*` is any part between dots, and at the end all parts that are left. */
  readonly match: string;
  readonly options: Readonly<Record<string, Json>>;
};
/** The optimizer; a group's options stand above its own for parameters that `match` fits, the first group that fits. */
export type OptimizerUse = Use & {
  readonly groups?: readonly ParamGroup[];
};
/** A probe; `as` names its results, needed when one is used twice; letters, digits and `. _ - + @`. */
export type ProbeUse = Use & {
  readonly as?: string;
};
/** A tracker; `as` is what notices call it, needed when one is used twice. */
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
 * A point of a run's training: a step, its last, the first evaluated epoch whose validation accuracy
 * is at least so much (0–1), or `"crossing"`, which is that of .99.
 */
export type TrainingPoint = number | 'crossing' | 'last' | { readonly validationAccuracy: number };
/** A frozen teacher: a finished run by its id, and the SHA-256 of its parameters; never a path. */
export type TeacherRef = {
  readonly run: string;
  readonly paramsSha256: string;
  /** The step whose checkpoint teaches; default: the last. */
  readonly step?: number;
};

/** Any JSON object. */
export const jsonObjectSchema: z.ZodType<{ readonly [key: string]: Json }> = z.record(
  z.string(),
  jsonSchema,
);
const options = jsonObjectSchema;
const useShape = { use: name, options: options.exactOptional() } satisfies Shape<Use>;
const use: z.ZodType<Use> = z.strictObject(useShape);
const namedUse: z.ZodType<ProbeUse> = z.strictObject({
  ...useShape,
  as: name.exactOptional(),
} satisfies Shape<ProbeUse>);
const role = z.enum(['teacher', 'student', 'control']);
const studyRef: z.ZodType<StudyRef> = z.strictObject({
  ...{ name, key: name, arm: name, role },
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
  as: name.exactOptional(),
  weight: z.union([weight, weightSchedule]).exactOptional(),
} satisfies Shape<TermUse>);
const optimizerGroups: z.ZodType<readonly ParamGroup[]> = z.array(
  z.strictObject({ match: name, options } satisfies Shape<ParamGroup>),
);
const optimizer: z.ZodType<OptimizerUse> = z.strictObject({
  ...useShape,
  groups: optimizerGroups.exactOptional(),
} satisfies Shape<OptimizerUse>);
/** Shape of a teacher's reference, for documents that say more of it. */
export const teacherRefShape: Shape<TeacherRef> = {
  run: sha256Schema,
  paramsSha256: sha256Schema,
  step: moment.exactOptional(),
};

/** Both ends included. */
export type Bounds = {
  readonly atLeast?: number;
  readonly atMost?: number;
};
const bounds: z.ZodType<Bounds> = z
  .strictObject({
    atLeast: share.exactOptional(),
    atMost: share.exactOptional(),
  } satisfies Shape<Bounds>)
  .refine(
    ({ atLeast = 0, atMost = 1 }) => atLeast <= atMost,
    '"atLeast" must not be above "atMost"',
  );

/** Accuracies (0–1) of an epoch; training's with dropout off (the row's `trainEval`). */
export type Requirement = {
  readonly trainAccuracy?: Bounds;
  readonly validationAccuracy?: Bounds;
};
/** Accuracies (0–1) that end a run when all that are named are reached, dropout off. */
export type StopCondition = {
  readonly trainAccuracy?: number;
  readonly validationAccuracy?: number;
  /** Epochs in a row, every row of which reaches them (default 1). */
  readonly for?: number;
};
const stop: z.ZodType<StopCondition> = z
  .strictObject({
    trainAccuracy: share.exactOptional(),
    validationAccuracy: share.exactOptional(),
    for: positive.exactOptional(),
  } satisfies Shape<StopCondition>)
  .refine(
    ({ trainAccuracy, validationAccuracy }) => (trainAccuracy ?? validationAccuracy) !== undefined,
    'must have "trainAccuracy", "validationAccuracy" or both',
  );
/** A state of another run, by the run's id, the step and the SHA-256 of the model's parameters there. */
export type ParentRef = TeacherRef & { readonly step: number };
/** Schema of a parent's reference. */
export const parentRefSchema: z.ZodType<ParentRef> = z.strictObject({
  ...teacherRefShape,
  step: moment,
} satisfies Shape<ParentRef>);

/** What decides a run's numbers; hashed in canonical JSON without its length, its defaults not expanded. */
export type Experiment = {
  /** The rows and their labels. */
  readonly task: Use;
  /** Which rows are for training; default: `{ "use": "numpy" }`. */
  readonly split?: Use;
  /** What is trained. */
  readonly model: Use;
  /** What the model is seen through, such as a mask; parameters pass through them in order. */
  readonly transforms?: readonly Use[];
  /** The terms of the loss; default: `[{ "use": "hard" }]`, the control. */
  readonly objective?: readonly TermUse[];
  /** Frozen teachers, by the names that terms read; `grok distill` and studies fill this in. */
  readonly teachers?: Readonly<Record<string, TeacherRef>>;
  /** What turns gradients into updates. */
  readonly optimizer: OptimizerUse;
  /** Patterns of parameters, as `match` of a group, that keep their initial values. */
  readonly freeze?: readonly string[];
  /** Rows a step; `"full"`: all training rows. */
  readonly batch: number | 'full';
  /** How long to train, in epochs or in `steps`; no part of the run's id. */
  readonly epochs?: number;
  /** How long to train, in optimizer steps: the last epoch may be a part of one. */
  readonly steps?: number;
  /** Epochs between evaluations, default 1; only epochs that are evaluated have a row, so crossings are of these. */
  readonly evalEvery?: number;
  readonly seed: number;
  /** Seed of the split; default: the seed. */
  readonly splitSeed?: number;
  /** What is measured while it trains. */
  readonly probes?: readonly ProbeUse[];
  /** A teacher may have been trained on what validation rows ask; every table says so. */
  readonly allowLeak?: boolean;
  /** A teacher may be of another task: it reads its own rows that ask the same, or the run's as they are. */
  readonly allowOtherTask?: boolean;
  /** Training labels change places among themselves, by the seed's stream `labels`: nothing is left to understand. */
  readonly shuffleLabels?: boolean;
  /** What teachers make of the training rows changes places among these: the same statistics, nothing of the row itself. */
  readonly shuffleTeachers?: boolean;
  /** Evaluates the training rows too, dropout off: the row's `trainEval`. */
  readonly evaluate?: { readonly train: boolean };
  /** Ends the run at the first row that comes to it; its length is then the most. */
  readonly stop?: StopCondition;
  /** What the last epoch must show, else the run fails. */
  readonly require?: Requirement;
  /** The run whose state after some step this one goes on from. */
  readonly parent?: ParentRef;
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
  batch: z.union([positive, z.literal('full')]).describe('rows a step, or "full"'),
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
  shuffleTeachers: z
    .boolean()
    .exactOptional()
    .describe('shuffle the outputs of teachers over the training rows'),
  evaluate: z.strictObject({ train: z.boolean() }).exactOptional(),
  stop: stop.exactOptional(),
  require: z
    .strictObject({
      trainAccuracy: bounds.exactOptional(),
      validationAccuracy: bounds.exactOptional(),
    } satisfies Shape<Requirement>)
    .exactOptional(),
  parent: parentRefSchema.exactOptional(),
} satisfies Shape<Experiment>;
/** The schema of an experiment. */
export const experimentSchema: z.ZodType<Experiment> = z
  .strictObject(experimentShape)
  .refine(({ epochs, steps }) => epochs !== undefined || steps !== undefined, {
    message: 'required unless "steps" is given',
    path: ['epochs'],
  })
  .refine(({ epochs, steps }) => epochs === undefined || steps === undefined, {
    message: 'cannot be combined with "epochs"; give one of them',
    path: ['steps'],
  });

const { seed: _seed, teachers: _teachers, parent: _parent, ...shared } = experimentShape;
const usePart = z.strictObject({ use: name.exactOptional(), options: options.exactOptional() });
/**
 * Shape of a part of an experiment, as plans lay them over one another: any of its keys but the seed,
 * the teachers and a parent, which are the plan's own; what names a component may leave its name to another part.
 */
export const experimentPartShape: Readonly<Record<string, z.ZodExactOptional<z.ZodType<Json>>>> = {
  ...shared,
  task: usePart.exactOptional(),
  split: usePart.exactOptional(),
  model: usePart.exactOptional(),
  optimizer: usePart.extend({ groups: optimizerGroups.exactOptional() }).exactOptional(),
  batch: shared.batch.exactOptional(),
};

/** Points of a run's training. */
export type PinnedPoints = {
  /** Optimizer steps taken; 0 is the state before the first. */
  readonly steps?: readonly number[];
  /** The first evaluated epoch at each (0–1). */
  readonly validationAccuracies?: readonly number[];
};
/** A key of an experiment that holds an integer, or true or false: applications make a flag of each. */
export interface ScalarKey {
  readonly key: string;
  readonly type: 'integer' | 'boolean';
  /** The least number allowed. */
  readonly least: number;
  /** Words that may stand in place of a number. */
  readonly words: readonly string[];
  readonly description: string;
}
/** All such keys, in the order of the schema. */
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

/** How and where a run is carried out; in the manifest only. */
export type Execution = {
  readonly backend?: string;
  /** The backend's own options; what it does not know is an error. */
  readonly backendOptions?: Readonly<Record<string, Json>>;
  /** Threads of the backend; default: all cores. */
  readonly threads?: number;
  /** The run's folder. */
  readonly out?: string;
  /** Epochs between checkpoints (default 10). */
  readonly checkpointEvery?: number;
  /** Points of training whose checkpoints are kept, beside those of crossings: what is to teach later. */
  readonly pin?: PinnedPoints;
  /** Steps after which the parameters are kept in `states/`: some, or so many from the first to the last in equal ratios. */
  readonly record?: { readonly steps: readonly number[] } | { readonly logSpaced: number };
  /** Where teachers' run folders are, by name. */
  readonly teachers?: Readonly<Record<string, string>>;
  /** Plugin entries to load: package names or paths. */
  readonly plugins?: readonly string[];
  /** Who follows the run; keys and passwords belong in the environment, for this is written down. */
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
      steps: z.array(natural).exactOptional(),
      validationAccuracies: z.array(share).exactOptional(),
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

/** A run as a person writes it. */
export type RunSpec = {
  /** May be left out; a later format would have another number. */
  readonly format?: 'grok spec 1';
  readonly experiment: Experiment;
  readonly execution?: Execution;
};
/** The schema of a run's specification, for editors and for whoever composes specifications. */
export const runSpecSchema: z.ZodType<RunSpec> = z.strictObject({
  format: z.literal('grok spec 1').exactOptional(),
  experiment: experimentSchema,
  execution: executionSchema.exactOptional(),
} satisfies Shape<RunSpec>);
