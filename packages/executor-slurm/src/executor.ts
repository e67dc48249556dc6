/**
 * The study's side: jobs are submitted at once, students to start after their teachers, so that the study may
 * leave. All that it asks afterwards is `squeue` and what the jobs have written.
 */
import { join } from 'node:path';
import {
  type Executor,
  type ExecutorHost,
  InputError,
  type Job,
  type JobOutcome,
  readManifest,
  readMetrics,
  type Store,
} from '@grok/core';
import {
  type BoundJob,
  type JobDocument,
  type JobEdge,
  type JobEvent,
  type JobResult,
  writeJson,
} from '@grok/core/internal';
import { checkOutcome, noteTeachers, notifyWatchers } from '@grok/study';
import { files, JOBS, nameJob, readBound, readJson, readRefs, writeRefs } from './files.js';
import { type JobArray, listArguments, type SlurmOptions, writeScript } from './script.js';
import { cancelJobs, checkSlurm, describeEnd, listJobStates, submit } from './slurm.js';

/** Most jobs of an array; Slurm's own limit is 1001 unless a cluster changed it. */
const LARGEST_ARRAY = 1000;
/** Looks without a sign after which a job is gone: what it wrote may come late over a network. */
const LOOKS = 3;

interface Entry {
  readonly job: Job;
  readonly edges: readonly JobEdge[];
  readonly id: string;
  /** Slurm's name of it, once it is submitted. */
  ref?: string;
  bound?: BoundJob | undefined;
  /** Rows of metrics that were told. */
  rows: number;
  /** Looks at which it was in no list. */
  missed: number;
  isCancelled: boolean;
}

/** Makes the executor of a study. */
export function submitToSlurm(options: SlurmOptions): (host: ExecutorHost) => Executor {
  return (host) => new SlurmExecutor(options, host);
}

class SlurmExecutor implements Executor {
  readonly name = 'slurm';
  readonly #options: SlurmOptions;
  readonly #host: ExecutorHost;
  readonly #root: string;
  readonly #command: readonly string[];
  readonly #jobs: Store;
  readonly #entries = new Map<string, Entry>();
  /** Folders of finished runs, by key. */
  readonly #folders = new Map<string, string>();
  readonly #listeners = new Set<(event: JobEvent) => void>();
  #ended: JobResult[] = [];
  #running = 0;
  #wake: () => void = () => {};
  #isAway = false;

  constructor(options: SlurmOptions, host: ExecutorHost) {
    if (host.worker === undefined)
      throw new InputError('executor "slurm": needs a study in a folder that the nodes see');
    const { root, command } = host.worker;
    const [script, , ...plugins] = command;
    this.#options = options;
    this.#host = host;
    this.#root = root;
    // The plugins of the study's own workers go along.
    this.#command = [process.execPath, script, 'worker', '--executor', 'slurm', ...plugins];
    this.#jobs = host.open(JOBS);
  }

