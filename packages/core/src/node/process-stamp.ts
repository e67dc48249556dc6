/** Which process of which machine did something, so that others can tell whether it still runs. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, as it is written down. */
export interface ProcessStamp {
  /** Machine, and the space in which its process ids count. */
  readonly host: string;
  readonly pid: number;
  /** When it began, where the system tells: ids are used again. */
  readonly began?: string;
}

/** The process that asks. */
export function ownStamp(): ProcessStamp {
  const began = readStart(process.pid);
  return {
    host: `${hostname()} ${pidNamespace()}`.trim(),
    pid: process.pid,
    ...(typeof began === 'string' ? { began } : {}),
  };
}

/** True while a process of this machine runs, and of another machine's always; one that only waits to be buried does not. */
export function mayRun(stamp: ProcessStamp): boolean {
  if (stamp.host !== ownStamp().host) return true;
  try {
    process.kill(stamp.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const began = readStart(stamp.pid);
  if (began === 'ended') return false;
  return began === undefined || stamp.began === undefined || began === stamp.began;
}

/** True for a stamp of this very process. */
export function isOwn(stamp: ProcessStamp): boolean {
  const own = ownStamp();
  return stamp.host === own.host && stamp.pid === own.pid && stamp.began === own.began;
}

/** When a process began; `"ended"` for one that only waits to be buried, undefined where the system does not tell. */
function readStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : fields[19];
  } catch {
    return undefined;
  }
}

/** Containers of one host name count their processes apart. */
function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
