/** Damaged documents and checkpoints, read in this process the way the programs read them. */
import { isInputError, isRunError } from '@grok/core';
import { mutateBytes, mutateJson } from './mutate.mjs';
import { random } from './random.mjs';

/** @typedef {import('./kinds.mjs').Kind} Kind */

/** Limit in microseconds of its own time for reading one document. */
const LIMIT_US = 2e6;
/** An error fits on a screen. */
const LONGEST = 2000;

/** @typedef {{ kind: string, seed: number, at: number, what: string }} Finding */

/**
 * Damages each kind in turn and reads it.
 * @param {{ mutations: number, seed: number, kinds: readonly Kind[], from?: number,
 *   onBegin?: (at: number) => void }} options
 * @returns {Promise<{ read: number, refused: number, slowest: number, findings: readonly Finding[]
 * }>} slowest in microseconds
 */
export async function mutateDocuments({ mutations, seed, kinds, from = 0, onBegin = () => {} }) {
  /** @type {Finding[]} */
  const findings = [];
  const counts = { read: 0, refused: 0, slowest: 0 };
  for (let at = from; at < from + mutations; at++) {
    onBegin(at);
    const { name, bytes, read } = /** @type {Kind} */ (kinds[at % kinds.length]);
    const damaged = damage(bytes, name.endsWith('.safetensors'), random(seed * 1_000_003 + at));
    const before = process.cpuUsage();
    const wrong = await faultOf(read, damaged, counts);
    const { user, system } = process.cpuUsage(before);
    counts.slowest = Math.max(counts.slowest, user + system);
    const what = user + system > LIMIT_US ? `took ${((user + system) / 1e6).toFixed(1)} s` : wrong;
    if (what !== undefined) findings.push({ kind: name, seed, at, what });
  }
  return { ...counts, findings };
}

/**
 * Damages the bytes or values of a file. @param {Uint8Array} bytes @param {boolean} binary @param
 * {import('./random.mjs').Random} draw
 */
export function damage(bytes, binary, draw) {
  if (binary) return draw.next() < 0.5 ? mutateBytes(bytes, draw) : mutateHeader(bytes, draw);
  if (draw.next() < 0.3) return mutateBytes(bytes, draw);
  const once = mutateJson(bytes, draw);
  return draw.next() < 0.8 ? once : mutateBytes(once, draw);
}

/**
 * Damages the header of a safetensors file and updates its stated length. @param {Uint8Array} bytes
 * @param {import('./random.mjs').Random} draw
 */
function mutateHeader(bytes, draw) {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = bytes.slice(8, 8 + length);
  const changed = draw.next() < 0.8 ? mutateJson(header, draw) : mutateBytes(header, draw);
  const out = new Uint8Array(8 + changed.length + bytes.length - 8 - length);
  new DataView(out.buffer).setBigUint64(0, BigInt(changed.length), true);
  out.set(changed, 8);
  out.set(bytes.subarray(8 + length), 8 + changed.length);
  return out;
}

/**
 * What is wrong with how damage is met, if anything: all that may come is an error that is meant for a person.
 * @param {(bytes: Uint8Array) => unknown} read @param {Uint8Array} bytes @param {{ read: number, refused: number }} counts
 */
async function faultOf(read, bytes, counts) {
  try {
    await read(bytes);
    counts.read++;
  } catch (error) {
    counts.refused++;
    if (!isInputError(error) && !isRunError(error))
      return `threw ${error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 3).join(' ') : String(error)}`;
    if (error.message.length > LONGEST) return `says ${error.message.length} characters`;
    if (/\bundefined\b|\[object |is not a function|Cannot read/.test(error.message))
      return `says "${error.message.slice(0, 300)}"`;
  }
  return undefined;
}
