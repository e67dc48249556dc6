/**
 * Options of components: short schema builders (on zod), and one way to check options with any
 * Standard Schema or JSON Schema that a plugin brings. Unknown keys are errors with a suggestion.
 */
import { z } from 'zod';
import {
  findFaults,
  findLostNumber,
  findUnknownKey,
  formatFaults,
  type Issue,
  show,
} from '../contracts/check.js';
import { InputError, withSubject } from '../contracts/errors.js';
import { describeIssue } from '../contracts/issue-words.js';
import type { JsonSchema, OptionSchema } from '../contracts/types.js';

/** A finite number. */
export const number = (): z.ZodNumber => z.number();
/** An integer. */
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
/** A layer map, teacher → student, such as `{ "1": 0 }`; student layers count from 0. */
export const layerMap = (): z.ZodRecord<z.ZodString, z.ZodNumber> =>
  // The pattern is for editors; used as a key check, it would report the value instead of the key.
  z
    .record(z.string().meta({ pattern: LAYER.source }), z.int().nonnegative())
    .refine(
      (map) => Object.keys(map).every((key) => LAYER.test(key)),
      'keys must be layers of the teacher, integers such as "1"',
    );
/** An object of the given options and no others. */
export const schema = <const S extends z.ZodRawShape>(shape: S): z.ZodObject<S, z.core.$strict> =>
  z.strictObject(shape);

/** The JSON Schema of options, for completion, `grok plugins` and the check of unknown keys. */
export function toJsonSchema(options: OptionSchema): JsonSchema {
  if (!isStandard(options)) return options;
  return (
    options.jsonSchema ??
    (options['~standard'].jsonSchema?.input({ target: 'draft-2020-12' }) as JsonSchema) ?? {
      type: 'object',
    }
  );
}

/**
 * Validates `value` against `options` and fills in defaults; `noun` is the word for a key in errors.
 * @throws InputError that names the subject, the option, the rule and the value.
 */
export function parseOptions<O>(
  subject: string,
  options: OptionSchema<O>,
  value: unknown,
  noun = 'option',
): O {
  const given = value ?? {};
  if (typeof given !== 'object' || Array.isArray(given))
    throw new InputError(`${subject}: ${noun}s must be an object, got ${show(given)}`);
  const unknown = findUnknownKey(toJsonSchema(options), given, noun);
  if (unknown?.error !== undefined) throw withSubject(subject, unknown.error);
  const refuse = (word: string, issues: readonly Issue[], got: unknown): InputError =>
    new InputError(`${subject}: ${formatFaults(findFaults(issues, got), word)}`);
  const lost = findLostNumber(given);
  if (lost !== undefined) throw new InputError(`${subject}: ${formatFaults([lost], noun)}`);
  if (!isStandard(options)) return parseByJson(subject, options, given, noun, refuse);
  const result = options['~standard'].validate(given);
  if (result instanceof Promise)
    throw new InputError(
      `${subject}: its ${noun}s are validated asynchronously; use a synchronous schema`,
    );
  if (result.issues === undefined) return result.value;
  const plain =
    options instanceof z.ZodType ? parseInWords(options, given).error?.issues : undefined;
  throw refuse(noun, plain ?? result.issues, given);
}

type StandardOptions<O> = Extract<OptionSchema<O>, { readonly '~standard': unknown }>;

function isStandard<O>(options: OptionSchema<O>): options is StandardOptions<O> {
  return '~standard' in options;
}

/** Checks options by JSON Schema; the caller vouches for the type. */
function parseByJson<O>(
  subject: string,
  json: JsonSchema,
  given: unknown,
  noun: string,
  refuse: (word: string, issues: readonly Issue[], got: unknown) => InputError,
): O {
  const checker = fromJson(subject, json);
  const { error, data } = parseInWords(checker, given);
  if (error !== undefined) throw refuse(noun, error.issues, given);
  // JSON Schema does not check defaults, so the filled-in options are checked again.
  const again = parseInWords(checker, data);
  if (again.error !== undefined) throw refuse(`default of ${noun}`, again.error.issues, data);
  return data as O;
}

/** Applies this project's wording to zod's rules, unless an author gave a message. */
function parseInWords(checker: z.ZodType, value: unknown): z.ZodSafeParseResult<unknown> {
  return checker.safeParse(value, { error: describeIssue });
}

function fromJson(subject: string, json: JsonSchema): z.ZodType {
  try {
    return z.fromJSONSchema(json as Parameters<typeof z.fromJSONSchema>[0]);
  } catch (error) {
    throw new InputError(
      `${subject}: its options are not a JSON Schema: ${(error as Error).message}`,
    );
  }
}
