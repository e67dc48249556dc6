/** `--set a.b=value` and its sugar: values of a JSON document replaced, the others untouched. */
import { InputError, type Json, type Registry, unknownName } from '@grok/core';
import { show } from '@grok/core/internal';
import { isObject, type JsonObject } from '@grok/study';

/** A value, and the keys that lead to it; list entries go by number. */
export interface Change {
  readonly path: readonly string[];
  readonly value: Json;
}

/**
 * The document with all changes laid over it, the later the stronger. Where one names another
 * component (`task.use`), options of the former that the new one does not have are left behind.
 * @throws InputError as `setAt`.
 */
export function changed(
  document: JsonObject,
  changes: readonly Change[],
  registry: Registry,
): JsonObject {
  const names = changes.filter(({ path }) => path.at(-1) === 'use');
  // The last name of a place counts, and before any option is set.
  const last = new Map(names.map((change) => [change.path.join('.'), change]));
  const fitting = [...last.values()].reduce(
    (at, { path, value }) => renamed(at, path.slice(0, -1), value, registry),
    document,
  );
  const applied = changes.reduce((at, change) => dropOtherLength(at, change, changes), fitting);
  return changes.reduce((at, { path, value }) => setAt(at, path, value), applied);
}

const LENGTHS = ['epochs', 'steps'] as const;

/** A length in steps takes the place of one in epochs, and the reverse; two that are asked for are an error of whoever reads both. */
function dropOtherLength(
  document: JsonObject,
  { path }: Change,
  changes: readonly Change[],
): JsonObject {
  const place = path.slice(0, -1);
  const other = LENGTHS.find((key) => key !== path.at(-1));
  const isLength = LENGTHS.some((key) => key === path.at(-1)) && place.at(-1) !== 'options';
  const isAsked = changes.some((change) => change.path.join('.') === [...place, other].join('.'));
  const at = place.reduce<Json | undefined>(
    (node, key) => (isObject(node) ? node[key] : undefined),
    document,
  );
  if (!isLength || isAsked || other === undefined || !isObject(at) || !(other in at))
    return document;
  const { [other]: _, ...rest } = at;
  return place.length === 0 ? rest : setAt(document, place, rest);
}

function renamed(
  document: JsonObject,
  path: readonly string[],
  name: Json,
  registry: Registry,
): JsonObject {
  const at = path.reduce<Json | undefined>(
    (node, key) => (node as Record<string, Json> | undefined)?.[key],
    document,
  );
  if (!isObject(at) || !isObject(at.options) || at.use === name) return document;
  const found = registry.list().filter((item) => item.name === name);
  if (found.length === 0) return document; // to be refused as unknown, whatever its options
  const known = found.flatMap(({ options }) => Object.keys(options.properties ?? {}));
  const { options, ...bare } = at;
  const kept = Object.entries(options as JsonObject).filter(([key]) => known.includes(key));
  const use = kept.length === 0 ? bare : { ...bare, options: Object.fromEntries(kept) };
  return setAt(document, path, use);
}

/**
 * The document with `value` at `path`. New keys of objects may be made, since whoever reads the
 * document refuses those it does not know; new list entries may not.
 * @throws InputError when the path leads through something that holds nothing.
 */
export function setAt(document: JsonObject, path: readonly string[], value: Json): JsonObject {
  return put(document, path, value, path.join('.')) as JsonObject;
}

function put(at: Json | undefined, path: readonly string[], value: Json, whole: string): Json {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(at)) {
    const index = /^\d+$/.test(key) ? Number(key) : -1;
    if (index < 0 || index >= at.length)
      throw unknownName(`entry in --set ${whole}`, key, Object.keys(at));
    return at.map((item, i) => (i === index ? put(item, rest, value, whole) : item)) as Json;
  }
  if (at !== undefined && !isObject(at))
    throw new InputError(
      `--set ${whole}: ${show(at)} has no "${key}" inside it; give a shorter path`,
    );
  if (key === '__proto__') throw unknownName(`key in --set ${whole}`, key, Object.keys(at ?? {}));
  return { ...at, [key]: put(at?.[key], rest, value, whole) };
}
