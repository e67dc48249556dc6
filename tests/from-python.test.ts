/** What `docs/guides/from-python.md` says of a checkpoint, in NumPy beside `grok eval`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import wasm from '@grok/backend-wasm';
import { createRegistry, evaluateRun, startRun } from '@grok/core';
import { listCheckpoints, readSafetensors } from '@grok/core/internal';
import { fileStore } from '@grok/core/node';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';
import { afterAll, describe, expect, it } from 'vitest';

const dir = mkdtempSync(join(tmpdir(), 'grok-python-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const python = process.env.GROK_PYTHON ?? 'python3';
const hasPython = spawnSync(python, ['-c', 'import numpy, safetensors']).status === 0;
const page = readFileSync(new URL('../docs/guides/from-python.md', import.meta.url), 'utf8');

describe('a checkpoint read elsewhere', async () => {
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

  it('says what it is of, and how its parameters lie', () => {
    // Catches: weights that nobody but grok can read.
    const { metadata } = readSafetensors(readFileSync(file), file);
    expect(JSON.parse(metadata.experiment ?? '')).toEqual(experiment);
    expect(metadata.conventions).toBe(
      'linear weights are [in, out]; W_Q, W_K, W_V: 2 heads of 16 columns, side by side; W_O takes them in that order; rotary positions half-split, base 1000000; mlp: (silu(x W_gate) * x W_in) W_out; norm before each part: rms, eps 0.000001',
    );
  });
  it.skipIf(!hasPython)('gives in NumPy the accuracy that it has here', async () => {
    // Catches: a page whose orientation, packing of heads, rotary angles or gate is another's.
    const [, code = ''] = /```python\n([\s\S]*?)```/.exec(page) ?? [];
    writeFileSync(join(dir, 'page.py'), code);
    const ran = spawnSync(python, [join(dir, 'page.py'), file], { encoding: 'utf8' });
    const { accuracy } = await evaluateRun({ registry, store }, 'all', execution);
    expect(accuracy).toBeGreaterThan(0.3);
    expect(ran.stdout.trim(), ran.stderr).toBe(accuracy.toFixed(6));
  });
});
