/**
 * The files of a run folder except checkpoints: types, and a schema for each. `config.json` and `manifest.json` have
 * the format version of the whole folder; the lines of `metrics.jsonl` and `events.jsonl` have none.
 */
import { z } from 'zod';
import {
  type Execution,
  type Experiment,
  executionSchema,
  experimentSchema,
  type Json,
  jsonSchema,
  type ParentRef,
  parentRefSchema,
  type Shape,
  sha256Schema,
  type TeacherRef,
  teacherRefShape,
} from './experiment.js';

const natural: z.ZodInt = z.int().min(0);
/** JSON has no NaN and no infinities: both are written as null and read as NaN. */
const measured: z.ZodType<number> = z.union([z.number(), z.null().transform(() => Number.NaN)]);
const share: z.ZodType<number> = z.number().min(0).max(1);

/** Loss and accuracy (0–1) over a set of rows. */
export interface Score {
  readonly loss: number;
  readonly accuracy: number;
}
const score: z.ZodType<Score> = z.strictObject({
  loss: measured,
  accuracy: share,
} satisfies Shape<Score>);

/** Means over the batches of an epoch, with dropout; `loss` is the total loss. */
export interface TrainScore extends Score {
  /** Cross-entropy with the labels, whatever the objective; absent in files of older versions. */
  readonly hardLoss?: number;
}
/** One line of `metrics.jsonl`, for one epoch. Only `time` differs between equal runs. */
export interface MetricsRow {
  readonly epoch: number;
  /** Optimizer steps taken so far. */
  readonly step: number;
  readonly train: TrainScore;
  /** Unweighted loss terms by name, as means over the batches of the epoch. */
  readonly terms: Readonly<Record<string, number>>;
  readonly validation: Score;
  /** Score on the training rows without dropout; only with `evaluate.train` or a condition on it. */
  readonly trainEval?: Score;
  /** Results of probes that ran at this epoch, by name. */
  readonly probes?: Readonly<Record<string, Json>>;
  /** Seconds for this epoch, including evaluation. */
  readonly time: { readonly seconds: number };
}
/** The schema of a line of `metrics.jsonl`. */
export const metricsRowSchema: z.ZodType<MetricsRow> = z.strictObject({
  epoch: z.int().min(1),
  step: natural,
  train: z.strictObject({
    loss: measured,
    accuracy: share,
    hardLoss: measured.exactOptional(),
  } satisfies Shape<TrainScore>),
  terms: z.record(z.string(), measured),
  validation: score,
  trainEval: score.exactOptional(),
  probes: z.record(z.string(), jsonSchema).exactOptional(),
  time: z.strictObject({ seconds: z.number().min(0) }),
} satisfies Shape<MetricsRow>);

/** An event of a run, sent to its store and then to its listeners. */
export type RunEvent =
  | {
      type: 'start';
      run: string;
      parameters: number;
      /** Number of epochs; the last one may be partial. */
      epochs: number;
      stepsPerEpoch: number;
      from: { epoch: number; step: number };
      backend: string;
      device: string;
    }
  | { type: 'step'; epoch: number; step: number; loss: number }
  | { type: 'epoch'; row: MetricsRow }
  | { type: 'crossing'; epoch: number; step: number; threshold: number }
  | {
      type: 'analysis';
      epoch: number;
      step: number;
      name: string;
      moment: string;
      result: Json;
    }
  | { type: 'checkpoint'; epoch: number; step: number; file: string; pinned: boolean }
  | { type: 'state'; epoch: number; step: number; file: string }
  | { type: 'notice'; message: string }
  | {
      type: 'end';
      epoch: number;
      step: number;
      status: 'finished' | 'interrupted' | 'failed';
      error?: string;
    };
type EventShape<T extends RunEvent['type']> = Shape<Extract<RunEvent, { type: T }>>;
const at = { epoch: natural, step: natural };
/** The schema of a line of `events.jsonl`. */
export const runEventSchema: z.ZodType<RunEvent> = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('start'),
    run: sha256Schema,
    parameters: natural,
    epochs: natural,
    stepsPerEpoch: natural,
    from: z.strictObject(at),
    backend: z.string(),
    device: z.string(),
  } satisfies EventShape<'start'>),
  z.strictObject({
    type: z.literal('step'),
    ...at,
    loss: measured,
  } satisfies EventShape<'step'>),
  z.strictObject({ type: z.literal('epoch'), row: metricsRowSchema } satisfies EventShape<'epoch'>),
  z.strictObject({
    type: z.literal('crossing'),
    ...at,
    threshold: share,
  } satisfies EventShape<'crossing'>),
  z.strictObject({
    type: z.literal('analysis'),
    ...at,
    name: z.string(),
    moment: z.string(),
    result: jsonSchema,
  } satisfies EventShape<'analysis'>),
  z.strictObject({
    type: z.literal('state'),
    ...at,
    file: z.string(),
  } satisfies EventShape<'state'>),
  z.strictObject({
    type: z.literal('checkpoint'),
    ...at,
    file: z.string(),
    pinned: z.boolean(),
  } satisfies EventShape<'checkpoint'>),
  z.strictObject({ type: z.literal('notice'), message: z.string() } satisfies EventShape<'notice'>),
  z.strictObject({
    type: z.literal('end'),
    ...at,
    status: z.enum(['finished', 'interrupted', 'failed']),
    error: z.string().exactOptional(),
  } satisfies EventShape<'end'>),
]);

