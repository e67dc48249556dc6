/** What is around a run: who hears it, where it is stored, and who carries it out. */

import type { Execution, Experiment, RunSpec, StudyRef, TrainingPoint } from './experiment.js';
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
  /** The study that the run is part of. */
  readonly study?: StudyRef;
  /** The run's store as it is called: a folder's path, or `memory`. */
  readonly where: string;
  /** The run's folder, for reading what it holds; files of a tracker's own go under `trackers/`. */
  readonly store: Store;
  /** What notices call the tracker; no other tracker of the run has this name. */
  readonly name: string;
  /** Milliseconds that beginning may take, and finishing. */
  readonly timeout: number;
  /** Tells who listens to the run something, in one line. */
  notice(message: string): void;
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
 * that throws, rejects or is not done in half a minute is left out, and a notice says so. A run may be
 * told again, from a checkpoint or as a whole: what is there already is replaced or left alone.
 */
export type Tracker = (run: TrackedRun) => Tracking | Promise<Tracking>;

// ---------------------------------------------------------------------------------------------
// Store

/**
 * A folder of named files (`/` separates folders, made as needed). A run writes through it; a failed
 * write stops the run. A folder that was written to and is gone is not made anew: the write fails.
 * @throws RunError that names the file and says what to do.
 */
export interface Store {
  /** What the store is called in errors: a folder's path, or `memory`. */
  readonly where: string;
  /** A file's bytes; undefined where there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Replaces a file atomically and syncs it, after syncing all that was appended before. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /**
   * Adds at the end of a file. This store reads it back at once; others see it, and it outlasts a power
   * cut, only once a later `write` has returned.
   */
  append(path: string, bytes: Uint8Array): Promise<void>;
  /** Cuts a file to its first `length` bytes; a shorter or missing one stays as it is. */
  truncate(path: string, length: number): Promise<void>;
  /** Names of the files directly in a folder (`''`: the store's own), sorted; empty where there is none. */
  list(folder: string): Promise<readonly string[]>;
  /** Deletes a file; a missing one is no error. */
  remove(path: string): Promise<void>;
  /**
   * Takes the lease of a name (letters, digits, `. _ -`) for `ttl` seconds, so that one holder at a time
   * works here. Whoever did not renew in time may lose it to the first who asks.
   */
  lease(name: string, ttl: number): Promise<Lease | LeaseRefusal>;
}
/** A lease that is held. */
export interface Lease {
  readonly granted: true;
  /** Begins its time anew. @throws RunError once another holds it. */
  renew(): Promise<void>;
  /** Gives it up; one that was lost already is no error. */
  release(): Promise<void>;
}
/** A lease that another holds. */
export interface LeaseRefusal {
  readonly granted: false;
  /** Who holds it, for people: `process 4711`. */
  readonly holder: string;
}
/** Opens the store of a path: a folder, a prefix, a name, as the kind of store has it. */
export type StoreFactory = (path: string) => Store;

// ---------------------------------------------------------------------------------------------
// Executor: carries out runs somewhere else

/** One run to be carried out: data alone, so that it can go through a queue or to another machine. */
export interface Job {
  /** What the study calls the run. It has no id yet: that depends on its teachers' parameters. */
  readonly key: string;
  /** Teachers are left out: whoever starts the run binds it to those that its edges name. */
  readonly experiment: Experiment;
  /** How it is carried out; one that goes on must agree with it. */
  readonly execution?: Execution;
  /** What a run that begins falls back to; one that goes on keeps its own. */
  readonly defaults?: Execution;
}
/** One job must wait for another, which teaches it. */
export interface JobEdge {
  /** Key of the job that waits. */
  readonly job: string;
  /** Name of the teacher in the job's experiment. */
  readonly as: string;
  /** Key of the run that teaches. */
  readonly teacher: string;
  /** The point of the teacher's training that teaches. */
  readonly at: TrainingPoint;
  /** The teacher's folder, where it was finished before; else it is a job too. */
  readonly folder?: string;
}
/** A job that is bound to its teachers. */
export interface BoundJob {
  readonly key: string;
  /** Hash of the experiment. */
  readonly run: string;
  /** The run's folder: one name inside the folder that whoever asks and whoever carries out share. */
  readonly folder: string;
  /** Its teachers' folders are beside its own: `"../name"` in `execution.teachers`. */
  readonly spec: RunSpec;
}
/** A job as it goes through a queue or a shared folder to another machine. */
export interface JobDocument {
  readonly format: 'grok job 1';
  /** Versions of the packages that the study was submitted with, by name; a worker must have the same. */
  readonly packages: Readonly<Record<string, string>>;
  /** The study's folder, as every machine calls it. */
  readonly root: string;
  readonly job: Job;
  /** Those of this job, with its teachers' folders. */
  readonly edges: readonly JobEdge[];
}
/** How a job ended; an interrupted one goes on when it is submitted again. */
export type JobOutcome =
  | { readonly status: 'finished'; readonly run: string; readonly folder: string }
  | { readonly status: 'interrupted'; readonly run?: string; readonly folder?: string }
  | {
      readonly status: 'failed';
      readonly error: string;
      /** What was asked for is wrong, not the run. */
      readonly badInput?: boolean;
      /** What should carry it out could not start: nothing is known against the run. */
      readonly notBegun?: boolean;
      readonly run?: string;
      readonly folder?: string;
    }
  /** A job that it waits for did not finish. */
  | { readonly status: 'blocked'; readonly by: string };
