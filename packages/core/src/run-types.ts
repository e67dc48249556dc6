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
// Store

/**
 * A folder of named files (`/` separates folders). A run writes through it; a failed write stops the run.
 * `write` replaces a file atomically and syncs it; `append` adds at the end.
 */
export interface Store {
  /** What the store is called in errors: a folder's path, or `memory`. */
  readonly where: string;
  read(path: string): Promise<Uint8Array | undefined>;
  write(path: string, bytes: Uint8Array): Promise<void>;
  append(path: string, bytes: Uint8Array): Promise<void>;
  /** Cuts a file to its first `length` bytes. */
  truncate(path: string, length: number): Promise<void>;
  /** Names of the files directly in a folder, sorted; empty where there is none. */
  list(folder: string): Promise<readonly string[]>;
  remove(path: string): Promise<void>;
}

// ---------------------------------------------------------------------------------------------
// RunSpec: a run as data

/** Names a provision and its options. */
export interface Use {
  readonly use: string;
  readonly options?: Readonly<Record<string, Json>>;
}
/** One term of the objective: an instance of a strategy with a weight (default 1). */
export interface TermUse extends Use {
  /** Name of the instance; needed when a strategy is used twice. */
  readonly as?: string;
  readonly weight?: number;
}
export interface ProbeUse extends Use {
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
  readonly optimizer: Use;
  readonly batch: number;
  readonly epochs: number;
  readonly seed: number;
  /** Default: the seed. */
  readonly splitSeed?: number;
  readonly probes?: readonly ProbeUse[];
  /** The teacher may come from another split; every table says so. */
  readonly allowLeak?: boolean;
}
/** How and where a run is carried out; in the manifest only. */
export interface Execution {
  readonly backend?: string;
  readonly threads?: number;
  readonly out?: string;
  /** Epochs between checkpoints (default 10). */
  readonly checkpointEvery?: number;
  /** Where teachers' run folders are, by name. */
  readonly teachers?: Readonly<Record<string, string>>;
  /** Plugin entries to load: package names or paths. */
  readonly plugins?: readonly string[];
}
export interface RunSpec {
  readonly experiment: Experiment;
  readonly execution?: Execution;
}