  get slots(): number {
    return Math.max(1, this.#running);
  }

  async submit(jobs: readonly Job[], edges: readonly JobEdge[]): Promise<void> {
    await checkSlurm();
    noteTeachers(this.name, { keys: this.#entries, jobs, edges, folders: this.#folders });
    const refs = await readRefs(this.#jobs);
    const states = await listJobStates();
    const added: Entry[] = [];
    for (const job of jobs.filter(({ key }) => !this.#entries.has(key))) {
      const own = edges.filter((edge) => edge.job === job.key);
      const id = nameJob(job.key);
      const entry: Entry = { job, edges: own, id, rows: 0, missed: 0, isCancelled: false };
      const ref = refs.get(id);
      // A study before this one submitted it, and it is still there.
      if (ref !== undefined && states.has(ref)) entry.ref = ref;
      else added.push(entry);
      this.#entries.set(job.key, entry);
    }
    await this.#submitAll(added, refs);
  }

  watch(listener: (event: JobEvent) => void): () => void {
    const own = (event: JobEvent): void => listener(event);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  async cancel(keys: readonly string[] = [...this.#entries.keys()]): Promise<void> {
    const found = keys.flatMap((key) => this.#entries.get(key) ?? []);
    for (const entry of found) entry.isCancelled = true;
    await cancelJobs(found.flatMap(({ ref }) => ref ?? []));
    this.#wake();
  }

  async collect(): Promise<readonly JobResult[]> {
    while (this.#ended.length === 0 && this.#entries.size > 0) {
      await this.#look();
      if (this.#ended.length > 0) break;
      await new Promise<void>((done) => {
        const timer = setTimeout(done, 1000 * this.#options.pollSeconds);
        this.#wake = () => {
          clearTimeout(timer);
          done();
        };
      });
    }
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  async dispose(): Promise<void> {
    await this.cancel();
    while ((await this.collect()).length > 0);
  }

  /** Submits jobs, those that teach first: the others name them. */
  async #submitAll(added: readonly Entry[], refs: Map<string, string>): Promise<void> {
    for (const entry of added) await this.#writeJob(entry);
    for (let left = added; left.length > 0; ) {
      const ready = left.filter((entry) => this.#isReady(entry));
      if (ready.length === 0)
        throw new InputError(`executor "slurm": job "${left[0]?.job.key}" waits for itself`);
      for (const array of groupJobs(ready, (entry) => this.#listAfter(entry))) {
        const logs = join(this.#root, JOBS);
        const script = writeScript(array, this.#root, this.#command);
        const number = await submit(listArguments(array, logs, this.#options), script);
        for (const [index, entry] of array.entries.entries()) {
          entry.ref = `${number}_${index}`;
          refs.set(entry.id, entry.ref);
        }
        await writeRefs(this.#jobs, refs);
      }
      left = left.filter((entry) => entry.ref === undefined);
    }
  }

  async #writeJob({ id, job, edges }: Entry): Promise<void> {
    const document: JobDocument = {
      format: 'grok job 1',
      packages: this.#host.packages ?? {},
      root: this.#root,
      job,
      edges: edges.map((edge) => {
        const folder = edge.folder ?? this.#folders.get(edge.teacher);
        return folder === undefined ? edge : { ...edge, folder };
      }),
    };
    await this.#jobs.remove(files(id).outcome);
    await this.#jobs.remove(files(id).bound);
    await writeJson(this.#jobs, files(id).job, document);
  }

  #isReady({ edges }: Entry): boolean {
    return edges.every(
      ({ teacher }) => this.#folders.has(teacher) || this.#entries.get(teacher)?.ref !== undefined,
    );
  }

  /** Slurm's names of the teachers that are not finished. */
  #listAfter({ edges }: Entry): readonly string[] {
    const refs = edges.flatMap(({ teacher }) =>
      this.#folders.has(teacher) ? [] : (this.#entries.get(teacher)?.ref ?? []),
    );
    return [...new Set(refs)].sort();
  }

  /** Looks once at every job. */
  async #look(): Promise<void> {
    try {
      const states = await listJobStates();
      const written = new Set(await this.#jobs.list(''));
      this.#running = [...states.values()].filter((state) => state === 'RUNNING').length;
      for (const [key, entry] of [...this.#entries])
        await this.#lookAt(key, entry, states, written);
      this.#isAway = false;
    } catch (error) {
      // The controller may be away for a while; the jobs go on without it.
      if (!this.#isAway)
        this.#host.notice?.(`executor "slurm": ${(error as Error).message}; asking again`);
      this.#isAway = true;
    }
  }

  async #lookAt(
    key: string,
    entry: Entry,
    states: ReadonlyMap<string, string>,
    written: ReadonlySet<string>,
  ): Promise<void> {
    if (!this.#entries.has(key)) return; // it was blocked by one before
    if (written.has(files(entry.id).bound)) await this.#tell(entry);
    if (written.has(files(entry.id).outcome)) {
      const value = await readJson(this.#jobs, files(entry.id).outcome);
      await this.#end(key, checkOutcome(value, key));
    } else if (entry.ref !== undefined && states.has(entry.ref)) entry.missed = 0;
    else if (++entry.missed >= (entry.isCancelled ? 1 : LOOKS))
      await this.#end(key, await describeMissing(entry));
  }

  /** Tells that a job has begun, and the epochs that its run has written. */
  async #tell(entry: Entry): Promise<void> {
    if (entry.bound === undefined) {
      entry.bound = await readBound(this.#jobs, entry.id);
      if (entry.bound === undefined) return;
      this.#notify({ type: 'begin', ...entry.bound });
    }
    const store = this.#host.open(entry.bound.folder);
    const rows = await readManifest(store)
      .then((manifest) => readMetrics(store, manifest))
      .catch(() => []); // being written
    for (const row of rows.slice(entry.rows))
      this.#notify({ type: 'run', key: entry.job.key, event: { type: 'epoch', row } });
    entry.rows = Math.max(entry.rows, rows.length);
  }

  async #end(key: string, outcome: JobOutcome): Promise<void> {
    this.#entries.delete(key);
    this.#ended.push({ key, outcome });
    if (outcome.status === 'finished') {
      this.#folders.set(key, outcome.folder);
      return;
    }
    this.#folders.delete(key);
    const blocked = [...this.#entries].filter(([, { edges }]) =>
      edges.some(({ teacher }) => teacher === key),
    );
    await cancelJobs(blocked.flatMap(([, { ref }]) => ref ?? []));
    for (const [waiting] of blocked)
      if (this.#entries.has(waiting)) await this.#end(waiting, { status: 'blocked', by: key });
  }

  #notify(event: JobEvent): void {
    notifyWatchers(this.#listeners, event);
  }
}

/** How a job ended that is in no list and wrote nothing. */
async function describeMissing({ ref, bound, isCancelled, job }: Entry): Promise<JobOutcome> {
  const place = bound === undefined ? {} : { run: bound.run, folder: bound.folder };
  if (isCancelled) return { status: 'interrupted', ...place };
  if (ref === undefined) return { status: 'failed', error: `${job.key}: was not submitted` };
  return { status: 'failed', error: `Slurm job ${ref} ended: ${await describeEnd(ref)}`, ...place };
}

/** Arrays of jobs that wait for the same and need the same. */
function groupJobs(
  entries: readonly Entry[],
  listAfter: (entry: Entry) => readonly string[],
): readonly (JobArray & { readonly entries: readonly Entry[] })[] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const { execution, defaults } = entry.job;
    const threads = execution?.threads ?? defaults?.threads ?? 1;
    const name = JSON.stringify([threads, listAfter(entry)]);
    const group = groups.get(name) ?? [];
    group.push(entry);
    groups.set(name, group);
  }
  return [...groups].flatMap(([name, group]) => {
    const [threads, after]: [number, string[]] = JSON.parse(name);
    return Array.from({ length: Math.ceil(group.length / LARGEST_ARRAY) }, (_, part) => {
      const own = group.slice(part * LARGEST_ARRAY, (part + 1) * LARGEST_ARRAY);
      return { threads, after, entries: own, ids: own.map(({ id }) => id) };
    });
  });
}
