/** Runs the code of `docs/guides/from-python.md` in NumPy and pandas and compares it with grok's results. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import wasm from '@grok/backend-wasm';
import { createRegistry, evaluateRun, readMetrics, startRun } from '@grok/core';
import { listCheckpoints, readSafetensors } from '@grok/core/internal';
import { fileStore } from '@grok/core/node';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';
import { afterAll, describe, expect, it } from 'vitest';

const dir = mkdtempSync(join(tmpdir(), 'grok-python-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const python = process.env.GROK_PYTHON ?? 'python3';
const has = (modules: string): boolean =>
  spawnSync(python, ['-c', `import ${modules}`]).status === 0;
const page = readFileSync(new URL('../docs/guides/from-python.md', import.meta.url), 'utf8');

/** Runs the page's Python block that contains a given word. */
function runBlock(word: string, ...args: readonly string[]): SpawnSyncReturns<string> {
  const blocks = [...page.matchAll(/```python\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  writeFileSync(join(dir, 'page.py'), blocks.find((code) => code.includes(word)) ?? '');
  return spawnSync(python, [join(dir, 'page.py'), ...args], { encoding: 'utf8' });
}

describe('a run read from Python', async () => {
  const registry = createRegistry([data, model, optim, wasm]);
  const store = fileStore(join(dir, 'run'));
  const experiment = {
    task: { use: 'div', options: { p: 23 } },
    model: { use: 'transformer', options: { dim: 32, depth: 2, heads: 2 } },
    optimizer: { use: 'adamw', options: { learningRate: 3e-3 } },
    ...{ batch: 64, seed: 5 },
  };
  const execution = { backend: 'wasm', threads: 1 };
  await startRun({ experiment: { ...experiment, epochs: 12 }, execution }, { registry, store });
  const [step = 0] = (await listCheckpoints(store)).slice(-1);
  const file = join(dir, 'run', 'checkpoints', `step-${String(step).padStart(6, '0')}.safetensors`);

  it('states its experiment and the layout of its parameters', () => {
    // Catches: weights that only grok can interpret.
    const { metadata } = readSafetensors(readFileSync(file), file);
    expect(JSON.parse(metadata.experiment ?? '')).toEqual(experiment);
    expect(metadata.conventions).toBe(
      'linear weights are [in, out]; W_Q, W_K, W_V: 2 heads of 16 columns, side by side; W_O takes them in that order; rotary positions half-split, base 1000000; mlp: (silu(x W_gate) * x W_in) W_out; norm before each part: rms, eps 0.000001',
    );
  });
  it.skipIf(!has('numpy, safetensors'))(
    'gives in NumPy the accuracy that it has here (skipped without Python, NumPy and safetensors)',
    async () => {
      // Catches: a page with another orientation, head packing, rotary convention or gate.
      const ran = runBlock('safe_open', file);
      const { accuracy } = await evaluateRun({ registry, store }, 'all', execution);
      expect(accuracy).toBeGreaterThan(0.3);
      expect(ran.stdout.trim(), ran.stderr).toBe(accuracy.toFixed(6));
    },
  );
  it.skipIf(!has('pandas'))(
    'gives in pandas the accuracies of its epochs (skipped without Python and pandas)',
    async () => {
      // Catches: a page whose columns differ from metrics.jsonl.
      const ran = runBlock('pandas', dir);
      const accuracies = (await readMetrics(store)).map((row) => row.validation.accuracy);
      const [name, last, max] = ran.stdout.trim().split('\n').at(-1)?.split(/\s+/) ?? [];
      expect(name, ran.stderr).toBe('run');
      expect(Number(last)).toBeCloseTo(accuracies.at(-1) ?? Number.NaN, 5);
      expect(Number(max)).toBeCloseTo(Math.max(...accuracies), 5);
    },
  );
});
