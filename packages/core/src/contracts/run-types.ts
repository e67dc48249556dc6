/** What is around a run: who hears it, where it is stored, and who carries it out. */

import type { Experiment, RunSpec } from './experiment.js';
import type { RunEvent } from './run-files.js';

export type * from './experiment.js';
export type * from './run-files.js';

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
