/** `--set a.b=value`: one value of a JSON document replaced, the others untouched. */
import { InputError, type Json, unknownName } from '@grok/core';
import { isObject, type JsonObject } from '@grok/study';

/**
 * The document with `value` at `path`; list entries go by number. New keys of objects may be made,
 * since whoever reads the document refuses those it does not know; new list entries may not.
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
      `--set ${whole}: ${JSON.stringify(at)} has no "${key}" inside it; give a shorter path`,
    );
  if (key === '__proto__') throw unknownName(`key in --set ${whole}`, key, Object.keys(at ?? {}));
  return { ...at, [key]: put(at?.[key], rest, value, whole) };
}
