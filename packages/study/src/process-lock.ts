/**
 * A lock on a folder among processes of one machine: a file that names its holder. A holder that was
 * killed holds nothing, so that nobody has to remove files by hand.
 */
import { linkSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { RunError } from '@grok/core';

const POLL_MS = 50;
/** Names that begin with a dot are nobody's files: what a killed holder leaves is in no one's way. */
const NAME = '.lock';

/**
 * Takes the lock of a run's or a study's folder, waiting up to `patience` seconds for a holder that is alive.
 * Gives what releases it, and removes the folder again if it was made for the lock alone.
 * @throws RunError that names the holder.
 */
export async function takeLock(folder: string, patience: number): Promise<() => void> {
  const file = join(folder, NAME);
  const own = stampOf(process.pid) ?? String(process.pid);
  const mine = join(folder, `${NAME}-${process.pid}`);
  let made: string | undefined;
  try {
    made = mkdirSync(folder, { recursive: true });
    writeFileSync(mine, own);
  } catch (error) {
    throw new RunError(`cannot write into ${folder}: ${(error as Error).message}`);
  }
  try {
    for (let waited = 0; ; waited += POLL_MS) {
      try {
        linkSync(mine, file); // unlike writing, it fails where there is one, and is never half done
        return () => {
          rmSync(file, { force: true });
          if (made !== undefined) removeEmpty(resolve(folder), resolve(made));
        };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
          throw new RunError(`cannot lock ${folder}: ${(error as Error).message}`);
      }
      const holder = readHolder(file);
      if (holder === undefined) continue;
      if (!isRunning(holder) || holder === own) rmSync(file, { force: true });
      else if (waited >= patience * 1000)
        throw new RunError(
          `${folder}: process ${holder.split(' ')[0]} works in it; wait for it or stop it (if it has nothing to do with grok, remove ${file})`,
        );
      else await wait(POLL_MS);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Removes folders from `folder` up to `last`, as long as nothing is in them. */
function removeEmpty(folder: string, last: string): void {
  try {
    rmdirSync(folder);
  } catch {
    return;
  }
  if (folder !== last) removeEmpty(dirname(folder), last);
}

function readHolder(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // released between the two calls
  }
}

/** True while the process that a stamp was made of runs; one that only waits to be buried does not. */
function isRunning(stamp: string): boolean {
  const pid = Number(stamp.split(' ')[0]);
  if (!(pid > 0)) return false;
  const now = stampOf(pid);
  return now !== undefined && (now === stamp || !stamp.includes(' ') || !now.includes(' '));
}

/** A process's id and, where the system tells, when it began: ids are used again. Undefined when it has ended. */
function stampOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${pid} ${fields[19]}`;
  } catch {
    return String(pid); // no such file system: the id must do
  }
}
