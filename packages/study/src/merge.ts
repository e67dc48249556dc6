/** Parts of an experiment laid over one another: how a plan says only what differs. */
import type { Json } from '@grok/core';

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };

/** True for a JSON object, neither null nor a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Lays parts over one another, later ones on top; objects are merged key by key, all else replaced.
 * What uses another component (`use`) replaces the whole entry: options of one mean nothing to another.
 */
export function merge(...parts: readonly (JsonObject | undefined)[]): JsonObject {
  return parts.reduce<JsonObject>(
    (under, over) => (over ? lay(withoutLength(under, over), over) : under),
    {},
  );
}

/** A length in steps takes the place of one in epochs, and the reverse. */
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
