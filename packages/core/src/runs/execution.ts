/**
 * Merges the execution settings of a run from all sources: flags, the environment, a file, then
 * defaults. A run or study that was already started keeps the settings it was started with.
 */
import { InputError } from '../contracts/errors.js';
import { canonicalJson } from '../contracts/hash.js';
import type { Execution } from '../contracts/types.js';

/** Used when neither the command line nor a specification names a backend. */
export const DEFAULT_BACKEND = 'onnx';

/** Execution settings by source, in order of priority. */
export interface ExecutionSources {
  /** Explicit settings; those of a started run must agree with them. */
  readonly flags?: Execution;
  readonly env?: Execution;
  readonly file?: Execution;
  /** Settings of the started run; they override the environment, files and defaults. */
  readonly recorded?: RecordedExecution | undefined;
  readonly defaults?: Execution;
}
/** How a run or a study was started. */
export interface RecordedExecution {
  readonly subject: 'run' | 'study';
  /** Its folder, for error messages. */
  readonly where: string;
  /** The settings that it was started with. */
  readonly requested: Execution;
  /** The number of threads that was used; a single-threaded backend ignores larger numbers. */
  readonly used?: Execution | undefined;
}

/**
 * Merges all sources into one execution.
 * @throws InputError when a flag changes the backend, thread count or backend options of a run that
 * was already started, since its bits depend on them.
 */
export function resolveExecution(sources: ExecutionSources): Execution {
  const { flags = {}, env = {}, file = {}, recorded, defaults = {} } = sources;
  if (recorded === undefined) return [file, env, flags].reduce(layExecution, defaults);
  const kept = { ...recorded.requested, ...recorded.used };
  checkUnchanged(flags, kept, recorded);
  // These do not affect the bits and may change.
  const { trackers, checkpointEvery, pin } = flags;
  return {
    ...flags,
    ...kept,
    ...(trackers === undefined ? {} : { trackers }),
    ...(checkpointEvery === undefined ? {} : { checkpointEvery }),
    ...(pin === undefined ? {} : { pin }),
  };
}

/** @throws InputError when flags change the recorded backend, thread count or backend options. */
function checkUnchanged(flags: Execution, kept: Execution, recorded: RecordedExecution): void {
  for (const key of ['backend', 'threads'] as const) {
    const [before, now] = [kept[key], flags[key]];
    if (now === undefined || before === undefined) continue;
    if (now !== before && now !== recorded.requested[key])
      throw contradiction(recorded, key, before, now);
  }
  const [given = '', own = ''] = [flags, kept].map((it) => canonicalJson(it.backendOptions ?? {}));
  if (given !== '{}' && given !== own) throw contradiction(recorded, 'backendOptions', own, given);
}

/** Merges `over` into `under`; backend options are dropped when another backend is named. */
function layExecution(under: Execution, over: Execution): Execution {
  const isOther = over.backend !== undefined && over.backend !== (under.backend ?? DEFAULT_BACKEND);
  const { backendOptions, ...rest } = under;
  return isOther || backendOptions === undefined ? { ...rest, ...over } : { ...under, ...over };
}

function contradiction(
  { subject, where }: RecordedExecution,
  key: string,
  before: string | number,
  now: string | number,
): InputError {
  const flag = key === 'backendOptions' ? 'leave them out' : `use --${key} ${before}`;
  return new InputError(
    `${where}: ${subject} was started with ${key}=${before}; resuming with ${key}=${now} would not be bit-exact; ${flag}, or use a new --out folder`,
    { code: 'contradicts-recorded', data: { key, before, now } },
  );
}
