/** Identifies a process on a machine, so that others can tell whether it is still running. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';

/** The identity of a process as it is written to disk; fields the system does not provide are left out. */
export interface ProcessStamp {
  readonly host: string;
  /** The machine's boot id: process ids restart with it, and machines may share a host name. */
  readonly boot?: string;
  /** The PID namespace: containers on one machine have their own. */
  readonly space?: string;
  readonly pid: number;
  /** When the process started, since ids are reused. */
  readonly began?: string;
  readonly thread?: number;
}

/** The state of a process; `unknown` on another machine or in another container. */
export type ProcessState = 'this thread' | 'runs' | 'ended' | 'unknown';

/** The stamp of this process. */
export function ownStamp(): ProcessStamp {
  const began = readStart(process.pid);
  return {
    host: hostname(),
    ...given('boot', readText('/proc/sys/kernel/random/boot_id')),
    ...given('space', readSpace()),
    pid: process.pid,
    ...given('began', began),
    thread: threadId,
  };
}

/** Whether a process is still running; a zombie is not. */
export function findState(stamp: ProcessStamp): ProcessState {
  const own = ownStamp();
  if (stamp.host !== own.host || stamp.boot !== own.boot || stamp.space !== own.space)
    return 'unknown';
  if (stamp.pid === own.pid && stamp.began === own.began)
    return (stamp.thread ?? 0) === own.thread ? 'this thread' : 'unknown';
  try {
    process.kill(stamp.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return 'ended';
  }
  const began = readStart(stamp.pid);
  if (began === 'ended') return 'ended';
  // Without a start time, it may be another process with the same id.
  if (began === undefined || stamp.began === undefined) return 'unknown';
  return began === stamp.began ? 'runs' : 'ended';
}

/** Describes a process for people. */
export function describeProcess({ host, boot, space, pid }: ProcessStamp): string {
  const own = ownStamp();
  if (host !== own.host || boot !== own.boot) return `process ${pid} on ${host}`;
  return space === own.space ? `process ${pid}` : `process ${pid} of another container on ${host}`;
}

/** When a process started; `"ended"` for a zombie, undefined if the system does not say. */
function readStart(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[0] === 'Z' || fields?.[0] === 'X' ? 'ended' : fields?.[19];
}

function readSpace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function given(key: string, value: string | undefined): object {
  return value === undefined ? {} : { [key]: value };
}
