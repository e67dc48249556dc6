/** Which process of which machine did something, so that others can tell whether it still runs. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';

/** A process, as it is written down; what the system does not tell is left out. */
export interface ProcessStamp {
  readonly host: string;
  /** The start of the machine: process ids count anew after it, and machines may share a name. */
  readonly boot?: string;
  /** The space in which process ids count: containers of one machine have their own. */
  readonly space?: string;
  readonly pid: number;
  /** When the process began: ids are used again. */
  readonly began?: string;
  readonly thread?: number;
}

/** What can be told of a process: nothing of one on another machine or in another container. */
export type ProcessState = 'this thread' | 'runs' | 'ended' | 'unknown';

/** The process that asks. */
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

/** Whether a process still runs; one that only waits to be reaped does not. */
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
  // Without the time of its start, it may be another process of the same id.
  if (began === undefined || stamp.began === undefined) return 'unknown';
  return began === stamp.began ? 'runs' : 'ended';
}

/** A process, for people. */
export function describeProcess({ host, boot, space, pid }: ProcessStamp): string {
  const own = ownStamp();
  if (host !== own.host || boot !== own.boot) return `process ${pid} on ${host}`;
  return space === own.space ? `process ${pid}` : `process ${pid} of another container on ${host}`;
}

/** When a process began; `"ended"` for one that only waits to be reaped, undefined where the system does not tell. */
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
