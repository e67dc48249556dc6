/**
 * A checkpoint is one safetensors file: `params/<name>`, `state/<path>`, and as metadata the run,
 * the position and a SHA-256 over the whole file, computed with the digits of the hash set to
 * zeros.
 */

import { show } from '../contracts/check.js';
import { readDocument } from '../contracts/documents.js';
import { quote, RunError } from '../contracts/errors.js';
import { paramsSha256, sha256Hex } from '../contracts/hash.js';
import { positionSchema } from '../contracts/run-files.js';
import type { Checkpoint, HostArray, Manifest } from '../contracts/types.js';
import { withoutAuxiliary } from '../tensors/params.js';
import { readSafetensors, type StoredArray, writeSafetensors } from './safetensors.js';

const FORMAT = 'grok checkpoint 1';
// The writer puts metadata first and the checksum first within it, so it is found without parsing.
const BEFORE = new TextEncoder().encode('{"__metadata__":{"sha256":"');
const DIGITS = { begin: 8 + BEFORE.length, end: 8 + BEFORE.length + 64 } as const;

/** The bytes of a checkpoint file; `about` is metadata for readers elsewhere and is not read here. */
export function encodeCheckpoint(
  { run, params, state, position }: Checkpoint,
  about: Readonly<Record<string, string>> = {},
): Uint8Array {
  const tensors: Record<string, StoredArray> = {};
  for (const [name, value] of Object.entries(params)) tensors[`params/${name}`] = value;
  for (const [path, value] of Object.entries(state)) tensors[`state/${path}`] = value;
  const bytes = writeSafetensors(tensors, {
    sha256: '0'.repeat(64),
    format: FORMAT,
    run,
    position: JSON.stringify(position),
    ...about,
  });
  bytes.set(new TextEncoder().encode(sha256Hex(bytes)), DIGITS.begin);
  return bytes;
}

/**
 * Reads a checkpoint file.
 * @throws RunError that names `where` when a byte is missing, changed or added, or the file is not
 * a checkpoint.
 */
export function decodeCheckpoint(bytes: Uint8Array, where: string): Checkpoint {
  const wrong = (what: string): RunError => new RunError(`checkpoint ${where}: ${what}`);
  if (!BEFORE.every((byte, i) => bytes[8 + i] === byte))
    throw wrong('is truncated, damaged or not a grok checkpoint');
  const stored = new TextDecoder().decode(bytes.subarray(DIGITS.begin, DIGITS.end));
  const zeros = '0'.repeat(64);
  const { begin, end } = DIGITS;
  if (sha256Hex(bytes.subarray(0, begin), zeros, bytes.subarray(end)) !== stored)
    throw wrong('is truncated or damaged: its checksum does not match');
  const { tensors, metadata } = readSafetensors(bytes, `checkpoint ${where}`);
  if (metadata.format !== FORMAT)
    throw wrong(
      `has format "${metadata.format}", this version of grok reads "${FORMAT}"; use the version that wrote it`,
    );
  if (!/^[0-9a-f]{64}$/.test(metadata.run ?? ''))
    throw wrong(`has the invalid run id ${show(metadata.run)}`);
  const { params, state, others } = sortTensors(tensors);
  if (others[0] !== undefined)
    throw wrong(`has a tensor ${quote(others[0])}; names must begin with params/ or state/`);
  for (const [name, value] of Object.entries(params)) checkArray(wrong, `params/${name}`, value);
  for (const [path, value] of Object.entries(state)) checkArray(wrong, `state/${path}`, value);
  const bytesOfPosition = new TextEncoder().encode(metadata.position ?? 'null');
  const position = readDocument(bytesOfPosition, `checkpoint ${where}: position`, {
    schema: positionSchema,
    remedy: 'use an earlier checkpoint',
    fail: (message) => new RunError(message),
  });
  return { run: metadata.run ?? '', params, state, position };
}

type Arrays = Record<string, HostArray>;

const isHostArray = (value: StoredArray): value is HostArray =>
  value.dtype === 'float32' || value.dtype === 'int32' || value.dtype === 'bool';

function sortTensors(tensors: Readonly<Record<string, StoredArray>>): {
  readonly params: Arrays;
  readonly state: Arrays;
  readonly others: readonly string[];
} {
  const [params, state]: [Arrays, Arrays] = [{}, {}];
  const others: string[] = [];
  for (const [name, value] of Object.entries(tensors)) {
    const [, folder, path = ''] = /^(params|state)\/(.+)$/s.exec(name) ?? [];
    if (folder === undefined || !isHostArray(value)) others.push(`${name} of type ${value.dtype}`);
    else (folder === 'params' ? params : state)[path] = value;
  }
  return { params, state, others };
}

/** Parameters must be finite float32; optimizer state may hold infinities, such as the smallest loss so far, but never NaN. */
function checkArray(
  wrong: (what: string) => RunError,
  name: string,
  { dtype, data }: HostArray,
): void {
  const isParam = name.startsWith('params/');
  if (isParam && dtype !== 'float32')
    throw wrong(`${quote(name)} has type ${dtype}; parameters must be float32`);
  const isBad = (x: number): boolean => (isParam ? !Number.isFinite(x) : Number.isNaN(x));
  const at = dtype === 'float32' ? data.findIndex(isBad) : -1;
  if (at !== -1) throw wrong(`${quote(name)} has ${data[at]} at ${at}; use an earlier checkpoint`);
}

/** @throws RunError when a manifest has another parameter hash for the checkpoint's step. */
export function checkParamsHash(
  { position, params }: Checkpoint,
  manifest: Manifest | undefined,
  where: string,
): void {
  const named = manifest?.step === position.step ? manifest.paramsSha256 : undefined;
  if (named === undefined) return;
  const found = paramsSha256(withoutAuxiliary(params));
  if (found !== named)
    throw new RunError(
      `checkpoint ${where}: the hash of its parameters is ${found.slice(0, 10)}, manifest.json says ${named.slice(0, 10)}; one of the two was changed: restore it`,
    );
}
