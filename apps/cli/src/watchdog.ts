/**
 * Ends a process that does not answer: a small process beside it, since nothing inside can while plain
 * JavaScript or native code keeps its thread. It hears what the terminal sends to both; on Linux it
 * also sees a signal that was sent to the other alone.
 */
import { readFileSync } from 'node:fs';
import { BEAT_MS, HEARD } from './beats.js';

const parent = Number(process.argv[2]);
/** What libuv writes to its own pipes for each signal: a message, to be read once the thread is free, and a lock's byte. */
const SIGNAL = { calls: 2, bytes: 17 };

interface Writes {
  readonly calls: number;
  readonly bytes: number;
}
/** What the other's main thread has written so far; nothing where the system does not tell. */
function readWrites(): Writes {
  try {
    const text = readFileSync(`/proc/${parent}/task/${parent}/io`, 'utf8');
    const counts = new Map(text.split('\n').map((line) => line.split(': ') as [string, string]));
    return { calls: Number(counts.get('syscw')), bytes: Number(counts.get('wchar')) };
  } catch {
    return { calls: 0, bytes: 0 };
  }
}
/** A thread that is busy writes nothing else: signals, if all that it wrote has their size. */
function countSignals(from: Writes, to: Writes): number {
  const count = (to.calls - from.calls) / SIGNAL.calls;
  return to.bytes - from.bytes === SIGNAL.bytes * count ? count : 0;
}

/** Signals to both, and whether the other told of one. */
let [received, relayed] = [0, 0];
let answered = true;
let before = readWrites();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => received++);
process.stdin.on('data', (data) => {
  answered = true;
  if (data.includes(HEARD)) relayed = 1;
});
process.stdin.on('end', () => process.exit());

setInterval(() => {
  const now = readWrites();
  if (answered) before = now;
  // One that answers has seen to its second signal itself.
  else if (Math.max(received, relayed + countSignals(before, now)) >= 2) {
    process.stderr.write('grok: did not respond and was stopped\n');
    process.kill(parent, 'SIGKILL');
    process.exit();
  }
  answered = false;
}, 4 * BEAT_MS);
