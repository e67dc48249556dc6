/** Results as JSON, where a number that does not exist (the kurtosis of a constant, say) is null. */
import type { Json } from '@grok/core';

/** A copy of plain data with NaN and infinities as null. */
export function toJson(value: unknown): Json {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object' || value === null) return value as Json;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
}
