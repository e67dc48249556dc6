/** JSON as a type and as a schema, and the rule by which types and schemas agree. */
import { z } from 'zod';

/** A JSON value. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A schema for each key of `T` and no others; optional keys are `exactOptional`. */
export type Shape<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K>
    ? z.ZodExactOptional<z.ZodType<T[K]>>
    : z.ZodType<T[K]>;
};

/** Any JSON value. It comes from `JSON.parse`, or `canonicalJson` checks it before it is hashed. */
export const jsonSchema: z.ZodType<Json> = z.any();

/** Any JSON object. */
export const jsonObjectSchema: z.ZodType<{ readonly [key: string]: Json }> = z.record(
  z.string(),
  jsonSchema,
);
