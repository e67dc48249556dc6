/** The commands of every contestant for a model. */
import { fileURLToPath } from 'node:url';

/** @typedef {{ dim: number, dropout: number }} Model @typedef {{ name: string, command: readonly string[] }} Entry */

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const flags = (values) =>
  Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
const node = (script, values) => [process.execPath, file(script), ...flags(values)];
const inThreads = (n) => `${n} thread${n === 1 ? '' : 's'}`;

/** The models that every contestant trains. @type {Record<string, Model>} */
export const MODELS = {
  teacher: { dim: 128, dropout: 0.2 },
  student: { dim: 64, dropout: 0 },
};
/** The student of the distillation strategies. @type {Model} */
export const DISTILLED = { dim: 64, dropout: 0.2 };

/** Grok on its default backend, the baseline for all comparisons. @returns {Entry} */
export function baseline(model, threads, strategy = 'none') {
  return {
    name: strategy === 'none' ? `onnx, ${inThreads(threads)}` : strategy,
    command: node('ours.mjs', { backend: 'onnx', threads, strategy, ...model }),
  };
}

/**
 * The other contestants. @param {Model} model @param {{ threads: number, torch?: string, jax?:
 * string, reference?: string }} how @returns {Entry[]}
 */
export function others(model, { threads, torch, jax, reference }) {
  const python = (name, interpreter, script, modes, more = {}) =>
    modes.map((mode) => ({
      name: `${name} ${mode}`,
      command: [interpreter, file(script), ...flags({ mode, threads, ...model, ...more })],
    }));
  return [
    ...(threads === 1 ? [] : [baseline(model, 1)]),
    { name: 'wasm', command: node('ours.mjs', { backend: 'wasm', threads: 1, ...model }) },
    { name: 'stock wasm', command: node('peers/stock-wasm.mjs', model) },
    ...(torch ? python('torch', torch, 'peers/torch_step.py', ['eager', 'compile']) : []),
    ...(jax ? python('jax', jax, 'peers/jax_step.py', ['jit']) : []),
    ...(jax && reference
      ? python('reference', jax, 'peers/reference_step.py', ['jit'], { reference })
      : []),
  ];
}

/** Only the matrix products of the baseline's programs. @returns {Entry} */
export function floor(programs, threads) {
  const part = (wanted) =>
    Object.entries(programs)
      .filter(([name, { runs, products }]) => wanted.test(name) && runs > 0 && products.length > 0)
      .map(([, { runs, products }]) => ({ runs, products }));
  const work = JSON.stringify({
    whole: part(/^train-512$/),
    last: part(/^train-(?!512$)/),
    evaluation: part(/^eval-/),
  });
  return {
    name: `its gemms, ${inThreads(threads)}`,
    command: node('gemms.mjs', { threads, work }),
  };
}

/** Square products of 1,024 rows for about as long as an epoch. @returns {Entry} */
export function squares(threads) {
  const shape = [1024, 1024];
  const product = { op: 'Gemm', domain: '', a: shape, b: shape, y: shape, flags: {} };
  const work = JSON.stringify({
    whole: [{ products: [product], runs: 40 }],
    last: [],
    evaluation: [],
  });
  return { name: 'gemm', command: node('gemms.mjs', { threads, work }) };
}
