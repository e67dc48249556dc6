/** A run as data: its specification, the metrics and events it tells, and the store it writes to. */

/** A JSON value: numbers, strings, lists, trees of them. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };
// ---------------------------------------------------------------------------------------------
// Metrics and events

/** Loss and accuracy (0–1) over a set of rows. */
export interface Score {
  readonly loss: number;
  readonly accuracy: number;
}
/** One line of `metrics.jsonl`: an epoch. `time` is the only key that differs between equal runs. */
export interface MetricsRow {
  readonly epoch: number;
  /** Optimiser steps taken so far. */
  readonly step: number;
  /** Means over the epoch's batches, dropout on; `loss` is the total. */
  readonly train: Score;
  /** Unweighted terms of the loss, means over the epoch's batches, by instance name. */
  readonly terms: Readonly<Record<string, number>>;
  readonly validation: Score;
  /** Over the training rows with dropout off, as validation is; only in runs with `stop` or `require.trainAccuracy`. */
  readonly trainEval?: Score;
  /** Results of probes that ran at this epoch, by name. */
  readonly probes?: Readonly<Record<string, Json>>;
  /** Seconds of this epoch, evaluation included. */
  readonly time: { readonly seconds: number };
}

/** What a run tells its store and its listeners, in order. */
export type RunEvent =
  | {
      type: 'start';
      run: string;
      parameters: number;
      epochs: number;
      stepsPerEpoch: number;
      from: { epoch: number; step: number };
      backend: string;
      device: string;
    }
  | { type: 'step'; epoch: number; step: number; loss: number }
  | { type: 'epoch'; row: MetricsRow }
  | { type: 'crossing'; epoch: number; step: number; threshold: number }
  | { type: 'checkpoint'; epoch: number; step: number; file: string; pinned: boolean }
  | { type: 'notice'; message: string }
  | {
      type: 'end';
      epoch: number;
      step: number;
      status: 'finished' | 'interrupted' | 'failed';
      error?: string;
    };
/** Hears a run's events; what it throws is reported once and never stops the run. */
export type RunListener = (event: RunEvent) => void;

// ---------------------------------------------------------------------------------------------
// Tracker: follows runs elsewhere (W&B, TensorBoard, a table)

/** The run that a tracker is asked to follow. */
export interface TrackedRun {
  /** Hash of the experiment; a run that goes on has the one it began with. */
  readonly run: string;
  /** Readable name, such as `div97-transformer128-hard-s42`. */
  readonly slug: string;
  readonly experiment: Experiment;
  /** The run's store as it is called: a folder's path, or `memory`. */
  readonly where: string;
}
/** One run being followed. */
export interface Tracking {
  /** Hears every event, in order; the run never waits for what it returns. */
  on(event: RunEvent): void | Promise<void>;
  /** Sends what is left and closes: called once, after all that `on` returned, even when no event came. */
  finish(): void | Promise<void>;
}
/**
 * Begins to follow a run, before its first event. Nothing that goes wrong here stops a run: a tracker
 * that throws, rejects or is not done in half a minute is left out, and a notice says so.
 */
export type Tracker = (run: TrackedRun) => Tracking | Promise<Tracking>;

// ---------------------------------------------------------------------------------------------
// Store

/**
 * A folder of named files (`/` separates folders, made as needed). A run writes through it; a failed
 * write stops the run. @throws RunError that names the file and says what to do.
 */
export interface Store {
  /** What the store is called in errors: a folder's path, or `memory`. */
  readonly where: string;
  /** A file's bytes; undefined where there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Replaces a file atomically and syncs it, after syncing all that was appended before. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Adds at the end of a file; it outlasts a power cut once a later `write` has returned. */
  append(path: string, bytes: Uint8Array): Promise<void>;
  /** Cuts a file to its first `length` bytes; a shorter or missing one stays as it is. */
  truncate(path: string, length: number): Promise<void>;
  /** Names of the files directly in a folder (`''`: the store's own), sorted; empty where there is none. */
  list(folder: string): Promise<readonly string[]>;
  /** Deletes a file; a missing one is no error. */
  remove(path: string): Promise<void>;
}

// ---------------------------------------------------------------------------------------------
// RunSpec: a run as data

