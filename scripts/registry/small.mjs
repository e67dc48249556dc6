/** The command line installed on its own: small, and enough to show grokking and distillation. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { must, userFolder } from './folder.mjs';

const MEGABYTES = 60;
const RUNTIME = 'onnxruntime-node@1.30.0';

/**
 * Measures a bare installation, then runs the preset `quick` on WebAssembly and, after adding it,
 * on onnxruntime. @param {import('./cases.mjs').World} world
 */
export function small({ folder, env }) {
  const user = userFolder(join(folder, 'small'), env);
  user.install('@grok/cli');
  const megabytes = Number(user.run('du', '-sk', 'node_modules').split('\t')[0]) / 1024;
  must(megabytes <= MEGABYTES, `${megabytes.toFixed(1)} MB are installed, over ${MEGABYTES}`);
  const wasm = quick(user, 'wasm');
  must(wasm.out.includes('npm install onnxruntime-node'), `offers no onnxruntime:\n${wasm.out}`);
  user.install(RUNTIME);
  const onnx = quick(user, 'onnx');
  must(!onnx.out.includes('npm install onnxruntime-node'), `offers what is there:\n${onnx.out}`);
  return `${megabytes.toFixed(1)} MB by du; quick: ${wasm.seconds} s on wasm, ${onnx.seconds} s on onnx`;
}

/** @param {import('./folder.mjs').UserFolder} user @param {string} backend the expected default */
function quick(user, backend) {
  const began = performance.now();
  const out = user.run('npx', 'grok', 'reproduce', '--preset', 'quick', '--out', backend);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  for (const name of ['teacher', 'none', 'feature'])
    must(
      new RegExp(`^${name} +[\\d,]+ +\\d+ +(99|100)\\.`, 'm').test(out),
      `${backend}: ${name} did not come to 99 %:\n${out}`,
    );
  for (const file of ['report.html', 'figures/figure-1.svg', 'figures/figure-1.png'])
    must(existsSync(join(user.path, backend, file)), `${backend}: no ${file}`);
  const { execution } = JSON.parse(readFileSync(join(user.path, backend, 'study.json'), 'utf8'));
  must(execution.backend === backend, `computed on ${execution.backend}, not on ${backend}`);
  return { out, seconds };
}
