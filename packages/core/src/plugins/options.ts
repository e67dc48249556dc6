/**
 * Options of components: small words for schemas (on zod), and one way to check them, whatever
 * Standard Schema or JSON Schema a plugin brings. Unknown keys are errors with a suggestion.
 */
import { z } from 'zod';
import { InputError, unknownName } from '../contracts/errors.js';
import type { JsonSchema, OptionSchema, SchemaResult } from '../contracts/types.js';

/** A finite number. */
export const number = (): z.ZodNumber => z.number();
/** A whole number. */
export const integer = (): z.ZodNumber => z.int();
/** `true` or `false`. */
export const flag = (): z.ZodBoolean => z.boolean();
/** Any string. */
export const text = (): z.ZodString => z.string();
/** One of the given words. */
export const oneOf = <const W extends readonly [string, ...string[]]>(
  ...words: W
): z.ZodEnum<{ [K in W[number]]: K }> => z.enum(words);
/** A list of values of one schema. */
export const listOf = <S extends z.ZodType>(item: S): z.ZodArray<S> => z.array(item);
const LAYER = /^\d+$/;
/** A map of layers, teacher → student, such as `{ "1": 0 }`; student layers count from 0. */
export const layerMap = (): z.ZodRecord<z.ZodString, z.ZodNumber> =>
  // The pattern is for editors; as a check of each key it would show the value as what was got.
  z
    .record(z.string().meta({ pattern: LAYER.source }), z.int().nonnegative())
    .refine(
      (map) => Object.keys(map).every((key) => LAYER.test(key)),
      'keys must be layers of the teacher, whole numbers such as "1"',
    );
/** An object of the given options and no others. */
export const schema = <const S extends z.ZodRawShape>(shape: S): z.ZodObject<S, z.core.$strict> =>
  z.strictObject(shape);

/** The JSON Schema of options, for completion, `grok plugins` and the check of unknown keys. */
export function jsonSchemaOf(options: OptionSchema): JsonSchema {
  if (!('~standard' in options)) return options as JsonSchema;
  const standard = options as Extract<OptionSchema, { '~standard': unknown }>;
  return (
    standard.jsonSchema ??
    (standard['~standard'].jsonSchema?.input({ target: 'draft-2020-12' }) as JsonSchema) ?? {
      type: 'object',
    }
  );
}

/**
 * Checks `value` against `options` and fills in defaults; `noun` is what a key is called.
 * @throws InputError that names the subject, the option, the rule and what was got.
 */
export function parseOptions<O>(
  subject: string,
  options: OptionSchema<O>,
  value: unknown,
  noun = 'option',
): O {
  const given = value ?? {};
  if (typeof given !== 'object' || Array.isArray(given))
    throw new InputError(`${subject}: ${noun}s must be an object, got ${shown(given)}`);
  checkKeys(subject, jsonSchemaOf(options), given as Record<string, unknown>, noun, '');
  const standard = ('~standard' in options ? options : fromJson(subject, options)) as Extract<
    OptionSchema<O>,
    { '~standard': unknown }
  >;
  const result = standard['~standard'].validate(given);
  if (result instanceof Promise)
    throw new InputError(`${subject}: its ${noun}s are checked asynchronously; use a plain schema`);
  if (result.issues !== undefined) throw refused(subject, noun, result.issues, given);
  if ('~standard' in options) return result.value;
  // JSON Schema checks no default of its own: what it filled in is looked at as if it had been given.
  const { issues } = standard['~standard'].validate(result.value) as SchemaResult<O>;
  if (issues !== undefined) throw refused(subject, `default of ${noun}`, issues, result.value);
  return result.value;
}

function refused(
  subject: string,
  noun: string,
  issues: NonNullable<SchemaResult<unknown>['issues']>,
  given: unknown,
): InputError {
  const problems = issues.map((issue) => {
    const path = (issue.path ?? []).map((part) =>
      String(typeof part === 'object' ? part.key : part),
    );
    const got = path.reduce<unknown>(
      (at, key) => (at as Record<string, unknown> | undefined)?.[key],
      given,
    );
    const rule =
      got === undefined ? `is missing (${issue.message})` : `${issue.message}, got ${shown(got)}`;
    return `${noun} "${path.join('.') || '(all)'}": ${rule}`;
  });
  return new InputError(`${subject}: ${problems.join('; ')}`);
}

/** A value as it is written: JSON makes null of NaN, and throws at a bigint. */
function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'bigint') return `${value}n`;
  const inside = (_: string, inner: unknown): unknown =>
    typeof inner === 'bigint' || (typeof inner === 'number' && !Number.isFinite(inner))
      ? shown(inner)
      : inner;
  return JSON.stringify(value, inside) ?? typeof value;
}

/** Unknown keys at any depth, before the schema's own check: only here the known ones can be named. */
function checkKeys(
  subject: string,
  json: JsonSchema,
  value: unknown,
  noun: string,
  path: string,
): void {
  if (typeof value !== 'object' || value === null) return;
  const items = json.items;
  if (Array.isArray(value)) {
    if (typeof items === 'object' && items !== null)
      value.forEach((item, i) => {
        checkKeys(subject, items as JsonSchema, item, noun, `${path}${i}.`);
      });
    return;
  }
  const known = json.properties;
  for (const [key, inner] of Object.entries(value)) {
    const schema = known?.[key] ?? json.additionalProperties;
    if (known !== undefined && schema === false) {
      const cause = unknownName(
        noun,
        `${path}${key}`,
        Object.keys(known).map((k) => path + k),
      );
      throw new InputError(`${subject}: ${cause.message}`);
    }
    if (typeof schema === 'object') checkKeys(subject, schema, inner, noun, `${path}${key}.`);
  }
}

function fromJson(subject: string, json: JsonSchema): unknown {
  try {
    return z.fromJSONSchema(json as Parameters<typeof z.fromJSONSchema>[0]);
  } catch (error) {
    throw new InputError(`${subject}: its options are no JSON Schema: ${(error as Error).message}`);
  }
}
