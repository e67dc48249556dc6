/** Each rewrite rule switched off alone: the reference's results, and the same bits in a second and an interrupted run. */
import onnx, { onnx as backend, ruleNames } from '@grok/backend-onnx';
import { createRegistry, memoryStore, type Plugin, resumeRun, startRun } from '@grok/core';
import data from '@grok/data';
import attention from '@grok/distill-attention';
import feature from '@grok/distill-feature';
import logit from '@grok/distill-logit';
import model from '@grok/model';
import optim from '@grok/optim';
import { runParity } from '@grok/testing/parity';
import { afterAll, describe, expect, test } from 'vitest';
import { files, find, metrics, statistics } from './parity/at-hand.mjs';

const experiment = {
  task: { use: 'div', options: { p: 23 } },
  model: { use: 'transformer', options: { dim: 32, dropout: 0.2 } },
  optimizer: { use: 'adamw', options: { warmup: 10 } },
  batch: 64,
  epochs: 5,
  seed: 7,
};
/** The backend without one rule, under its own name. */
function without(rule: string): Plugin {
  const { kind, name, summary, options } = backend;
  const create: typeof backend.create = (given, host) =>
    backend.create({ ...(given as object), rules: { [rule]: false } }, host);
  return { ...onnx, components: [{ kind, name, summary, options, create }] };
}

let worst = 0;
let compared = 0;
afterAll(() => console.info(`${compared} comparisons, at most ${worst.toFixed(3)} of a tolerance`));

describe.each(ruleNames.map((rule) => [rule]))('without %s', (rule) => {
  const registry = createRegistry([
    ...[without(rule), data, model, optim],
    ...[logit, attention, feature],
  ]);

  // Catches: a rule that only works together with another, or hides another's fault.
  test('it matches the reference', async () => {
    const own = {
      name: `onnx without ${rule}`,
      create: () => backend({ threads: 2, rules: { [rule]: false } }),
    };
    const cases = files().filter(({ name }) => name.endsWith('.safetensors'));
    const what = { backends: [own], files: cases, find, metrics, statistics };
    for (const { file, status, where, ratio, checked } of await runParity(what)) {
      expect([file, status, where]).toEqual([file, 'passed', where]);
      worst = Math.max(worst, ratio);
      compared += checked;
    }
  });

  // Catches: bits that depend on reused memory, on threads, or on where a run was interrupted.
  test.each([1, 2])(
    '%i threads: the same bits in a second and an interrupted run',
    async (threads) => {
      const spec = { experiment, execution: { backend: 'onnx', threads, checkpointEvery: 1 } };
      const whole = [];
      for (let i = 0; i < 2; i++)
        whole.push(await startRun(spec, { registry, store: memoryStore() }));
      const store = memoryStore();
      const stop = new AbortController();
      const listeners = [
        ({ type, step }: { type: string; step?: number }) => {
          if (type === 'step' && step === 13) stop.abort();
        },
      ];
      const first = await startRun(spec, { registry, store, listeners, signal: stop.signal });
      expect(first.status).toBe('interrupted');
      const resumed = await resumeRun({ registry, store });
      const hashes = [...whole, resumed].map(({ manifest }) => manifest.paramsSha256);
      expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
      expect(new Set(hashes).size).toBe(1);
    },
  );
});
