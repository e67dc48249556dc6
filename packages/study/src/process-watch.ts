/**
 * A thread that ends its process when the study is gone and the main thread does not respond: code
 * in an endless loop cannot notice that the study is gone. It gives a busy step time to finish.
 */
import { setInterval } from 'node:timers';
import { workerData } from 'node:worker_threads';
import type { OrphanWatch } from './process-messages.js';

const { study, beats, beatMs, limitMs }: OrphanWatch = workerData;
let seen = -1;
let silentSince = 0;

/** On Unix, an orphan gets another parent; elsewhere, no process has the parent's id anymore. */
function isOrphan(): boolean {
  if (process.ppid !== study) return true;
  try {
    return !process.kill(study, 0);
  } catch {
    return true;
  }
}

setInterval(() => {
  const now = performance.now();
  const count = Atomics.load(beats, 0);
  if (count !== seen || !isOrphan()) silentSince = now;
  seen = count;
  if (now - silentSince > limitMs) process.kill(process.pid, 'SIGKILL');
}, beatMs);
