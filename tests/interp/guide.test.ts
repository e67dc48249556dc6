/** The guide's code works on runs like those of its commands, in fewer than 20 lines. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import onnx from '@grok/backend-onnx';
import { createRegistry, type Experiment, paramsSha256, startRun } from '@grok/core';
import { newestCheckpoint, withoutAuxiliary } from '@grok/core/internal';
import { fileStore } from '@grok/core/node';
import data from '@grok/data';
import feature from '@grok/distill-feature';
import type { CircuitOverlap, ScoredComponent } from '@grok/interp';
import { openRun } from '@grok/interp/node';
import model from '@grok/model';
import optim from '@grok/optim';
import { expect, test, vi } from 'vitest';
import { parseBlocks } from '../docs/markdown.js';

const guide = 'docs/guides/find-what-a-student-inherited.md';
const root = fileURLToPath(new URL('../..', import.meta.url));
const registry = createRegistry([data, model, optim, feature, onnx]);

/** Trains a teacher and a student briefly. */
async function trainBoth(folder: string): Promise<void> {
  const experiment: Experiment = {
    task: { use: 'div', options: { p: 11 } },
    model: { use: 'transformer', options: { dim: 16, depth: 1, dMlp: 12 } },
    optimizer: { use: 'adamw', options: { learningRate: 3e-3 } },
    ...{ batch: 32, epochs: 12, seed: 0 },
  };
  const execution = { backend: 'onnx', threads: 1 };
  const store = fileStore(join(folder, 'runs/teacher'));
  const { manifest } = await startRun({ experiment, execution }, { registry, store });
  const { checkpoint } = await newestCheckpoint(store);
  const reference = {
    run: manifest.run,
    paramsSha256: paramsSha256(withoutAuxiliary(checkpoint?.params ?? {})),
  };
  const student: Experiment = {
    ...experiment,
    model: { use: 'transformer', options: { dim: 8, depth: 1, dMlp: 8 } },
    objective: [{ use: 'hard' }, { use: 'feature' }],
    teachers: { teacher: reference },
  };
  await startRun(
    { experiment: student, execution },
    { registry, store: fileStore(join(folder, 'runs/student')), teacherStores: { teacher: store } },
  );
}

test('goes from two runs to a patching grid, a circuit and its overlap', async () => {
  // Catches: a guide that no longer matches the package.
  const [block] = parseBlocks(guide, readFileSync(join(root, guide), 'utf8')).filter(
    ({ lang }) => lang === 'ts',
  );
  const text = block?.text ?? '';
  expect(text.split('\n').filter((line) => line !== '').length).toBeLessThan(20);
  const folder = mkdtempSync(join(tmpdir(), 'grok-guide-'));
  await trainBoth(folder);
  const beside = join(root, 'docs/guides/.tsc/guide');
  mkdirSync(beside, { recursive: true });
  const file = join(beside, 'inherited.ts');
  writeFileSync(file, text.replaceAll("'runs/", `'${folder}/runs/`));
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import(/* @vite-ignore */ file);
  const [printed = []] = log.mock.calls;
  log.mockRestore();
  rmSync(beside, { recursive: true });
  const teachers = { teacher: join(folder, 'runs/teacher') };
  const early = await openRun(join(folder, 'runs/student'), { registry, at: 7, teachers });
  expect(early.step).toBe(7); // trained again, with the same teacher
  await early.close();
  const alone = openRun(join(folder, 'runs/student'), { registry, at: 7 });
  await expect(alone).rejects.toThrow('teacher "teacher"');
  rmSync(folder, { recursive: true });
  const [grid, members, overlap] = printed as [number[], ScoredComponent[], CircuitOverlap];
  expect(grid).toHaveLength(4);
  expect(grid.every(Number.isFinite)).toBe(true);
  expect(members.length).toBeGreaterThan(0);
  expect(overlap.matched).toBe(1 + 8);
  expect(overlap.jaccard.p).toBeGreaterThan(0);
});
