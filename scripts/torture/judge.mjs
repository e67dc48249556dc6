/** Compares with Python's `safetensors`: its results for damaged files, and ours. */
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isInputError } from '@grok/core';
import { readSafetensors } from '@grok/core/internal';
import { damage } from './documents.mjs';
import { random } from './random.mjs';

const script = fileURLToPath(new URL('judge.py', import.meta.url));
/** The Python types supported here, with our names. */
const TYPES = { float64: 'F64', float32: 'F32', int32: 'I32', uint8: 'U8', bool: 'BOOL' };

/** A Python that can import safetensors: GROK_PYTHON, else python3. */
export const findPython = () => {
  const python = process.env.GROK_PYTHON ?? 'python3';
  return spawnSync(python, ['-c', 'import safetensors']).status === 0 ? python : undefined;
};

/**
 * @param {{ files: number, seed: number, bytes: Uint8Array, python: string }} options `bytes`: a
 * valid file
 * @returns {Promise<{ files: number, sound: number, findings: readonly string[] }>}
 */
export async function judgeBySafetensors({ files, seed, bytes, python }) {
  const damaged = Array.from({ length: files }, (_, i) =>
    i === 0 ? bytes : damage(bytes, true, random(seed * 1_000_003 + i)),
  );
  const verdicts = await askPython(python, damaged);
  const findings = damaged.flatMap((file, i) => {
    const [ours, theirs] = [readHere(file), verdicts[i]];
    const isSame = ours === theirs || (ours === 'unsupported' && theirs !== 'null');
    return isSame ? [] : [`seed ${seed}, ${i}: Python says ${theirs}, here it is ${ours}`];
  });
  return { files, sound: verdicts.filter((verdict) => verdict !== 'null').length, findings };
}

/** @param {string} python @param {readonly Uint8Array[]} files @returns {Promise<readonly string[]>} */
async function askPython(python, files) {
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  for (const file of files) {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, file.length, true);
    child.stdin.write(length);
    child.stdin.write(file);
  }
  child.stdin.end();
  const verdicts = [];
  for await (const line of createInterface({ input: child.stdout }))
    verdicts.push(summarize(JSON.parse(line)));
  if (verdicts.length !== files.length) throw new Error(`${python} ended early`);
  return verdicts;
}

/** Names, types and shapes, sorted; `null` if it is refused. @param {Uint8Array} file */
function readHere(file) {
  try {
    const { tensors } = readSafetensors(file, 'file');
    const all = Object.entries(tensors);
    return summarize(
      Object.fromEntries(all.map(([name, { dtype, shape }]) => [name, [TYPES[dtype], shape]])),
    );
  } catch (error) {
    if (!isInputError(error)) throw error;
    return error.code === 'unsupported' ? error.code : 'null';
  }
}

/** @param {object | null} tensors */
const summarize = (tensors) =>
  JSON.stringify(tensors && Object.entries(tensors).sort(([a], [b]) => (a < b ? -1 : 1)));
