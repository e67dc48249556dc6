/** Inputs of the parity tests: the fixtures, the features, and the available backends. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import nodeGpu from '@grok/backend-node-gpu';
import onnx from '@grok/backend-onnx';
import wasm from '@grok/backend-wasm';
import { createRegistry } from '@grok/core';
import data from '@grok/data';
import attention from '@grok/distill-attention';
import feature from '@grok/distill-feature';
import logit from '@grok/distill-logit';
import { attentionEntropy, cka, participation, singularValues, toMatrix } from '@grok/metrics';
import model from '@grok/model';
import optim from '@grok/optim';
import * as tf from '@grok/tfjs';

export { statistics } from './statistics.mjs';

export const registry = createRegistry([
  onnx,
  wasm,
  nodeGpu,
  data,
  model,
  optim,
  attention,
  feature,
  logit,
]);

/** @type {import('@grok/testing/parity').Find} */
export const find = (kind, name) => registry.get(kind, name);

/** @type {import('@grok/testing/parity').ParityMetrics} */
export const metrics = {
  cka,
  participation: (x, threshold) => participation(singularValues(toMatrix(x)), threshold),
  attentionEntropy: (pattern) => attentionEntropy(pattern).mean,
};

/**
 * onnx with 1 and 2 threads, wasm, and node-gpu if `GROK_NODE_GPU` names a folder that has it.
 * @type {readonly import('@grok/testing/parity').ParityBackend[]}
 */
export const backends = [
  { name: 'onnx, 1 thread', create: () => create('onnx', { threads: 1 }) },
  { name: 'onnx, 2 threads', create: () => create('onnx', { threads: 2 }) },
  { name: 'wasm', create: () => create('wasm', {}) },
  ...(process.env.GROK_NODE_GPU
    ? [{ name: 'node-gpu', create: () => create('node-gpu', {}) }]
    : []),
];

/** @param {string} name @param {object} options */
function create(name, options) {
  return registry.create('backend', name, options, { tf });
}

/**
 * The committed fixtures, then every file in the folders of `GROK_PARITY_FIXTURES` (separated by
 * `:`).
 * @returns {readonly import('@grok/testing/parity').ParityFile[]}
 */
export function files() {
  const own = fileURLToPath(new URL('../fixtures', import.meta.url));
  const others = (process.env.GROK_PARITY_FIXTURES ?? '').split(':').filter((dir) => dir !== '');
  return [own, ...others].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /\.(safetensors|json)$/.test(name))
      .sort()
      .map((name) => ({
        name: folder === own ? name : join(folder, name),
        bytes: readFileSync(join(folder, name)),
      })),
  );
}
