/** What a queue costs: 200 tiny runs by two workers beside two processes of the machine, three times, interleaved. */
import { join } from 'node:path';
import { writePlan } from './study.mjs';

const RUNS = 200;
const ROUNDS = 3;

/** 200 runs of two epochs. */
const tiny = {
  name: 'tiny',
  summary: 'Many tiny runs.',
  shared: { task: { use: 'add', options: { p: 5 } }, batch: 8, epochs: 2 },
  teacher: {
    model: { use: 'transformer', options: { dim: 8, depth: 1 } },
    optimizer: { use: 'adamw' },
  },
  student: {},
  arms: {},
  seeds: Array.from({ length: RUNS }, (_, seed) => seed),
};

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/**
 * Prints the seconds of each round and the ratio of the medians.
 * @typedef {import('./study.mjs').Started} Started
 * @param {{
 *   home: string,
 *   queued: readonly string[],
 *   study: (file: string, folder: string, more: readonly string[]) => Started,
 *   worker: () => Started,
 *   end: (grok: Started, signal: NodeJS.Signals) => Promise<void>,
 *   finished: (grok: Started) => Promise<void>,
 *   tell: (what: string) => void,
 * }} tools
 */
export async function overhead({ home, queued, study, worker, end, finished, tell }) {
  const file = writePlan(home, tiny);
  /** @type {{ local: number[], queue: number[] }} */
  const seconds = { local: [], queue: [] };
  for (let round = 0; round < ROUNDS; round++) {
    let began = performance.now();
    await finished(study(file, join(home, `local-${round}`), ['--jobs', '2']));
    seconds.local.push((performance.now() - began) / 1000);
    const workers = [worker(), worker()];
    began = performance.now();
    await finished(study(file, join(home, `queue-${round}`), queued));
    seconds.queue.push((performance.now() - began) / 1000);
    for (const each of workers) await end(each, 'SIGTERM');
    tell(`round ${round + 1}: local ${seconds.local[round]} s, queue ${seconds.queue[round]} s`);
  }
  const ratio = median(seconds.queue) / median(seconds.local);
  tell(
    `${RUNS} tiny runs, two at once: the queue takes ${ratio.toFixed(2)} × local (medians of ${ROUNDS})`,
  );
}
