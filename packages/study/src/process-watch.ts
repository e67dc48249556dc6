/**
 * A thread that ends its process when the study is gone and the main thread does not answer: code that
 * never returns neither sees that the study is gone nor saves. It gives a busy step time to end.
 */
import { setInterval } from 'node:timers';
import { workerData } from 'node:worker_threads';
import type { OrphanWatch } from './process-messages.js';

const { study, beats, beatMs, limitMs }: OrphanWatch = workerData;
let seen = -1;
let silentSince = 0;

/** Another parent has taken over, as Unix does; elsewhere no process has the number any more. */
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
