/** Describes zod's issues in plain words: the rule, without the value. */
import type { z } from 'zod';
import { nearest, quote } from './errors.js';

const TYPES: Readonly<Record<string, string>> = {
  int: 'an integer',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

/** Returns `must be an integer`, `must be ≥ 1` or `must be "a" or "b"`; undefined keeps the issue's own message. */
export function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return describeBound(issue.origin, issue.inclusive === false ? '>' : '≥', issue.minimum);
    case 'too_big':
      return describeBound(issue.origin, issue.inclusive === false ? '<' : '≤', issue.maximum);
    case 'invalid_value':
      return describeChoice(issue.values, issue.input);
    case 'unrecognized_keys':
      return `must be an object without the key ${quote(issue.keys.join(', '))}`;
    case 'invalid_union':
      return describeUnion(issue);
    default:
      return undefined;
  }
}

function describeBound(origin: string, sign: string, bound: number | bigint): string {
  if (bound === 1 && sign === '≥' && /string|array/.test(origin)) return 'must not be empty';
  if (origin === 'string') return `must have ${sign} ${bound} characters`;
  if (origin === 'array') return `must have ${sign} ${bound} entries`;
  return `must be ${sign} ${bound}`;
}

/** For a discriminated union lists the values of its key, otherwise what each alternative requires. */
function describeUnion({
  errors,
  input,
  ...issue
}: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string {
  const { options, discriminator } = { options: undefined, discriminator: undefined, ...issue };
  if (Array.isArray(options) && typeof discriminator === 'string') {
    const got = typeof input === 'object' && input !== null ? Object.entries(input) : [];
    return describeChoice(options, new Map(got).get(discriminator));
  }
  const rules = errors.flatMap(([first]) => first?.message.replace(/^must be /, '') ?? []);
  return `must be ${joinOr([...new Set(rules)])}`;
}

function describeChoice(values: readonly unknown[], got: unknown): string {
  const rule = `must be ${joinOr(values.map((value) => JSON.stringify(value)))}`;
  const isOne = values.length === 1;
  const near = typeof got === 'string' && !isOne ? nearest(got, values.map(String)) : undefined;
  return near === undefined ? rule : `${rule} (did you mean "${near}"?)`;
}

function joinOr(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
