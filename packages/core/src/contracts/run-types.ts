/** The environment of a run: listeners, trackers, stores and executors. */

import type { Execution, Experiment, RunSpec, StudyRef, TrainingPoint } from './experiment.js';
import type { RunEvent } from './run-files.js';

export type * from './experiment.js';
export type * from './run-files.js';

/** Receives a run's events. An error that it throws is reported once and never stops the run. */
export type RunListener = (event: RunEvent) => void;

// ---------------------------------------------------------------------------------------------
// Tracker: sends a run's events elsewhere (W&B, TensorBoard, a table)

/** A run that is tracked. */
export interface TrackedRun {
  /** Hash of the experiment; a resumed run keeps its hash. */
  readonly run: string;
  /** Readable name, such as `div97-transformer128-hard-s42`. */
  readonly slug: string;
  readonly experiment: Experiment;
  /** The study that the run is part of. */
  readonly study?: StudyRef;
  /** Name of the run's store: the path of a folder, or `memory`. */
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
/** Tracking of one run. */
export interface Tracking {
  /** Receives every event, in order; the run does not wait for the returned promise. */
  on(event: RunEvent): void | Promise<void>;
  /** Sends the remaining data and closes. Called once, after all promises of `on`, even without any event. */
  finish(): void | Promise<void>;
}
/**
 * Starts tracking a run, before its first event. A failing tracker never stops a run: if it throws, rejects or takes
 * more than half a minute, it is dropped with a notice. A run may be
 * told again, from a checkpoint or as a whole: what is there already is replaced or left alone.
 */
export type Tracker = (run: TrackedRun) => Tracking | Promise<Tracking>;

// ---------------------------------------------------------------------------------------------
// Store

/**
 * A folder of named files (`/` separates folders, which are created as needed). A failed write stops the run. If the
 * folder disappears after a write, it is not created again: the next write fails.
 * @throws RunError that names the file and says what to do.
 */
export interface Store {
  /** Name of the store in errors: the path of a folder, or `memory`. */
  readonly where: string;
  /** The bytes of a file; undefined if it does not exist. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Replaces a file atomically and syncs it, after syncing all earlier appends. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /**
   * Appends to a file. This store can read the data immediately. Other readers see it, and it survives a power failure,
   * only after a later `write` has returned.
   */
  append(path: string, bytes: Uint8Array): Promise<void>;
  /** Truncates a file to `length` bytes; a shorter or missing file does not change. */
  truncate(path: string, length: number): Promise<void>;
  /** Sorted names of the files directly in a folder (`''` for the root); empty if there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Deletes a file; a missing file is not an error. */
  remove(path: string): Promise<void>;
  /**
   * Takes the lease of this name (letters, digits, `. _ -`) for `ttl` seconds, so that only one holder works here. A
   * lease that was not renewed in time can be taken by another holder.
   */
  lease(name: string, ttl: number): Promise<Lease | LeaseRefusal>;
}
/** A lease that was granted. */
export interface Lease {
  readonly granted: true;
  /** Extends the lease by its `ttl`. @throws RunError if another holder has taken it. */
  renew(): Promise<void>;
  /** Releases the lease; a lost lease is not an error. */
  release(): Promise<void>;
}
/** A lease that another holder has. */
export interface LeaseRefusal {
  readonly granted: false;
  /** The holder as text: `process 4711`. */
  readonly holder: string;
}
/** Opens the store of a path, whose meaning depends on the kind of store: a folder, a prefix or a name. */
export type StoreFactory = (path: string) => Store;

// ---------------------------------------------------------------------------------------------
// Executor: runs jobs somewhere else

/** A run to execute; plain data, so that it can be sent through a queue or to another machine. */
export interface Job {
  /** The study's name for the run. It has no id yet, since that depends on its teachers' parameters. */
  readonly key: string;
  /** Without teachers: the executor adds those of the edges when it starts the run. */
  readonly experiment: Experiment;
  /** Execution settings; a resumed run must agree with them. */
  readonly execution?: Execution;
  /** Default settings of a new run; a resumed run keeps its own. */
  readonly defaults?: Execution;
}
/** A dependency of a job on the run that is its teacher. */
export interface JobEdge {
  /** Key of the dependent job. */
  readonly job: string;
  /** Name of the teacher in the job's experiment. */
  readonly as: string;
  /** Key of the teacher's run. */
  readonly teacher: string;
  /** The point of the teacher's training to use. */
  readonly at: TrainingPoint;
  /** Folder of the teacher if it was finished before; otherwise the teacher is a job too. */
  readonly folder?: string;
}
/** A job whose teachers are known. */
export interface BoundJob {
  readonly key: string;
  /** Hash of the experiment. */
  readonly run: string;
  /** Name of the run folder inside the folder that the study and the executor share. */
  readonly folder: string;
  /** Specification of the run. Folders of teachers are siblings: `"../name"` in `execution.teachers`. */
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
/** Outcome of a job; an interrupted job continues when it is submitted again. */
export type JobOutcome =
  | { readonly status: 'finished'; readonly run: string; readonly folder: string }
  | { readonly status: 'interrupted'; readonly run?: string; readonly folder?: string }
  | {
      readonly status: 'failed';
      readonly error: string;
      /** The input was invalid; the run itself did not fail. */
      readonly badInput?: boolean;
      /** The worker could not start; the run itself did not fail. */
      readonly notBegun?: boolean;
      readonly run?: string;
      readonly folder?: string;
    }
  /** A dependency did not finish. */
  | { readonly status: 'blocked'; readonly by: string };
/** A finished job. */
export interface JobResult {
  readonly key: string;
  readonly outcome: JobOutcome;
}
/** An event of a running job, delivered on a best-effort basis; `collect` is reliable. */
export type JobEvent =
  | ({ readonly type: 'begin' } & BoundJob)
  | { readonly type: 'run'; readonly key: string; readonly event: RunEvent };
/**
 * Runs jobs in parallel. If the executor can, jobs continue after the process that submitted them ends. The whole state
 * is in the run folders, so another process may submit the same jobs again.
 */
export interface Executor {
  readonly name: string;
  /** Maximum number of parallel jobs. */
  readonly slots: number;
  /**
   * Queues jobs. A job starts when its dependencies have finished, from its newest checkpoint; a finished run is not
   * repeated. Keys that are already queued or running are ignored.
   * @throws InputError if an edge has neither a job nor a folder.
   */
  submit(jobs: readonly Job[], edges: readonly JobEdge[]): Promise<void>;
  /** Calls `listener` with events of jobs and ignores its errors. Returns a function that unsubscribes. */
  watch(listener: (event: JobEvent) => void): () => void;
  /** Saves and stops these jobs (default: all); `collect` returns them as `interrupted`. */
  cancel(keys?: readonly string[]): Promise<void>;
  /**
   * Returns the jobs that ended since the last call. Waits for at least one; returns an empty list if no jobs are left.
   * Failures of runs, processes or machines are outcomes, never rejections.
   */
  collect(): Promise<readonly JobResult[]>;
  dispose(): Promise<void>;
}
/** What a study passes to an executor. */
export interface ExecutorHost {
  /** Opens a run folder by name. */
  readonly open: (folder: string) => Store;
  /** Runs a job in this process. */
  readonly carryOut: (
    job: BoundJob,
    how: { readonly signal: AbortSignal; readonly listener: RunListener },
  ) => Promise<JobOutcome>;
  /** How to start a worker process for this study, if possible. */
  readonly worker?: {
    /** The study's folder. */
    readonly root: string;
    /** The worker script and its arguments. */
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
/** Creates an executor for a study. @throws InputError if the host lacks something that it needs. */
export interface ExecutorFactory {
  (host: ExecutorHost): Executor;
  /** Takes jobs that studies submitted, until the host's signal aborts; absent where there are no workers. */
  readonly serve?: (host: WorkerHost) => Promise<void>;
}
