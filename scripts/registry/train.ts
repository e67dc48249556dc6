/** Trains teacher and student with the installed packages; strategies are loaded by package name. */
import wasm from '@grok/backend-wasm';
import { createRegistry, memoryStore, type Plugin, readManifest, startRun } from '@grok/core';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';

declare const process: { readonly argv: readonly string[] };
const named = process.argv.slice(2);
const names = named.length > 0 ? named : ['@grok/distill-logit', '@grok/distill-attention'];

// Packages that may be missing are loaded by name.
const strategies: Plugin[] = [];
for (const name of names) {
  const found: { default: Plugin } | undefined = await import(name).catch(() => undefined);
  if (found !== undefined) strategies.push(found.default);
}
const registry = createRegistry([data, model, optim, wasm, ...strategies]);

const experiment = {
  task: { use: 'add', options: { p: 7 } },
  model: { use: 'transformer', options: { dim: 16, depth: 2, heads: 2 } },
  optimizer: { use: 'adamw', options: { learningRate: 0.01, weightDecay: 0 } },
  batch: 24,
  epochs: 6,
  seed: 3,
};
const execution = { backend: 'wasm' };
const teacher = memoryStore();
await startRun({ experiment, execution }, { registry, store: teacher });
const { run, paramsSha256 } = (await readManifest(teacher))!;

for (const name of names) {
  const use = name.replace(/^.*[/-]/, '');
  const of = (terms: Readonly<Record<string, number>>): number =>
    Object.entries(terms).reduce((sum, [key, value]) => sum + (key.startsWith(use) ? value : 0), 0);
  const student = {
    ...experiment,
    model: { use: 'transformer', options: { dim: 8, depth: 2, heads: 2 } },
    teachers: { teacher: { run, paramsSha256: paramsSha256! } },
    objective: [{ use: 'hard' }, { use }],
  };
  try {
    const { history } = await startRun(
      { experiment: student, execution },
      { registry, store: memoryStore(), teacherStores: { teacher } },
    );
    const [first, last] = [of(history[0]!.terms), of(history.at(-1)!.terms)];
    if (!(last < first)) throw new Error(`${use} did not fall: ${first} → ${last}`);
    console.log(`${use}: ${first.toFixed(4)} → ${last.toFixed(4)}`);
  } catch (error) {
    console.log(`${use}: ${(error as Error).message}`);
  }
}
