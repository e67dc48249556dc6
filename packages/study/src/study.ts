/**
 * Runs a study on an executor: teachers before their students, as many at once as the executor
 * allows, with every start and end in the journal. All state is in the study folder: if a study is
 * killed and started again, it reads finished runs, resumes interrupted ones from their
 * checkpoints, waits for jobs that are still running, and retries failed ones.
 */
import {
  type Execution,
  type Executor,
  InputError,
  type Job,
  type JobOutcome,
  openBackend,
  type Registry,
  RunError,
  type RunEvent,
} from '@grok/core';
import {
  type JobEdge,
  type JobEvent,
  type JobResult,
  type PinnedPoints,
  type StudyRef,
  whileHeld,
} from '@grok/core/internal';
import { findPins } from './bind.js';
import { type Estimate, estimate, measurePace } from './estimate.js';
import {
  findBegun,
  findFailures,
  type JournalLine,
  openJournal,
  readJournal,
  type Write,
} from './journal.js';
import { orderByTeachers, type PlannedRun } from './planned-runs.js';
import { preflight } from './preflight.js';
import { findSameRuns } from './same-runs.js';
import { selectRuns } from './select.js';
import { resolveStudyExecution, writeStudyExecution } from './study-execution.js';
import {
  claimFolder,
  plannedRuns,
  type StudySource,
  sourceTitle,
  withControls,
} from './study-folder.js';
import {
  findAbsentTeachers,
  isFinished,
  isLost,
  loadRun,
  loadStudy,
  RETRIES,
  type StudyFolder,
  type StudyRecord,
  type StudyRun,
} from './study-run.js';

/** The environment of a study. */
export interface StudyHost extends StudyFolder {
  readonly registry: Registry;
  readonly executor: Executor;
  /** Execution settings of all runs; a continued study or run must agree with them. */
  readonly execution?: Execution;
  /** Default settings of a new study; a continued study keeps its own. */
  readonly defaults?: Execution;
  /** Names, `@seed`s and keys of runs to train, with their teachers. Default: all. */
  readonly only?: readonly string[];
  /** How often a failed run is retried (default 1). */
  readonly retries?: number;
  /** Whether `preflight` was already done; then it is skipped. */
  readonly isChecked?: boolean;
  /** Whether to stop at the first failed run by throwing its error; no journal is written then. */
  readonly failFast?: boolean;
  /** Whether to retry runs that failed before. */
  readonly forgive?: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: StudyEvent) => void;
}
/** The state of a running study. */
export interface StudyView {
  /** All requested runs, in order. */
  readonly runs: readonly StudyRun[];
  readonly estimate: Estimate;
}
/** An event of a running study. */
export type StudyEvent = { readonly study: StudyView } & (
  | { readonly type: 'study' }
  | { readonly type: 'begin'; readonly run: StudyRun }
  | { readonly type: 'end'; readonly run: StudyRun; readonly again?: boolean }
  | { readonly type: 'run'; readonly run: StudyRun; readonly event: RunEvent }
);
/** The result of a study. */
export interface StudyResult {
  /** `failed`: everything possible was done, and some runs failed. */
  readonly status: 'finished' | 'interrupted' | 'failed';
  /** Number of runs that were started or continued; 0 if there was nothing to do. */
  readonly begun: number;
  /** All requested runs, in order. */
  readonly runs: readonly StudyRun[];
}

/**
 * Trains all unfinished runs of a study.
 * @throws InputError on bad input in any run, before anything is written; RunError if another process works in
 * the study folder or it cannot be written.
 */
export async function runStudy(given: StudySource, host: StudyHost): Promise<StudyResult> {
  const source = withControls(given, host.registry);
  const planned = plannedRuns(source);
  if (host.isChecked !== true) preflight(planned, host.registry, sourceTitle(source));
  const selected = new Set(selectRuns(planned, host.only ?? []));
  const wanted = planned.filter(({ key }) => selected.has(key));
  return whileHeld(host.root, async ({ store: root, lost }) => {
    const runner = await openRunner(source, wanted, { ...host, root });
    const stop = AbortSignal.any([lost, ...(host.signal === undefined ? [] : [host.signal])]);
    const cancel = (): void => void host.executor.cancel();
    stop.addEventListener('abort', cancel);
    try {
      return await runner.run(stop);
    } finally {
      stop.removeEventListener('abort', cancel);
    }
  });
}