/** The content of `config.json`: the experiment, and its hash, which is the run's id. */
export interface RunConfig {
  readonly format: 'grok run 2';
  readonly run: string;
  readonly experiment: Experiment;
  /** Execution settings of the first start. They are not part of the id, and a resumed run keeps them. */
  readonly execution: Execution;
}
/** The schema of `config.json`. */
export const runConfigSchema: z.ZodType<RunConfig> = z.strictObject({
  format: z.literal('grok run 2'),
  run: sha256Schema,
  experiment: experimentSchema,
  execution: executionSchema,
} satisfies Shape<RunConfig>);

/** The content of `manifest.json`: settings, progress and result of a run. */
export interface Manifest {
  readonly format: 'grok manifest 1';
  /** Hash of the experiment, as 64 hex digits. */
  readonly run: string;
  /** Readable name, such as `div97-transformer128-hard-s42`. */
  readonly slug: string;
  readonly status: 'running' | 'finished' | 'interrupted' | 'failed';
  readonly error?: string;
  /** Number of the model's parameters, without auxiliary parameters. */
  readonly parameters: number;
  readonly epoch: number;
  readonly step: number;
  readonly splitHash: string;
  readonly seeds: { readonly seed: number; readonly splitSeed: number };
  /** The teachers, each with the hash of the split that it was trained on. */
  readonly teachers?: Readonly<Record<string, TeacherRef & { readonly splitHash: string }>>;
  /** The run and step that this run continues from. */
  readonly parent?: ParentRef;
  /** Steps whose parameters are in `states/`. */
  readonly states?: readonly number[];
  /** Whether a teacher was trained on validation rows of this run. */
  readonly leaked?: boolean;
  /** SHA-256 of the model's parameters after the last step, without auxiliary parameters. */
  readonly paramsSha256?: string;
  readonly backend: string;
  readonly device: string;
  readonly threads: number;
  readonly execution: Execution;
  /** Versions of the packages and the JS engine, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly peakMemoryBytes?: number;
  /** Total over all epochs, including evaluation. */
  readonly seconds: number;
}
/** The schema of `manifest.json`. */
export const manifestSchema: z.ZodType<Manifest> = z.strictObject({
  format: z.literal('grok manifest 1'),
  run: sha256Schema,
  slug: z.string(),
  status: z.enum(['running', 'finished', 'interrupted', 'failed']),
  error: z.string().exactOptional(),
  parameters: natural,
  epoch: natural,
  step: natural,
  splitHash: sha256Schema,
  seeds: z.strictObject({ seed: natural, splitSeed: natural }),
  teachers: z
    .record(z.string(), z.strictObject({ ...teacherRefShape, splitHash: sha256Schema }))
    .exactOptional(),
  parent: parentRefSchema.exactOptional(),
  states: z.array(natural).exactOptional(),
  leaked: z.boolean().exactOptional(),
  paramsSha256: sha256Schema.exactOptional(),
  backend: z.string(),
  device: z.string(),
  threads: z.int().min(1),
  execution: executionSchema,
  versions: z.record(z.string(), z.string()),
  peakMemoryBytes: z.number().min(0).exactOptional(),
  seconds: z.number().min(0),
} satisfies Shape<Manifest>);

/** Steps whose checkpoints are kept: the content of `checkpoints/pinned.json`. */
export const pinnedSchema: z.ZodType<readonly number[]> = z.array(natural);

/** Sums over the batches of the current epoch so far. */
export interface EpochSums {
  readonly loss: number;
  readonly correct: number;
  /** Sum of the cross-entropy with the labels; absent in checkpoints of older versions. */
  readonly hardLoss?: number;
  readonly terms: Readonly<Record<string, number>>;
}
/** Position of a run: finished epochs, finished batches of the next epoch, optimizer steps, and sums of that epoch. */
export interface Position {
  readonly epoch: number;
  readonly batch: number;
  readonly step: number;
  readonly sums: EpochSums;
}
const finite: z.ZodNumber = z.number();
/** The schema of the position in a checkpoint's metadata, with keys in the order in which they are written. */
export const positionSchema: z.ZodType<Position> = z.strictObject({
  epoch: natural,
  batch: natural,
  step: natural,
  sums: z.strictObject({
    loss: finite,
    correct: finite,
    hardLoss: finite.exactOptional(),
    terms: z.record(z.string(), finite),
  } satisfies Shape<EpochSums>),
} satisfies Shape<Position>);
