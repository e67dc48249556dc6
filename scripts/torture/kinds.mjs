/** A finished study in memory, and how programs read each kind of file in it. */
import { readFileSync } from 'node:fs';
import { checkClaims } from '@grok/analysis';
import wasm from '@grok/backend-wasm';
import { createRegistry, memoryStore, readConfig, readManifest, readMetrics } from '@grok/core';
import { checkSpec, decodeCheckpoint, readEvents, readSafetensors } from '@grok/core/internal';
import data from '@grok/data';
import logit from '@grok/distill-logit';
import model from '@grok/model';
import optim from '@grok/optim';
import { studyTable } from '@grok/report';
import {
  checkPlan,
  expandPlan,
  jobRunner,
  loadStudy,
  openExecutor,
  preflight,
  readJournal,
  readPlan,
  runStudy,
  studyToJson,
} from '@grok/study';
import { executors } from '@grok/study/process';

/**
 * @typedef {import('@grok/core').Store} Store
 * @typedef {{ name: string, bytes: Uint8Array, read: (bytes: Uint8Array) => unknown }} Kind
 */

const transformer = { use: 'transformer', options: { dim: 4, depth: 1, heads: 1 } };
/** The study to damage: a teacher and two students. */
export const plan = {
  ...{ name: 'torture', summary: 'For damage.', seeds: [0] },
  shared: {
    task: { use: 'div', options: { p: 5 } },
    optimizer: { use: 'adamw', options: { learningRate: 0.01 } },
    ...{ batch: 8, epochs: 3 },
  },
  teacher: { model: transformer },
  student: { model: transformer },
  arms: {
    none: { objective: [{ use: 'hard' }] },
    logit: {
      objective: [
        { use: 'hard', weight: 0.5 },
        { use: 'logit', weight: 0.5 },
      ],
    },
  },
};
const claimsFile = new URL('../../apps/cli/claims/distilling-grokking.json', import.meta.url);

/** Every kind of file, undamaged. @returns {Promise<readonly Kind[]>} */
export async function documentKinds() {
  const registry = createRegistry([data, model, optim, logit, wasm, executors]);
  const { root, open, run } = await runPlan(registry);
  const store = open(run);
  const { experiment } = await readConfig(store);
  const manifest = await readManifest(store);
  const checkpoint = `checkpoints/${(await store.list('checkpoints')).at(-1)}`;
  /** @param {Store} of @param {string} path @param {(damaged: Store) => unknown} read @returns {Promise<Kind>} */
  const fileOf = async (of, path, read) => ({
    name: path,
    bytes: (await of.read(path)) ?? new Uint8Array(),
    read: (bytes) => read(withFile(of, path, bytes)),
  });
  /** Damages one file of one run in a study, which is then listed and tabulated. @param {string} path */
  const inStudy = async (path) => ({
    name: `study with a damaged ${path}`,
    bytes: (await store.read(path)) ?? new Uint8Array(),
    read: (/** @type {Uint8Array} */ bytes) =>
      readStudy(root, (name) => (name === run ? withFile(store, path, bytes) : open(name))),
  });
  const bytes = (await store.read(checkpoint)) ?? new Uint8Array();
  return [
    {
      name: 'specification',
      bytes: new TextEncoder().encode(JSON.stringify({ experiment })),
      read: (text) => checkSpec(parse(text)),
    },
    {
      name: 'claims',
      bytes: Uint8Array.from(readFileSync(claimsFile)),
      read: (text) => checkClaims(parse(text), 'claims'),
    },
    await fileOf(root, 'plan.json', async (damaged) => {
      const found = await readPlan(damaged);
      if (found) preflight(expandPlan(found), registry, found.name);
    }),
    await fileOf(root, 'journal.jsonl', readJournal),
    await fileOf(store, 'config.json', readConfig),
    await fileOf(store, 'manifest.json', readManifest),
    await fileOf(store, 'metrics.jsonl', (damaged) => readMetrics(damaged, manifest)),
    await fileOf(store, 'events.jsonl', readEvents),
    await inStudy('config.json'),
    await inStudy('manifest.json'),
    await inStudy('metrics.jsonl'),
    { name: 'checkpoint.safetensors', bytes, read: (file) => decodeCheckpoint(file, 'checkpoint') },
    { name: 'any.safetensors', bytes, read: (file) => readSafetensors(file, 'file') },
  ];
}

/** @param {import('@grok/core').Registry} registry */
async function runPlan(registry) {
  /** @type {Map<string, Store>} */
  const folders = new Map();
  const open = (/** @type {string} */ name) => {
    const store = folders.get(name) ?? memoryStore(name);
    folders.set(name, store);
    return store;
  };
  const root = memoryStore('study');
  const carryOut = jobRunner({ registry, open });
  const executor = openExecutor(registry, { use: 'inline' }, { open, carryOut });
  const host = { registry, root, open, executor, defaults: { backend: 'wasm' } };
  const { runs } = await runStudy(checkPlan(plan, 'plan'), host);
  return { root, open, run: runs.at(-1)?.folder ?? '' };
}

/** @param {Store} root @param {(name: string) => Store} open */
async function readStudy(root, open) {
  const checked = checkPlan(plan, 'plan');
  const runs = await loadStudy(expandPlan(checked), { root, open });
  studyTable(checked, runs, { style: 'text' });
  JSON.stringify(studyToJson(checked, runs));
}

/**
 * A store in which one file has other contents. @param {Store} store @param {string} path @param
 * {Uint8Array} bytes @returns {Store}
 */
const withFile = (store, path, bytes) => ({
  ...store,
  read: async (requested) => (requested === path ? bytes : store.read(requested)),
});

/** @param {Uint8Array} bytes */
function parse(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined; // the reader of the file reports it
  }
}
