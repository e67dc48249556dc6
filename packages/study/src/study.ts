/**
 * Carries out a plan on an executor: teachers before their students, as many at once as it takes,
 * every begin and end in the journal. Killed anywhere and begun again, finished runs are read,
 * interrupted ones go on from their checkpoints, and failed ones are tried once more.
 */
import {
  type Execution,
  type Executor,
  InputError,
  type Registry,
  type RunEvent,
} from '@grok/core';
import { type Estimate, estimate, paceOf } from './estimate.js';
import { inspectRun, inspectStudy, isLost, type StudyFolder, type StudyRun } from './inspect.js';
import { type JournalLine, openJournal, readJournal } from './journal.js';
import { keyOf, type Plan } from './plan.js';
import { preflight } from './preflight.js';
import { claimFolder } from './reproduce.js';
import { selectRuns } from './select.js';

/** What a study is given by whoever carries it out. */
export interface StudyHost extends StudyFolder {
  readonly registry: Registry;
  readonly executor: Executor;
  /** How every run is carried out; one that goes on must agree with it. */
  readonly execution?: Execution;
  /** What a run that begins falls back to; one that goes on keeps its own. */
  readonly fresh?: Execution;
  /** Names, `@seed`s and keys of runs; their teachers come along. Default: all. */
  readonly only?: readonly string[];
  /** Forgets earlier failures, so that failed runs are tried again. */
  readonly forgive?: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: StudyEvent) => void;
}
/** What a study tells while it runs. */
export type StudyEvent = { readonly estimate: Estimate; readonly runs: readonly StudyRun[] } & (
  | { readonly type: 'study' }
  | { readonly type: 'begin' | 'end'; readonly run: StudyRun; readonly again?: boolean }
  | { readonly type: 'run'; readonly run: StudyRun; readonly event: RunEvent }
);
/** Where a study stands when it returns. */
export interface StudyResult {
  /** `failed`: all is done that could be, and some runs are lost. */
  readonly status: 'finished' | 'interrupted' | 'failed';
  /** Runs that were begun or gone on with; 0 when there was nothing to do. */
  readonly begun: number;
  /** All that were asked for, in the plan's order. */
  readonly runs: readonly StudyRun[];
}

/**
 * Runs what a study still lacks. @throws InputError on bad input in any run, before anything is
 * written, and RunError when the study's own folder cannot be written.
 */
export async function runStudy(plan: Plan, host: StudyHost): Promise<StudyResult> {
  const { registry, root, executor } = host;
  const stop = new AbortController();
  const { signal } = stop;
  preflight(plan, registry);
  const asked = new Set(selectRuns(plan, host.only ?? []));
  await claimFolder(plan, host);
  const journal: JournalLine[] = [...(await readJournal(root))];
  const append = await openJournal(root);
  const write = async (line: JournalLine): Promise<void> => {
    journal.push(line);
    await append(line);
  };
  if (host.forgive === true) await write({ type: 'forgive', at: now() });

  const all = await inspectStudy(plan, host, journal);
  const runs = new Map(all.filter(({ key }) => asked.has(key)).map((run) => [run.key, run]));
  const tell = (event: DistributiveOmit<StudyEvent, 'estimate' | 'runs'>): void => {
    const now = [...runs.values()];
    const known = estimate(now, executor.slots, paceOf(now));
    host.onEvent?.({ ...event, runs: now, estimate: known } as StudyEvent);
  };
  /** Sees anew what finished or failed teachers mean for those that wait for them. */
  const settle = async (): Promise<void> => {
    for (const [key, run] of runs)
      if (run.state === 'waiting') runs.set(key, await inspectRun(run, runs, host, journal));
  };
  const carryOut = async (before: StudyRun): Promise<void> => {
    const { key, job } = before;
    let live: StudyRun = { ...before, state: 'running' };
    runs.set(key, live);
    await write({ type: 'begin', key, run: job!.run, at: now() });
    tell({ type: 'begin', run: live });
    const { run, folder, experiment } = job!;
    const teachers = Object.fromEntries(
      Object.entries(before.needs).map(([as, name]) => [
        as,
        `../${runs.get(keyOf({ ...before, name }))!.job!.folder}`,
      ]),
    );
    const execution = {
      ...(before.manifest === undefined ? host.fresh : {}),
      ...host.execution,
      ...(Object.keys(teachers).length === 0 ? {} : { teachers }),
    };
    const outcome = await executor.run(
      { run, folder, spec: { experiment, execution } },
      {
        signal,
        listener: (event) => {
          if (event.type === 'step') return;
          live = withEvent(live, event);
          runs.set(key, live);
          tell({ type: 'run', run: live, event });
        },
      },
    );
    const error = outcome.status === 'failed' ? { error: outcome.error } : {};
    await write({ type: 'end', key, run, at: now(), status: outcome.status, ...error });
    const after = await inspectRun(before, runs, host, journal);
    runs.set(key, after);
    // An executor whose word and whose folder differ would be asked for ever.
    if (outcome.status === 'finished' && after.state !== 'finished')
      throw new InputError(
        `executor "${executor.name}": says that ${key} is finished, but ${folder} does not hold it; both must see the same folder`,
      );
    const again = outcome.status === 'failed' && after.state !== 'failed';
    tell({ type: 'end', run: { ...after, ...error }, again });
  };

  tell({ type: 'study' });
  const running = new Map<string, Promise<void>>();
  let begun = 0;
  const onAbort = (): void => stop.abort();
  host.signal?.addEventListener('abort', onAbort);
  if (host.signal?.aborted) stop.abort();
  try {
    for (;;) {
      await settle();
      for (const key of runs.keys()) {
        if (signal.aborted || running.size >= executor.slots) break;
        if (!isOpen(runs.get(key)!)) continue;
        // Looked at again: under another override the same run may have been carried out meanwhile.
        const run = await inspectRun(runs.get(key)!, runs, host, journal);
        runs.set(key, run);
        if (!isOpen(run) || running.has(run.job!.run)) continue;
        begun++;
        const { run: hash } = run.job!;
        running.set(
          hash,
          carryOut(run).finally(() => running.delete(hash)),
        );
      }
      if (running.size === 0) break;
      await Promise.race(running.values());
    }
  } finally {
    // Where one failed to be written down, the others are saved and waited for before that is told.
    stop.abort();
    await Promise.allSettled(running.values());
    host.signal?.removeEventListener('abort', onAbort);
  }
  const done = [...runs.values()];
  const left = done.some((run) => run.state !== 'finished' && !isLost(run));
  return {
    status: left ? 'interrupted' : done.some(isLost) ? 'failed' : 'finished',
    begun,
    runs: done,
  };
}

const isOpen = ({ state }: StudyRun): boolean => state === 'ready' || state === 'interrupted';

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

const now = (): string => new Date().toISOString();

/** A running run with what an event says of it. */
function withEvent(run: StudyRun, event: RunEvent): StudyRun {
  if (event.type !== 'epoch') return run;
  return { ...run, history: [...(run.history ?? []), event.row] };
}
