/**
 * An executor of whatever can carry out one job: it keeps the queue, the edges between jobs and the
 * slots. It lives as long as its process; what it did stands in the runs' folders.
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

/** Something that carries out one job at a time in each of its slots. */
export interface JobWorkers {
  readonly name: string;
  /** How many jobs at once. */
  readonly slots: number;
  /** A run's folder, by name. */
  readonly open: (folder: string) => Store;
  /** Never rejects. When `signal` aborts, the run's state is saved and the outcome is `interrupted`. */
  readonly carryOut: (
    job: BoundJob,
    how: { readonly signal: AbortSignal; readonly listener: RunListener },
  ) => Promise<JobOutcome>;
  readonly dispose?: () => Promise<void>;
}
interface Entry {
  readonly job: Job;
  readonly edges: readonly JobEdge[];
  readonly stop: AbortController;
  running: boolean;
}

/** An executor with a queue in this process. */
export function queueExecutor(workers: JobWorkers): Executor {
  return new JobQueue(workers);
}

class JobQueue implements Executor {
  readonly name: string;
  readonly slots: number;
  readonly #workers: JobWorkers;
  /** Queued and running, by key. */
  readonly #entries = new Map<string, Entry>();
  /** Folders of finished runs, by key. */
  readonly #folders = new Map<string, string>();
  readonly #listeners = new Set<(event: JobEvent) => void>();
  #ended: JobResult[] = [];
  #wake: (() => void)[] = [];

  constructor(workers: JobWorkers) {
    this.name = workers.name;
    this.slots = workers.slots;
    this.#workers = workers;
  }

  async submit(jobs: readonly Job[], edges: readonly JobEdge[]): Promise<void> {
    const known = new Set([...this.#entries.keys(), ...jobs.map(({ key }) => key)]);
    for (const { job, teacher, folder } of edges) {
      if (folder !== undefined) this.#folders.set(teacher, folder);
      else if (!known.has(teacher) && !this.#folders.has(teacher))
        throw new InputError(
          `executor "${this.name}": job "${job}" waits for "${teacher}", which is not a job; submit it too, or give the folder of its run`,
        );
    }
    for (const job of jobs)
      if (!this.#entries.has(job.key))
        this.#entries.set(job.key, {
          job,
          edges: edges.filter((edge) => edge.job === job.key),
          stop: new AbortController(),
          running: false,
        });
    this.#begin();
  }

  watch(listener: (event: JobEvent) => void): () => void {
    // A function of its own: one that listens twice is called twice.
    const own = (event: JobEvent): void => listener(event);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  async cancel(keys: readonly string[] = [...this.#entries.keys()]): Promise<void> {
    for (const key of keys) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      entry.stop.abort();
      if (!entry.running) this.#end(key, { status: 'interrupted' });
    }
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

  /** Begins what can begin, in the order of submission. */
  #begin(): void {
    let busy = [...this.#entries.values()].filter(({ running }) => running).length;
    for (const [key, entry] of this.#entries) {
      if (busy >= this.slots) return;
      if (entry.running || entry.edges.some(({ teacher }) => !this.#folders.has(teacher))) continue;
      entry.running = true;
      busy++;
      void this.#carryOut(entry).then((outcome) => this.#end(key, outcome));
    }
  }

  async #carryOut({ job, edges, stop: { signal } }: Entry): Promise<JobOutcome> {
    try {
      const bound = await bindJob(job, edges, this.#folders, this.#workers.open);
      if (signal.aborted) return { status: 'interrupted', run: bound.run, folder: bound.folder };
      this.#notify({ type: 'begin', ...bound });
      return await this.#workers.carryOut(bound, {
        signal,
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
    this.#begin();
  }

  #notify(event: JobEvent): void {
    for (const listener of this.#listeners)
      try {
        listener(event);
      } catch {
        this.#listeners.delete(listener); // a listener never stops a run
      }
  }
}
