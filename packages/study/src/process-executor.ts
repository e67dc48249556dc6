/** The default executor: one single-threaded process per run, as many at once as there are cores. */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import {
  type Component,
  defineExecutor,
  definePlugin,
  type Executor,
  InputError,
  integer,
  type JobOutcome,
  type Plugin,
  type RunListener,
  type Store,
  schema,
} from '@grok/core';
import { type BoundJob, whileHeld } from '@grok/core/internal';
import { inline } from './inline.js';
import type { FromChild, ToChild } from './process-messages.js';
import { queueExecutor } from './queue-executor.js';

/** How worker processes are started. */
export interface ProcessOptions {
  /** The study's folder. */
  readonly root: string;
  /** Opens a run folder in it by name. */
  readonly open: (folder: string) => Store;
  /** The script that calls `serveJob`, and its arguments. */
  readonly command: readonly [script: string, ...args: string[]];
  /** Number of parallel processes (default: one per core). */
  readonly jobs?: number | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** How many characters of a process's last output are reported when it dies. */
const LAST_WORDS = 600;
/** Delays before restarting a process that could not load its modules. */
const PAUSES_MS = [250, 1000];

/**
 * An executor with child processes. If a process dies, its job fails; if the study dies, the processes save and
 * exit.
 */
export function processExecutor(options: ProcessOptions): Executor {
  return queueExecutor({
    name: 'processes',
    slots: options.jobs ?? availableParallelism(),
    open: options.open,
    carryOut: (job, how) => runInProcess(options, job, how),
  });
}

/** The executor `processes`, as a component. */
export const processes: Component<'executor', { readonly jobs?: number }> = defineExecutor({
  name: 'processes',
  summary: 'One process per run, as many in parallel as there are cores.',
  options: schema({
    jobs: integer()
      .positive()
      .optional()
      .describe('number of parallel runs (default: one per core)'),
  }),
  create:
    ({ jobs }) =>
    ({ open, worker }) => {
      if (worker === undefined)
        throw new InputError(
          'executor "processes": this program cannot start child processes; use the executor "inline"',
        );
      return processExecutor({ ...worker, open, jobs });
    },
});

/** The executors `inline` and `processes`. */
export const executors: Plugin = definePlugin({
  name: '@grok/study',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [inline, processes],
});

/** A process that exited before it could take its job. */
type NotLoaded = { readonly status: 'not loaded'; readonly error: string };

/** Executes a job in a process. A process that cannot load its modules is restarted, since they may be being replaced. */
async function runInProcess(
  options: ProcessOptions,
  job: BoundJob,
  how: { readonly signal: AbortSignal; readonly listener: RunListener },
): Promise<JobOutcome> {
  const { run, folder } = job;
  for (let tries = 0; ; tries++) {
    const outcome = await startProcess(options, job, how);
    if (outcome.status !== 'not loaded') return outcome;
    if (how.signal.aborted) return { status: 'interrupted', run, folder };
    const pause = PAUSES_MS[tries];
    if (pause === undefined)
      return { status: 'failed', error: outcome.error, notBegun: true, run, folder };
    await wait(pause);
  }
}

function startProcess(
  { root, open, command: [script, ...args], env }: ProcessOptions,
  job: BoundJob,
  { signal, listener }: { readonly signal: AbortSignal; readonly listener: RunListener },
): Promise<JobOutcome | NotLoaded> {
  const { run, folder } = job;
  return new Promise((resolve) => {
    const child = fork(script, args, {
      // Ctrl-C goes to every process in the terminal's group; the study signals these processes
      // itself.
      detached: process.platform !== 'win32', // would open a window on Windows
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...(env ?? process.env) },
    });
    const tell = (message: ToChild): void => {
      // A process that just died needs no message: its exit is handled separately.
      if (child.connected) child.send(message, () => {});
    };
    const stop = (): void => tell({ type: 'stop' });
    let outcome: JobOutcome | undefined;
    let words = '';
    let ready = false;
    child.stderr?.on('data', (part) => {
      words = (words + part).slice(-LAST_WORDS);
    });
    child.on('message', (message: FromChild) => {
      if (message.type === 'ready') {
        ready = true;
        tell({ type: 'job', job, root });
        if (signal.aborted) stop();
      } else if (message.type === 'event') listener(message.event);
      else outcome = message.outcome;
    });
    signal.addEventListener('abort', stop);
    const end = async (how: string, byItself: boolean): Promise<void> => {
      signal.removeEventListener('abort', stop);
      // A killed process leaves its lease in the run's folder.
      if (outcome === undefined) await whileHeld(open(folder), async () => {}).catch(() => {});
      const said = words.trim() === '' ? '' : `: ${words.trim()}`;
      const error = `its process ${how}${said}`;
      if (byItself && !ready) resolve({ status: 'not loaded', error });
      else resolve(outcome ?? { status: 'failed', error, run, folder });
    };
    child.on('error', (error) => void end(`could not be started (${error.message})`, true));
    child.on(
      'close',
      (code, by) =>
        void end(by === null ? `ended with code ${code}` : `was ended by ${by}`, by === null),
    );
  });
}
