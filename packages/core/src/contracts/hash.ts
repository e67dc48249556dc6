/**
 * SHA-256 hashes of bytes, canonical JSON (RFC 8785), experiments, parameters, tasks and splits.
 * All are lowercase hex, equal on every machine, and need no Node.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { InputError } from './errors.js';
import type { Experiment, HostParams, SplitRows, Task } from './types.js';

/** SHA-256 of the concatenated parts, as 64 hex digits. */
export function sha256Hex(...parts: readonly (Uint8Array | string)[]): string {
  const hash = sha256.create();
  for (const part of parts)
    hash.update(typeof part === 'string' ? new TextEncoder().encode(part) : part);
  return bytesToHex(hash.digest());
}

/** The bytes of a typed array, not copied; little-endian, like every machine that JS engines run on today. */
export function viewBytes(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
}

/**
 * JSON with sorted keys and no spaces (RFC 8785); members that are `undefined` are left out.
 * @throws InputError on what JSON cannot hold: NaN, infinities, functions, class instances, cycles.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '', []);
}

function write(value: unknown, path: string, above: readonly unknown[]): string {
  const refuse = (what: string): InputError =>
    new InputError(
      `JSON at ${path || '(top)'}: ${what} cannot be written as JSON; use plain JSON values`,
    );
  if (value === null || typeof value === 'boolean' || typeof value === 'string')
    return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refuse(String(value));
    return JSON.stringify(value);
  }
  if (typeof value !== 'object') throw refuse(`a value of type ${typeof value}`);
  if (above.includes(value)) throw refuse('a circular reference');
  const inside = [...above, value];
  if (Array.isArray(value))
    return `[${value.map((item, i) => write(item, `${path}[${i}]`, inside)).join(',')}]`;
  const prototype = Object.getPrototypeOf(value);
  // A plain object of another realm (a worker, a test) has a prototype whose own prototype is null.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw refuse(`an instance of ${value.constructor?.name ?? 'a class'}`);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1)) // by UTF-16 code units, as the RFC requires
    .map(([key, member]) => {
      const at = path === '' ? key : `${path}.${key}`;
      return `${JSON.stringify(key)}:${write(member, at, inside)}`;
    });
  return `{${members.join(',')}}`;
}

/**
 * Identity of an experiment: SHA-256 of its canonical JSON, without expanded defaults and without
 * its length. A run of 5 epochs is the start of a run of 10: no component knows how long a run will
 * be, and a schedule states its own steps.
 */
export function experimentHash(experiment: Experiment): string {
  const { epochs: _epochs, steps: _steps, ...identity } = experiment;
  return sha256Hex(canonicalJson(identity));
}

/** SHA-256 of the parameters as little-endian float32, concatenated in the given order. */
export function paramsSha256(params: HostParams): string {
  return sha256Hex(
    ...Object.values(params).map(({ data }) =>
      viewBytes(data instanceof Float32Array ? data : Float32Array.from(data)),
    ),
  );
}

/**
 * Identity of a task: SHA-256 over the canonical JSON of its vocabulary and the inputs' shape and
 * type, then the inputs, then the labels.
 */
export function taskHash({ vocabulary, inputs: { shape, dtype, data }, labels }: Task): string {
  return sha256Hex(canonicalJson({ vocabulary, shape, dtype }), viewBytes(data), viewBytes(labels));
}

/**
 * Identity of a split: SHA-256 over the number of training rows, the training rows and the
 * validation rows, as little-endian int32.
 */
export function splitHash({ train, validation }: SplitRows): string {
  return sha256Hex(viewBytes(Int32Array.of(train.length)), viewBytes(train), viewBytes(validation));
}