/** Claims the study folder and records its execution settings. */
async function openRunner(
  source: StudySource,
  wanted: readonly PlannedRun[],
  host: StudyHost,
): Promise<StudyRunner> {
  const { registry, root } = host;
  let execution = await resolveStudyExecution(root, host);
  await claimFolder(source, root, async () => {
    const backend = await openBackend(registry, execution);
    // The default number of threads differs between machines.
    execution = { threads: backend.capabilities.threads, ...execution };
    await backend.dispose();
  });
  await writeStudyExecution(root, execution);
  const kept = { ...host, defaults: execution, title: sourceTitle(source) };
  return host.failFast === true
    ? new StudyRunner(wanted, kept, [], async () => {})
    : new StudyRunner(wanted, kept, [...(await readJournal(root))], await openJournal(root));
}

/** The coordinator of one study. */
class StudyRunner {
  readonly #host: StudyHost & { readonly title: string };
  readonly #planned: readonly PlannedRun[];
  readonly #journal: JournalLine[];
  readonly #append: Write;
  readonly #retries: number;
  /** By key. */
  readonly #runs = new Map<string, StudyRun>();
  /** Maps each key to the first key of the same run. */
  readonly #same: ReadonlyMap<string, string>;
  /** Keys of jobs submitted to the executor. */
  readonly #submitted = new Set<string>();
  /** Points that teachers must pin, by key. */
  readonly #pins: ReadonlyMap<string, PinnedPoints>;
  #begun = 0;

  constructor(
    planned: readonly PlannedRun[],
    host: StudyHost & { readonly title: string },
    journal: JournalLine[],
    append: Write,
  ) {
    this.#host = host;
    this.#planned = planned;
    this.#journal = journal;
    this.#append = append;
    this.#retries = host.failFast === true ? 0 : (host.retries ?? RETRIES);
    this.#same = findSameRuns(planned);
    this.#pins = findPins(planned, this.#same);
  }

