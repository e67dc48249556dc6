/**
 * Turns anything that can execute one job into an executor: it keeps the queue, the dependencies
 * and the slots. It lives as long as its process; all results are in the run folders.
 */
import {
  type Executor,
  InputError,
  type Job,
  type JobOutcome,
  type RunListener,
  type Store,
} from '@grok/core';
import type { BoundJob, JobEdge, JobEvent, JobResult } from '@grok/core/internal';
import { bindJob } from './bind-job.js';

/** A job that is handed to a worker. */
export interface HandedJob {
  readonly signal: AbortSignal;
  readonly listener: RunListener;
  /** Tells that the job is begun; those that do not say `tellsBegin` need not call it. */
  readonly begin: () => void;
  /** Whether other jobs wait for it. */
  readonly teaches: boolean;
}
/** Workers that run one job per slot. */
export interface JobWorkers {
  readonly name: string;
  /** How many jobs run at once. */
  readonly slots: number;
  /** How many jobs are handed over at once, default `slots`. */
  readonly ahead?: number;
  /** Opens a run folder by name. */
  readonly open: (folder: string) => Store;
  /** Called when jobs are submitted, before any is handed over. @throws InputError when none can be. */
  readonly prepare?: () => Promise<void>;
  /** Jobs wait once more where they are handed over: `begin` is called when one is taken up. */
  readonly tellsBegin?: boolean;
  /** Never rejects. If `signal` aborts, the run's state is saved and the outcome is `interrupted`. */
  readonly carryOut: (job: BoundJob, how: HandedJob) => Promise<JobOutcome>;
  readonly dispose?: () => Promise<void>;
}
interface Entry {
  readonly job: Job;
  readonly edges: readonly JobEdge[];
  readonly stop: AbortController;
  running: boolean;
}

/**
 * Notes the folders of teachers that edges name. @throws InputError on an edge to what is no job (`keys` has
 * those of earlier), and has no folder.
 */
export function noteTeachers(
  name: string,
  {
    keys,
    jobs,
    edges,
    folders,
  }: {
    readonly keys: ReadonlyMap<string, unknown>;
    readonly jobs: readonly Job[];
    readonly edges: readonly JobEdge[];
    readonly folders: Map<string, string>;
  },
): void {
  const own = new Set(jobs.map(({ key }) => key));
  for (const { job, teacher, folder } of edges) {
    if (folder !== undefined) folders.set(teacher, folder);
    else if (!keys.has(teacher) && !own.has(teacher) && !folders.has(teacher))
      throw new InputError(
        `executor "${name}": job "${job}" waits for "${teacher}", which is not a job; submit it too, or give the folder of its run`,
      );
  }
}

/** Tells those who watch an executor; one that throws is removed, because a listener never stops a run. */
export function notifyWatchers(watchers: Set<(event: JobEvent) => void>, event: JobEvent): void {
  for (const watcher of watchers)
    try {
      watcher(event);
    } catch {
      watchers.delete(watcher);
    }
}

/** An executor with a queue in this process. */
export function queueExecutor(workers: JobWorkers): Executor {
  return new JobQueue(workers);
}

class JobQueue implements Executor {
  readonly name: string;
  readonly #workers: JobWorkers;
  /** Queued and running jobs, by key. */
  readonly #entries = new Map<string, Entry>();
  /** Folders of finished runs, by key. */
  readonly #folders = new Map<string, string>();
  /** Keys of runs that teach others. */
  readonly #teachers = new Set<string>();
  /** How many are handed over. */
  #busy = 0;
  readonly #listeners = new Set<(event: JobEvent) => void>();
  #ended: JobResult[] = [];
  #wake: (() => void)[] = [];

  constructor(workers: JobWorkers) {
    this.name = workers.name;
    this.#workers = workers;
  }

  get slots(): number {
    return this.#workers.slots;
  }

  async submit(jobs: readonly Job[], edges: readonly JobEdge[]): Promise<void> {
    await this.#workers.prepare?.();
    for (const { teacher } of edges) this.#teachers.add(teacher);
    noteTeachers(this.name, { keys: this.#entries, jobs, edges, folders: this.#folders });
    const byJob = new Map<string, JobEdge[]>();
    for (const edge of edges) byJob.set(edge.job, [...(byJob.get(edge.job) ?? []), edge]);
    for (const job of jobs)
      if (!this.#entries.has(job.key))
        this.#entries.set(job.key, {
          job,
          edges: byJob.get(job.key) ?? [],
          stop: new AbortController(),
          running: false,
        });
    this.#begin();
  }

  watch(listener: (event: JobEvent) => void): () => void {
    // A wrapper, so that a listener that is added twice is called twice.
    const own = (event: JobEvent): void => listener(event);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  async cancel(keys: readonly string[] = [...this.#entries.keys()]): Promise<void> {
    for (const key of keys) this.#entries.get(key)?.stop.abort();
    for (const key of keys)
      if (this.#entries.get(key)?.running === false) this.#end(key, { status: 'interrupted' });
    this.#begin();
  }

  async collect(): Promise<readonly JobResult[]> {
    while (this.#ended.length === 0 && this.#entries.size > 0)
      await new Promise<void>((done) => this.#wake.push(done));
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  async dispose(): Promise<void> {
    await this.cancel();
    while (this.#entries.size > 0) await new Promise<void>((done) => this.#wake.push(done));
    await this.#workers.dispose?.();
  }

  /** Starts jobs that are ready, in the order of submission. */
  #begin(): void {
    const most = this.#workers.ahead ?? this.slots;
    for (const [key, entry] of this.#entries) {
      if (this.#busy >= most) return;
      if (entry.running || entry.stop.signal.aborted) continue;
      if (entry.edges.some(({ teacher }) => !this.#folders.has(teacher))) continue;
      entry.running = true;
      this.#busy++;
      void this.#carryOut(entry).then((outcome) => {
        this.#busy--;
        this.#end(key, outcome);
        this.#begin();
      });
    }
  }

  async #carryOut({ job, edges, stop: { signal } }: Entry): Promise<JobOutcome> {
    try {
      const bound = await bindJob(job, edges, this.#folders, this.#workers.open);
      if (signal.aborted) return { status: 'interrupted', run: bound.run, folder: bound.folder };
      const begin = (): void => this.#notify({ type: 'begin', ...bound });
      if (this.#workers.tellsBegin !== true) begin();
      return await this.#workers.carryOut(bound, {
        ...{ signal, begin, teaches: this.#teachers.has(job.key) },
        listener: (event) => this.#notify({ type: 'run', key: job.key, event }),
      });
    } catch (error) {
      return { status: 'failed', error: (error as Error).message };
    }
  }

  #end(key: string, outcome: JobOutcome): void {
    this.#entries.delete(key);
    this.#ended.push({ key, outcome });
    if (outcome.status === 'finished') this.#folders.set(key, outcome.folder);
    else {
      this.#folders.delete(key);
      for (const [waiting, { edges }] of this.#entries)
        if (edges.some(({ teacher }) => teacher === key))
          this.#end(waiting, { status: 'blocked', by: key });
    }
    for (const wake of this.#wake.splice(0)) wake();
  }

  #notify(event: JobEvent): void {
    notifyWatchers(this.#listeners, event);
  }
}