/** A job that ended. */
export interface JobResult {
  readonly key: string;
  readonly outcome: JobOutcome;
}
/** What is told of a job while it runs; only what `collect` gives can be relied on. */
export type JobEvent =
  | ({ readonly type: 'begin' } & BoundJob)
  | { readonly type: 'run'; readonly key: string; readonly event: RunEvent };
/**
 * Carries out jobs, several at once. Jobs outlive whoever submitted them where the executor can keep
 * them; all that counts stands in the runs' folders, so that another may submit the same jobs again.
 */
export interface Executor {
  readonly name: string;
  /** How many jobs run at once. */
  readonly slots: number;
  /**
   * Queues jobs. One begins once those that its edges name are finished: it goes on from its newest
   * checkpoint, and a finished one is left as it is. A key that is queued or runs already is left alone.
   * @throws InputError on an edge that names no job and no folder.
   */
  submit(jobs: readonly Job[], edges: readonly JobEdge[]): Promise<void>;
  /** Calls `listener` with what is told of the jobs; what it throws is left out. Gives what ends it. */
  watch(listener: (event: JobEvent) => void): () => void;
  /** Saves and ends these jobs (default: all); their outcomes, `interrupted`, are collected as any other. */
  cancel(keys?: readonly string[]): Promise<void>;
  /**
   * The jobs that ended and were not collected before; waits for the first, and is empty once no job
   * is left. It never rejects for what a run, a process or a machine does wrong: that is an outcome.
   */
  collect(): Promise<readonly JobResult[]>;
  dispose(): Promise<void>;
}
/** What an executor is given by the study that hands out its jobs. */
export interface ExecutorHost {
  /** A run's folder, by name. */
  readonly open: (folder: string) => Store;
  /** Carries out a job in this process. */
  readonly carryOut: (
    job: BoundJob,
    how: { readonly signal: AbortSignal; readonly listener: RunListener },
  ) => Promise<JobOutcome>;
  /** How another process carries out jobs of this study, where it can. */
  readonly worker?: {
    /** The study's folder. */
    readonly root: string;
    /** A script that serves a job, and its arguments. */
    readonly command: readonly [script: string, ...args: string[]];
    readonly env?: Readonly<Record<string, string | undefined>>;
  };
  /** Versions of the packages that are loaded, by name. */
  readonly packages?: Readonly<Record<string, string>>;
  /** Hears what people should know, such as a connection that is lost. */
  readonly notice?: (message: string) => void;
}
/** What a job that is carried out here is told to, and told by. */
export interface JobWatch {
  readonly signal: AbortSignal;
  readonly listener: RunListener;
  /** Hears that the job is bound, before its run begins. */
  readonly begin?: (job: BoundJob) => void;
}
/** What a worker has, for jobs to ask for. */
export interface WorkerCapabilities {
  /** Most threads of one run. */
  readonly threads: number;
  readonly backends: readonly string[];
}
/** What a worker is given by the program that it runs in. */
export interface WorkerHost {
  /** Carries out a job's document. @throws InputError of code `worker-refuses` when this worker must not take it. */
  readonly carryOut: (document: unknown, watch: JobWatch) => Promise<JobOutcome>;
  /** A folder by its name, in the folder of a study. */
  readonly open: (root: string, folder: string) => Store;
  /** Aborts when the worker is to save and stop. */
  readonly signal: AbortSignal;
  readonly notice: (message: string) => void;
}
/** Makes an executor for a study. @throws InputError when the host lacks what it needs. */
export interface ExecutorFactory {
  (host: ExecutorHost): Executor;
  /** Takes jobs that studies submitted, until the host's signal aborts; absent where there are no workers. */
  readonly serve?: (host: WorkerHost) => Promise<void>;
}