  async run(stop: AbortSignal): Promise<StudyResult> {
    const { executor, forgive } = this.#host;
    if (forgive === true && findFailures(this.#journal).size > 0)
      await this.#write({ type: 'forgive', at: now() });
    for (const run of await loadStudy(this.#planned, this.#host, this.#records()))
      this.#runs.set(run.key, run);
    for (const key of findAbsentTeachers([...this.#runs.values()], this.#same)) {
      const teacher = this.#runs.get(key);
      if (teacher !== undefined) this.#runs.set(key, { ...teacher, state: 'ready' });
    }
    this.#tell({ type: 'study' });
    const lost = [...this.#runs.values()].find(isLost);
    if (this.#host.failFast === true && lost !== undefined)
      throw new InputError(lost.error ?? `${lost.key}: is ${lost.state}`);
    const unwatch = executor.watch((event) => this.#hear(event));
    try {
      await this.#carryOut(stop);
    } finally {
      // If recording one outcome fails, the other jobs are saved and awaited before the error is
      // thrown.
      await executor.cancel();
      while ((await executor.collect()).length > 0);
      unwatch();
    }
    return this.#conclude();
  }

  /** Submits jobs and handles their results until nothing is left. */
  async #carryOut(stop: AbortSignal): Promise<void> {
    for (;;) {
      if (!stop.aborted) await this.#submit();
      const ended = await this.#host.executor.collect();
      if (ended.length === 0) return;
      for (const result of ended) await this.#settle(result);
      await this.#lookAgain();
    }
  }

  #conclude(): StudyResult {
    const runs = [...this.#runs.values()];
    const left = runs.some((run) => run.state !== 'finished' && !isLost(run));
    return {
      status: left ? 'interrupted' : runs.some(isLost) ? 'failed' : 'finished',
      begun: this.#begun,
      runs,
    };
  }

  /** Reads the state of runs that wait for others. */
  async #lookAgain(): Promise<void> {
    for (const { key } of orderByTeachers(this.#planned)) {
      const run = this.#runs.get(key);
      if (run?.state === 'waiting')
        this.#runs.set(key, await loadRun(run, this.#runs, this.#host, this.#records()));
    }
  }

  /** Submits the remaining runs, with their dependencies on unfinished teachers. */
  async #submit(): Promise<void> {
    const open = orderByTeachers(this.#planned).filter(({ key }) => this.#isOpen(key));
    if (open.length === 0) return;
    for (const { key } of open) this.#submitted.add(key);
    await this.#host.executor.submit(
      open.map((run) => this.#jobOf(run)),
      open.flatMap((run) => this.#edgesOf(run)),
    );
  }

  /** Whether a run is unfinished, not submitted, and the first key of its run. */
  #isOpen(key: string): boolean {
    const { state } = this.#runs.get(key) ?? {};
    const isLeft = state === 'waiting' || state === 'ready' || state === 'interrupted';
    return isLeft && this.#first(key) === key && !this.#submitted.has(key);
  }

  #jobOf({ key, name, role, override, experiment }: PlannedRun): Job {
    const { execution, defaults, title } = this.#host;
    const arm = override === undefined ? name : `${override}/${name}`;
    const study: StudyRef = { name: title, key, arm, role };
    const pin = this.#pins.get(key);
    return {
      ...{ key, experiment },
      execution: { ...execution, study, ...(pin === undefined ? {} : { pin }) },
      ...(defaults === undefined ? {} : { defaults }),
    };
  }

  #edgesOf({ key: job, needs }: PlannedRun): JobEdge[] {
    return Object.entries(needs).map(([as, { key, at }]) => {
      const teacher = this.#first(key);
      const run = this.#runs.get(teacher);
      const edge = { job, as, teacher, at };
      return run !== undefined && isFinished(run) ? { ...edge, folder: run.folder } : edge;
    });
  }

  /** Handles the start of a job or an event of its run. */
  #hear(event: JobEvent): void {
    const run = this.#runs.get(event.key);
    if (run === undefined) return;
    if (event.type === 'begin') {
      const { key, run: hash, folder, spec } = event;
      const live: StudyRun = {
        ...run,
        ...{ state: 'running', run: hash, folder, experiment: spec.experiment },
      };
      this.#runs.set(key, live);
      this.#begun++;
      // If this write fails, the next one, which is awaited, fails too.
      this.#write({ type: 'begin', key, run: hash, at: now() }).catch(() => {});
      this.#tell({ type: 'begin', run: live });
      return;
    }
    const live = withEvent(run, event.event);
    this.#runs.set(event.key, live);
    this.#tell({ type: 'run', run: live, event: event.event });
  }

  /** Handles the end of a job; its outcome counts only if the run's folder agrees. */
  async #settle({ key, outcome }: JobResult): Promise<void> {
    const before = this.#runs.get(key);
    this.#submitted.delete(key);
    if (before === undefined || outcome.status === 'blocked') return;
    // It was canceled before it started.
    if (outcome.status === 'interrupted' && outcome.run === undefined) return;
    if (outcome.status === 'failed' && outcome.notBegun === true)
      throw new RunError(
        `${key}: ${outcome.error}; no run was marked as failed: fix the installation, then resume the study`,
      );
    await this.#write(endLine(key, outcome));
    const after = await this.#readAll(before);
    const { executor } = this.#host;
    // If an executor's outcome contradicts the folder, the job would be retried forever.
    if (outcome.status === 'finished' && after.state !== 'finished')
      throw new InputError(
        after.error ??
          `executor "${executor.name}": reports ${key} as finished, but ${outcome.folder} does not contain it; both must use the same folder`,
      );
    if (outcome.status !== 'failed') return this.#tell({ type: 'end', run: after });
    const { error } = outcome;
    this.#tell({ type: 'end', run: { ...after, error }, again: after.state !== 'failed' });
    if (this.#host.failFast === true && isLost(after)) throw describeFailure(after, outcome);
  }

  /** Reads the state of a run from its folder, and of all keys of the same run. */
  async #readAll(run: StudyRun): Promise<StudyRun> {
    for (const { key } of this.#planned) {
      const same = this.#runs.get(key);
      if (same !== undefined && this.#first(key) === run.key)
        this.#runs.set(key, await loadRun(same, this.#runs, this.#host, this.#records()));
    }
    return this.#runs.get(run.key) ?? run;
  }

  #records(): Required<StudyRecord> {
    const journal = this.#journal;
    return {
      failures: findFailures(journal),
      begun: findBegun(journal),
      retries: this.#retries,
    };
  }

  async #write(line: JournalLine): Promise<void> {
    this.#journal.push(line);
    await this.#append(line);
  }

  #first(key: string): string {
    return this.#same.get(key) ?? key;
  }

  #tell(event: DistributiveOmit<StudyEvent, 'study'>): void {
    const { onEvent, executor } = this.#host;
    if (onEvent === undefined) return;
    const runs = this.#runs;
    const study: StudyView = {
      get runs() {
        return [...runs.values()];
      },
      get estimate() {
        return estimate(study.runs, executor.slots, measurePace(study.runs));
      },
    };
    onEvent({ ...event, study });
  }
}

function endLine(key: string, outcome: Exclude<JobOutcome, { status: 'blocked' }>): JournalLine {
  const { status, run } = outcome;
  return {
    ...{ type: 'end', key, run: run ?? key, at: now(), status },
    ...(status === 'failed' ? { error: outcome.error } : {}),
  };
}

function describeFailure(
  { name, seed }: StudyRun,
  { error, badInput }: Extract<JobOutcome, { status: 'failed' }>,
): Error {
  return badInput === true
    ? new InputError(error)
    : new RunError(`${name} (seed ${seed}): ${error}`);
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

const now = (): string => new Date().toISOString();

/** Updates a running run from an event. */
function withEvent(run: StudyRun, event: RunEvent): StudyRun {
  if (event.type !== 'epoch') return run;
  return { ...run, history: [...(run.history ?? []), event.row] };
}
