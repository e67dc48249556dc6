/** A Python package as a tracker: a child process that is asked by lines of JSON, one at a time. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TrackedRun } from '@grok/core';
import { withTimeout } from '@grok/core/internal';
import type { KnownRun, TrackingSession } from './delivery.js';
import { type ConfigValue, listConfig, listScalars } from './scalars.js';

/** How a Python package is asked. */
export interface PythonOptions {
  /** The interpreter, such as `python3` or one in a virtual environment. */
  readonly python: string;
  /** Name of the package on PyPI, for errors. */
  readonly pip: string;
  /** A Python file with a function for every call. */
  readonly file: URL;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds that starting, and each call, may take; default 60,000. */
  readonly timeout?: number;
}
/** A Python process that answers calls. */
interface Python {
  /** Calls a function of the file by its keyword arguments. @throws Error in one line. */
  call<T>(name: string, given: object): Promise<T>;
  /** Ends the process once it has done what it was asked. */
  close(): Promise<void>;
  kill(): void;
}

type Answer =
  | { readonly ok: unknown }
  | { readonly error: string }
  | { readonly missing: string }
  | { readonly ready: true };

const SERVE = fileURLToPath(new URL('../python/serve.py', import.meta.url));
/** Characters of what it prints that are kept for an error. */
const KEPT = 2000;

/** Starts Python. @throws Error that says what to install, in one line. */
async function startPython(options: PythonOptions): Promise<Python> {
  const { python, pip, file, env = {}, timeout = 60_000 } = options;
  const child = spawn(python, [SERVE, fileURLToPath(file)], {
    env: { ...process.env, ...env },
    // Ctrl-C in a terminal reaches a whole group, and must not reach this.
    detached: true,
    windowsHide: true,
  });
  const answers = readAnswers(child, options);
  const ask = <T>(line?: string): Promise<T> => {
    if (line !== undefined) child.stdin.write(`${line}\n`);
    return withTimeout(
      answers.next<T>(),
      timeout,
      (seconds) => `${pip} gave no answer within ${seconds} s`,
    );
  };
  try {
    await ask();
  } catch (error) {
    child.kill();
    throw error;
  }
  return {
    call: (name, given) => ask(JSON.stringify({ call: name, given })),
    close() {
      child.stdin.end();
      return answers.ended;
    },
    kill: () => void child.kill(),
  };
}

interface Answers {
  next<T>(): Promise<T>;
  readonly ended: Promise<void>;
}

/** The answers of a process, in order; once it has ended, why. */
function readAnswers(child: ChildProcessWithoutNullStreams, options: PythonOptions): Answers {
  const { python, pip } = options;
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said = `${said}${text}`.slice(-KEPT);
  });
  child.stdin.on('error', () => {}); // its end says why
  const ended = new Promise<Error>((resolve) => {
    child.on('error', () =>
      resolve(
        new Error(
          `${python} cannot be started; install Python, or name it: python=/path/to/python`,
        ),
      ),
    );
    child.on('close', (code, signal) => {
      const last = said.trim().split('\n').at(-1) ?? '';
      resolve(new Error(`${pip} ended (${signal ?? `exit code ${code}`})${last && `: ${last}`}`));
    });
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async next<T>() {
      const line = await Promise.race([lines.next(), ended]);
      if (line instanceof Error) throw line;
      if (line.done === true) throw await ended;
      const answer: Answer = JSON.parse(line.value);
      if ('error' in answer) throw new Error(`${pip}: ${answer.error}`);
      if ('missing' in answer)
        throw new Error(
          `Python package ${answer.missing} is missing; install it: ${python} -m pip install ${pip}`,
        );
      return ('ok' in answer ? answer.ok : undefined) as T;
    },
    ended: ended.then(() => {}),
  };
}

/** What the call `open` is given of a run. */
export interface PythonRun {
  readonly id: string;
  /** The last step that was sent; null for a run that is new. */
  readonly step: number | null;
  readonly name: string;
  /** The study. */
  readonly group: string | null;
  /** The role in the study. */
  readonly kind: string | null;
  readonly config: Readonly<Record<string, ConfigValue>>;
}

/** A run as a Python package is told of it; a new one gets an id that no other has. */
export function describeTrackedRun(run: TrackedRun, { id, step }: KnownRun): PythonRun {
  const { study, slug } = run;
  return {
    id: id ?? `${run.run.slice(0, 10)}-${randomBytes(4).toString('hex')}`,
    step: id === undefined ? null : step,
    name: study?.key ?? slug,
    group: study?.name ?? null,
    kind: study?.role ?? null,
    config: listConfig(run),
  };
}

/**
 * Opens a run in a Python package whose file has the calls `open(…)`, which returns `id` and the last `step`
 * it has or None, `log(rows)`, `artifact(path, content)` and `close(status)`. @throws Error in one line.
 */
export async function openPythonSession(
  options: PythonOptions,
  given: object,
): Promise<TrackingSession> {
  const python = await startPython(options);
  try {
    const { id, step } = await python.call<{ id: string; step: number | null }>('open', given);
    return {
      id,
      ...(step === null ? {} : { step }),
      send: (rows) => python.call('log', { rows: rows.map((row) => [row.step, listScalars(row)]) }),
      sendArtifact: (path, bytes) =>
        python.call('artifact', { path, content: new TextDecoder().decode(bytes) }),
      async close(status) {
        await python.call('close', { status: status ?? null });
        await python.close();
      },
      abandon: () => python.kill(),
    };
  } catch (error) {
    python.kill();
    throw error;
  }
}
