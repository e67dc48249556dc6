/** The default executor: a process for every run, each with one thread, as many at once as there are cores. */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Executor, JobOutcome, RunListener } from '@grok/core';
import type { FromWorker, ToWorker } from './process-messages.js';

/** How processes are started. */
export interface ProcessOptions {
  /** The study's folder. */
  readonly root: string;
  /** A script that calls `serveJob`, and its arguments. */
  readonly command: readonly [script: string, ...args: string[]];
  /** Processes at once, default one a core. */
  readonly jobs?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** How much of what a process said last is told when it dies. */
const LAST_WORDS = 600;

/** An executor of child processes. A process that dies fails its job; one whose study dies saves and ends. */
export function processExecutor({ root, command, jobs, env }: ProcessOptions): Executor {
  const [script, ...args] = command;
  const slots = jobs ?? availableParallelism();
  return {
    name: 'local',
    slots,
    run: (job, { signal, listener }) =>
      new Promise<JobOutcome>((resolve) => {
        const child = fork(script, args, {
          // Ctrl-C goes to all processes of a terminal's group: these are told by the study instead.
          detached: process.platform !== 'win32', // there it would open a window
          execArgv: [],
          stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
          env: { ...(env ?? process.env) },
        });
        const tell = (message: ToWorker): void => {
          // A process that has just died is told nothing: its end says all.
          if (child.connected) child.send(message, () => {});
        };
        const stop = (): void => tell({ type: 'stop' });
        let hear: RunListener = (event) => {
          try {
            listener?.(event);
          } catch {
            hear = () => {}; // a listener never stops a run
          }
        };
        let outcome: JobOutcome | undefined;
        let words = '';
        child.stderr!.on('data', (part) => {
          words = (words + part).slice(-LAST_WORDS);
        });
        child.on('message', (message: FromWorker) => {
          if (message.type === 'ready') {
            tell({ type: 'job', job, root });
            if (signal.aborted) stop();
          } else if (message.type === 'event') hear(message.event);
          else outcome = message.outcome;
        });
        signal.addEventListener('abort', stop);
        const end = (how: string): void => {
          signal.removeEventListener('abort', stop);
          const said = words.trim() === '' ? '' : `: ${words.trim()}`;
          resolve(outcome ?? { status: 'failed', error: `its process ${how}${said}` });
        };
        child.on('error', (error) => end(`could not be started (${error.message})`));
        child.on('close', (code, by) =>
          end(by === null ? `ended with code ${code}` : `was ended by ${by}`),
        );
      }),
    async dispose() {},
  };
}
