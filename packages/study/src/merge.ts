/** Merges partial experiments, so that a plan only states the differences. */
import type { Json } from '@grok/core';

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };

/** Whether a value is a JSON object (not null, not a list). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Merges parts; later ones win. Objects are merged key by key, other values are replaced. A component with
 * another `use` replaces the whole entry, since options belong to one component.
 */
export function merge(...parts: readonly (JsonObject | undefined)[]): JsonObject {
  return parts.reduce<JsonObject>(
    (under, over) => (over ? lay(withoutLength(under, over), over) : under),
    {},
  );
}

/** A length in steps replaces one in epochs, and vice versa. */
function withoutLength(under: JsonObject, over: JsonObject): JsonObject {
  const { epochs, steps, ...rest } = under;
  if (over.epochs === undefined && over.steps !== undefined && epochs !== undefined) return rest;
  if (over.steps === undefined && over.epochs !== undefined && steps !== undefined) return rest;
  return under;
}

function lay(under: JsonObject, over: JsonObject): JsonObject {
  if (over.use !== undefined && under.use !== undefined && over.use !== under.use) return over;
  const merged = new Map<string, Json>(Object.entries(under));
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key);
    merged.set(key, isObject(value) && isObject(below) ? lay(below, value) : value);
  }
  return Object.fromEntries(merged);
}
