/**
 * What a run's folder holds beside its checkpoints: types, and beside each its schema. `config.json`
 * and `manifest.json` name the format of the whole folder, so the lines of `metrics.jsonl` and
 * `events.jsonl` carry none.
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
/** JSON has no NaN and no infinities: they are written as null, and read as NaN. */
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

/** Means over an epoch's batches, dropout on; `loss` is the total. */
export interface TrainScore extends Score {
  /** The cross-entropy with the labels alone, whatever the loss is made of; absent in rows of before. */
  readonly hardLoss?: number;
}
/** One line of `metrics.jsonl`: an epoch. `time` is the only key that differs between equal runs. */
export interface MetricsRow {
  readonly epoch: number;
  /** Optimizer steps taken so far. */
  readonly step: number;
  readonly train: TrainScore;
  /** Unweighted terms of the loss, means over the epoch's batches, by instance name. */
  readonly terms: Readonly<Record<string, number>>;
  readonly validation: Score;
  /** Over the training rows with dropout off, as validation is; only in runs that ask for it (`evaluate.train`, or a condition on it). */
  readonly trainEval?: Score;
  /** Results of probes that ran at this epoch, by name. */
  readonly probes?: Readonly<Record<string, Json>>;
  /** Seconds of this epoch, evaluation included. */
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

/** What a run tells its store and its listeners, in order. */
export type RunEvent =
  | {
      type: 'start';
      run: string;
      parameters: number;
      /** The last one perhaps in part. */
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

/** What `config.json` holds: the experiment, and its hash as the run's id. */
export interface RunConfig {
  readonly format: 'grok run 2';
  readonly run: string;
  readonly experiment: Experiment;
  /** How the run was first carried out: not part of its id, and what a resumed run keeps to. */
  readonly execution: Execution;
}
/** The schema of `config.json`. */
export const runConfigSchema: z.ZodType<RunConfig> = z.strictObject({
  format: z.literal('grok run 2'),
  run: sha256Schema,
  experiment: experimentSchema,
  execution: executionSchema,
} satisfies Shape<RunConfig>);

/** What a run was, how far it came and what came out; `manifest.json`. */
export interface Manifest {
  readonly format: 'grok manifest 1';
  /** Hash of the experiment, 64 hex digits. */
  readonly run: string;
  /** Readable name, such as `div97-transformer128-hard-s42`. */
  readonly slug: string;
  readonly status: 'running' | 'finished' | 'interrupted' | 'failed';
  readonly error?: string;
  /** Number of the model's parameters, auxiliary parameters left out. */
  readonly parameters: number;
  readonly epoch: number;
  readonly step: number;
  readonly splitHash: string;
  readonly seeds: { readonly seed: number; readonly splitSeed: number };
  /** The teachers, and the split that each was trained on. */
  readonly teachers?: Readonly<Record<string, TeacherRef & { readonly splitHash: string }>>;
  /** The run and the step that this one goes on from. */
  readonly parent?: ParentRef;
  /** Steps whose parameters are in `states/`. */
  readonly states?: readonly number[];
  /** A teacher has seen validation rows of this run. */
  readonly leaked?: boolean;
  /** SHA-256 of the model's parameters after the last step, auxiliary parameters left out. */
  readonly paramsSha256?: string;
  readonly backend: string;
  readonly device: string;
  readonly threads: number;
  readonly execution: Execution;
  /** Versions of packages and of the engine, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly peakMemoryBytes?: number;
  /** Sum over epochs, evaluation included. */
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

/** Steps whose checkpoints are kept, `checkpoints/pinned.json`. */
export const pinnedSchema: z.ZodType<readonly number[]> = z.array(natural);

/** Sums over the batches of an epoch that is under way. */
export interface EpochSums {
  readonly loss: number;
  readonly correct: number;
  /** Of the cross-entropy with the labels; absent in checkpoints of before. */
  readonly hardLoss?: number;
  readonly terms: Readonly<Record<string, number>>;
}
/** Where a run stands: epochs done, batches done of the next one, optimizer steps taken, sums of that epoch so far. */
export interface Position {
  readonly epoch: number;
  readonly batch: number;
  readonly step: number;
  readonly sums: EpochSums;
}
const finite: z.ZodNumber = z.number();
/** The schema of a checkpoint's position, in its metadata; its keys in the order in which they are written. */
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
