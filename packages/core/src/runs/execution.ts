/**
 * How a run is carried out, from all that says so: flags, then the environment, then a file, then
 * defaults. A run or a study that was started before keeps what it was started with.
 */
import { InputError } from '../contracts/errors.js';
import { canonicalJson } from '../contracts/hash.js';
import type { Execution } from '../contracts/types.js';

/** Used when neither the command line nor a specification names one. */
export const DEFAULT_BACKEND = 'onnx';

/** Parts of an execution by where they come from, the strongest first. */
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
 * The execution that all sources come to.
 * @throws InputError when a flag names another backend, thread count or backend options than what was
 * started before, whose bits rest on them.
 */
export function resolveExecution(sources: ExecutionSources): Execution {
  const { flags = {}, env = {}, file = {}, recorded, defaults = {} } = sources;
  if (recorded === undefined) return [file, env, flags].reduce(layExecution, defaults);
  const kept = { ...recorded.requested, ...recorded.used };
  checkUnchanged(flags, kept, recorded);
  // What has no part in its bits may change.
  const { trackers, checkpointEvery, pin } = flags;
  return {
    ...flags,
    ...kept,
    ...(trackers === undefined ? {} : { trackers }),
    ...(checkpointEvery === undefined ? {} : { checkpointEvery }),
    ...(pin === undefined ? {} : { pin }),
  };
}

/** @throws InputError when flags name another backend, thread count or backend options than what is kept. */
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

/** One execution over another; options of a backend are left behind where another backend is named. */
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
