/** Files that a person writes: presets that come with grok, specifications and plans of one's own. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError, unknownName } from '@grok/core';
import { checkPlan, isObject, type JsonObject, type Plan } from '@grok/study';

const presets = fileURLToPath(new URL('../presets/', import.meta.url));
const claims = fileURLToPath(new URL('../claims/', import.meta.url));

/** Names of the presets. */
export function presetNames(): readonly string[] {
  return namesIn(presets);
}

function namesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

/** A preset's JSON. @throws InputError that lists the known ones. */
export function presetDocument(name: string): JsonObject {
  const known = presetNames();
  if (!known.includes(name)) throw unknownName('preset', name, known);
  return readObject(`${presets}${name}.json`, `preset "${name}"`);
}

/** A preset as a plan. */
export function presetPlan(name: string): Plan {
  return checkPlan(presetDocument(name), `preset "${name}"`);
}

/** A specification's or plan's JSON. @throws InputError when the file is missing, not JSON or not an object. */
export function specDocument(file: string, cwd: string): JsonObject {
  // What an editor completes by is not part of a specification.
  const { $schema: _, ...document } = readObject(resolve(cwd, file), `spec ${file}`);
  return document;
}

/** A claims file's JSON: one that comes with grok by its name, else a file. @throws InputError as `specDocument`. */
export function claimsDocument(file: string, cwd: string): JsonObject {
  const path = resolve(cwd, file);
  const known = namesIn(claims);
  const named = !existsSync(path) && known.includes(file);
  if (!named && !existsSync(path) && !/[./\\]/.test(file))
    throw unknownName('claims (neither a file nor a name)', file, known);
  return readObject(named ? `${claims}${file}.json` : path, `claims ${file}`);
}

function readObject(file: string, what: string): JsonObject {
  let text: string;
  try {
    text = new TextDecoder().decode(readFileSync(file)); // drops a byte order mark
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(
      `${what}: ${code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code})`}`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${what}: must be JSON (${(error as Error).message.split('\n')[0]})`);
  }
  if (!isObject(value))
    throw new InputError(
      `${what}: must be a JSON object, got ${JSON.stringify(value)?.slice(0, 60)}`,
    );
  return value;
}
