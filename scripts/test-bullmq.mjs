/**
 * Tests `@grok/executor-bullmq` on a real Redis on loopback: the suite of executors, a study with workers that
 * are killed and a Redis that restarts, all killed at once, and what the queue costs.
 * `npm run test:bullmq`; `npm run test:bullmq -- suite`, `study` or `overhead` for a part, the last only by name.
 */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openTest } from './engines/harness.mjs';
import { freePort, startRedis, whyNoRedis } from './engines/redis.mjs';
import { countFinished, end, finished, untilFinished } from './engines/study.mjs';

const test = openTest('bullmq', whyNoRedis());
const { home, tell, study, same } = test;
const port = await freePort();
let redis = await startRedis(home, port);
const { url } = redis;
const executor = `bullmq:url=${url},lockSeconds=5`;
const queued = ['--executor', executor];
const worker = () => test.start(['worker', ...queued]);

await test.run(
  async () => {
    if (test.isRequested('suite')) test.suite({ GROK_REDIS: url });
    if (test.isRequested('study')) {
      const { file, expected } = await test.expected();
      await withKills(file, expected);
      await allAtOnce(file, expected);
    }
    if (test.isRequested('overhead', false)) {
      const { overhead } = await import('./engines/overhead.mjs');
      await overhead({ home, queued, study, worker, end, finished, tell });
    }
  },
  () => redis.stop('SIGKILL'),
);

/** One worker is killed, one is stopped, and Redis restarts. @param {string} file @param {string} expected */
async function withKills(file, expected) {
  const folder = join(home, 'kills');
  const workers = [worker(), worker(), worker()];
  const running = study(file, folder, queued);
  await untilFinished(folder, 3, running);
  await end(workers[0], 'SIGKILL');
  tell('killed a worker');
  await untilFinished(folder, 6, running);
  await end(workers[1], 'SIGTERM');
  tell(`stopped a worker: ${workers[1].log.trim().split('\n').at(-1)}`);
  await untilFinished(folder, 9, running);
  await redis.stop();
  await wait(2000);
  redis = await startRedis(home, port);
  tell('restarted Redis');
  await finished(running);
  same(folder, expected);
  await end(workers[2], 'SIGTERM');
}

/** Workers, study and Redis are killed at once, and started again. @param {string} file @param {string} expected */
async function allAtOnce(file, expected) {
  const folder = join(home, 'all');
  const first = [worker(), worker(), study(file, folder, queued)];
  await untilFinished(folder, 8, first[2]);
  await Promise.all([...first.map((grok) => end(grok, 'SIGKILL')), redis.stop('SIGKILL')]);
  tell(`killed everything after ${countFinished(folder)} runs`);
  redis = await startRedis(home, port);
  const workers = [worker(), worker()];
  await finished(study(file, folder, queued));
  same(folder, expected);
  for (const each of workers) await end(each, 'SIGTERM');
}
