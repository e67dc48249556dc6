/** Files that a person writes: presets that come with grok, specifications and plans of one's own. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Claims, checkClaims } from '@grok/analysis';
import { InputError, unknownName } from '@grok/core';
import { jsonObjectSchema, readDocument } from '@grok/core/internal';
import { checkPlan, type JsonObject, type Plan } from '@grok/study';

const presets = fileURLToPath(new URL('../presets/', import.meta.url));
const claims = fileURLToPath(new URL('../claims/', import.meta.url));

/** Names of the presets. */
export function presetNames(): readonly string[] {
  return namesIn(presets);
}

/** Names of the claims files that come with grok. */
export function claimsNames(): readonly string[] {
  return namesIn(claims);
}

function namesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

/** A document as it was written. */
export interface Written {
  /** What errors call it, such as `plan p.json`. */
  readonly what: string;
  readonly value: JsonObject;
  /** What it was read from: errors name its lines. */
  readonly text: string;
}

/** A preset's JSON. @throws InputError that lists the known ones. */
export function readPreset(name: string): Written {
  const known = presetNames();
  if (!known.includes(name)) throw unknownName('preset', name, known);
  return readObject(`${presets}${name}.json`, `preset "${name}"`);
}

/** A preset as a plan. */
export function presetPlan(name: string): Plan {
  return parsePlan(readPreset(name));
}

/** A document as a plan. @throws InputError that names the line and the key that do not fit. */
function parsePlan({ value, what, text }: Written): Plan {
  return checkPlan(value, what, text);
}

/** A specification's or plan's JSON. @throws InputError when the file is missing, not JSON or not an object. */
export function readWritten(kind: 'spec' | 'plan', file: string, cwd: string): Written {
  const written = readObject(resolve(cwd, file), `${kind} ${file}`);
  // What an editor completes by is not part of a specification.
  const { $schema: _, ...value } = written.value;
  return { ...written, value };
}

/** A claims file: one that comes with grok by its name, else a file. @throws InputError as `readWritten`, and what does not fit. */
export function readClaims(file: string, cwd: string): Claims {
  const path = resolve(cwd, file);
  const known = claimsNames();
  const named = !existsSync(path) && known.includes(file);
  if (!named && !existsSync(path) && !/[./\\]/.test(file))
    throw unknownName('claims (neither a file nor a name)', file, known);
  const { value, what, text } = readObject(
    named ? `${claims}${file}.json` : path,
    `claims ${file}`,
  );
  return checkClaims(value, what, text);
}

function readObject(file: string, what: string): Written {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw new InputError(
      `${what}: ${code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`}`,
    );
  }
  const value = readDocument(bytes, what, { schema: jsonObjectSchema });
  return { what, value, text: new TextDecoder().decode(bytes) };
}
