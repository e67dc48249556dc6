/** Many planned runs that only wait: listed, queued and watched with the memory that their plan needs. */
import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import wasm from '@grok/backend-wasm';
import { createRegistry, memoryStore } from '@grok/core';
import { loadStudy, planRuns, queueExecutor, type RunDraft, runStudy } from '@grok/study';
import { expect, it } from 'vitest';

const RUNS = 10_000;
/** What one run may cost while it waits, kB; 1.9 were measured. */
const MOST_KB = 4;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
function heapMb(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** Teachers with three students each. */
function draft(): readonly RunDraft[] {
  const part = {
    task: { use: 'add', options: { p: 5 } },
    model: { use: 'transformer', options: { dim: 8, depth: 1 } },
    optimizer: { use: 'adamw' },
    batch: 8,
    epochs: 1,
  };
  return Array.from({ length: RUNS }, (_, i): RunDraft => {
    const seed = i - (i % 4);
    const experiment = { ...part, seed, batch: 8 + (i % 4) };
    return i % 4 === 0
      ? { key: `run-${i}`, experiment }
      : { key: `run-${i}`, experiment, needs: { teacher: { key: `run-${seed}`, at: 'last' } } };
  });
}

it('wait in the memory of their plan (catches: a copy of the plan for every run or look)', async () => {
  const before = heapMb();
  const planned = planRuns(draft());
  const root = memoryStore('study');
  const open = memoryStore;
  const stop = new AbortController();
  let waiting = 0;
  const executor = queueExecutor({
    ...{ name: 'waits', slots: 1, ahead: 64, open },
    async carryOut({ run, folder }, { signal }) {
      if (waiting === 0) {
        waiting = heapMb();
        stop.abort();
      }
      if (!signal.aborted) await once(signal, 'abort');
      return { status: 'interrupted', run, folder };
    },
  });
  const registry = createRegistry([wasm]);
  const host = { registry, root, open, executor, defaults: { backend: 'wasm' } };
  const study = await runStudy(planned, { ...host, isChecked: true, signal: stop.signal });
  expect([study.status, study.runs.length]).toEqual(['interrupted', RUNS]);
  const listed = await loadStudy(planned, { root, open });
  expect(listed.filter(({ state }) => state === 'waiting')).toHaveLength((RUNS * 3) / 4);
  const kb = (1024 * (waiting - before)) / RUNS;
  expect(kb).toBeLessThan(MOST_KB);
}, 300_000);