/** Names a component and its options. */
export interface Use {
  readonly use: string;
  readonly options?: Readonly<Record<string, Json>>;
}
/** A weight that changes with the steps: `from` up to step `begin` (default 0), `to` after `steps` more. */
export interface WeightSchedule {
  /** A straight line, or half a cosine. */
  readonly schedule: 'linear' | 'cosine';
  readonly from: number;
  readonly to: number;
  readonly begin?: number;
  readonly steps: number;
}
/** One term of the objective: an instance of a strategy with a weight (default 1). */
export interface TermUse extends Use {
  /** Name of the instance; needed when a strategy is used twice. */
  readonly as?: string;
  readonly weight?: number | WeightSchedule;
}
/** The optimizer; a group's options stand above its own for parameters that `match` fits, the first group that fits. */
export interface OptimizerUse extends Use {
  readonly groups?: readonly {
    /** A parameter's name; `*` is any part between dots, and at the end all parts that are left. */
    readonly match: string;
    readonly options: Readonly<Record<string, Json>>;
  }[];
}
/** A probe; `as` names its results, needed when one is used twice; letters, digits and `. _ - + @`. */
export interface ProbeUse extends Use {
  readonly as?: string;
}
/** A tracker; `as` is what notices call it, needed when one is used twice. */
export interface TrackerUse extends Use {
  readonly as?: string;
}
/** A frozen teacher: a finished run by its id, and the SHA-256 of its parameters; never a path. */
export interface TeacherRef {
  readonly run: string;
  readonly paramsSha256: string;
}
/** What decides a run's numbers; hashed in canonical JSON, its defaults not expanded. */
export interface Experiment {
  readonly task: Use;
  /** Default: `{ "use": "numpy" }`. */
  readonly split?: Use;
  readonly model: Use;
  /** Default: `[{ "use": "hard" }]`, the control. */
  readonly objective?: readonly TermUse[];
  readonly teachers?: Readonly<Record<string, TeacherRef>>;
  readonly optimizer: OptimizerUse;
  /** Patterns of parameters, as `match` of a group, that keep their initial values. */
  readonly freeze?: readonly string[];
  readonly batch: number;
  readonly epochs: number;
  /** Epochs between evaluations, default 1; only epochs that are evaluated have a row, so crossings are of these. */
  readonly evalEvery?: number;
  readonly seed: number;
  /** Default: the seed. */
  readonly splitSeed?: number;
  readonly probes?: readonly ProbeUse[];
  /** The teacher may come from another split; every table says so. */
  readonly allowLeak?: boolean;
  /** Training labels change places among themselves, by the seed's stream `labels`: nothing is left to understand. */
  readonly shuffleLabels?: boolean;
  /** Ends the run after the first epoch that comes to it, dropout off; `epochs` is then the most. */
  readonly stop?: { readonly trainAccuracy: number };
  /** What the last epoch must show, else the run fails. */
  readonly require?: Requirement;
}
/** Accuracies (0–1) of an epoch; training's with dropout off (the row's `trainEval`). */
export interface Requirement {
  readonly trainAccuracy?: Bounds;
  readonly validationAccuracy?: Bounds;
}
/** Both ends included. */
export interface Bounds {
  readonly atLeast?: number;
  readonly atMost?: number;
}
/** How and where a run is carried out; in the manifest only. */
export interface Execution {
  readonly backend?: string;
  /** The backend's own options; what it does not know is an error. */
  readonly backendOptions?: Readonly<Record<string, Json>>;
  readonly threads?: number;
  readonly out?: string;
  /** Epochs between checkpoints (default 10). */
  readonly checkpointEvery?: number;
  /** Where teachers' run folders are, by name. */
  readonly teachers?: Readonly<Record<string, string>>;
  /** Plugin entries to load: package names or paths. */
  readonly plugins?: readonly string[];
  /** Who follows the run; keys and passwords belong in the environment, for this is written down. */
  readonly trackers?: readonly TrackerUse[];
}
/** A run as a person writes it. */
export interface RunSpec {
  readonly experiment: Experiment;
  readonly execution?: Execution;
}

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

// ---------------------------------------------------------------------------------------------
// Executor: carries out runs somewhere else

/** One run to be carried out: data alone, so that it can go through a queue or to another machine. */
export interface Job {
  /** Hash of the experiment; jobs of one hash are the same job. */
  readonly run: string;
  /** The run's folder: one name inside the folder that whoever asks and whoever carries out share. */
  readonly folder: string;
  /** Its teachers' folders are beside its own: `"../name"` in `execution.teachers`. */
  readonly spec: RunSpec;
}
/** How a job ended; an interrupted one goes on when it is asked for again. */
export type JobOutcome =
  | { readonly status: 'finished' | 'interrupted' }
  | { readonly status: 'failed'; readonly error: string };
/** Carries out jobs, several at once. One package or file each; `@grok/study` has two. */
export interface Executor {
  readonly name: string;
  /** How many jobs it takes at once; it is handed no more. */
  readonly slots: number;
  /**
   * Begins a run, or goes on from its newest checkpoint; a finished one is left as it is. When
   * `signal` aborts, the state is saved and the outcome is `interrupted`. It never rejects: what a
   * run, a process or a machine does wrong is an outcome `failed`. `listener` hears what it can be told.
   */
  run(
    job: Job,
    how: { readonly signal: AbortSignal; readonly listener?: RunListener },
  ): Promise<JobOutcome>;
  dispose(): Promise<void>;
}
