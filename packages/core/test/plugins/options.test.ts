import {
  flag,
  integer,
  layerMap,
  listOf,
  number,
  oneOf,
  parseOptions,
  schema,
  text,
} from '@grok/core';
import type { JsonSchema, OptionSchema } from '@grok/core/internal';
import { toJsonSchema } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';

const options = schema({
  temperature: number().positive().default(2),
  reduce: oneOf('mean', 'sum').default('mean'),
  steps: integer().optional(),
  causal: flag().optional(),
  label: text().optional(),
  layers: layerMap().optional(),
  betas: listOf(number()).optional(),
});
const json: OptionSchema = {
  type: 'object',
  properties: { rate: { type: 'number', exclusiveMinimum: 0, default: 0.1 } },
  additionalProperties: false,
};
const parse = (value: unknown): unknown => parseOptions('strategy "logit"', options, value);

describe('parseOptions', () => {
  it('fills in defaults and passes values on', () => {
    // Catches: absent, null and empty options treated differently; the caller's object changed.
    for (const value of [undefined, null, {}])
      expect(parse(value)).toEqual({ temperature: 2, reduce: 'mean' });
    const given = Object.freeze({ temperature: 4, layers: { 1: 0 }, betas: [0.9, 0.98] });
    expect(parse(given)).toEqual({ ...given, reduce: 'mean' });
  });

  it('reports a missing option as missing', () => {
    expect(() => parseOptions('optimizer "sgd"', schema({ rate: number() }), {})).toThrow(
      'optimizer "sgd": option "rate": is missing (',
    );
  });

  it.each([
    [{ temprature: 3 }, 'unknown option "temprature": did you mean "temperature"?'],
    [{ zebra: 1 }, 'unknown option "zebra": known: betas, causal'],
    [{ temperature: 'hot' }, 'option "temperature": '],
    [{ temperature: 'hot' }, 'got "hot"'],
    [{ temperature: -1 }, 'got -1'],
    [{ temperature: Number.NaN }, /option "temperature": .*, got NaN$/],
    [{ temperature: -Infinity }, /, got -Infinity$/],
    [{ temperature: 1n }, /, got 1n$/],
    [{ temperature: () => 1 }, /, got function$/],
    [{ temperature: [1n, Number.NaN] }, ', got ["1n","NaN"]'],
    [1n, 'must be an object, got 1n'],
    [{ steps: 2.5 }, 'got 2.5'],
    [{ reduce: 'max' }, 'option "reduce": '],
    [{ causal: 1 }, 'option "causal": '],
    [
      { layers: { one: 0 } },
      'option "layers": keys must be layers of the teacher, integers such as "1", got {"one":0}',
    ],
    [{ layers: { '-1': 0 } }, 'keys must be layers of the teacher'],
    [{ layers: { 0: -1 } }, 'option "layers.0": '],
    [{ betas: [0.9, 'x'] }, 'option "betas.1": '],
    [{ constructor: 1 }, 'constructor'],
    [[], 'must be an object, got []'],
    [3, 'must be an object, got 3'],
  ])('refuses %o', (value, message) => {
    // Catches: a wrong option passed on; an error that names neither the component nor the value.
    expect(() => parse(value)).toThrow(/^strategy "logit": /);
    expect(() => parse(value)).toThrow(message);
  });

  it('reports every problem at once', () => {
    // Catches: one error at a time while somebody fixes a spec.
    expect(() => parse({ temperature: -1, steps: 0.5 })).toThrow(/"temperature".*; .*"steps"/);
  });

  it('accepts plain JSON Schema', () => {
    // Catches: a plugin without zod whose options are unchecked or lose their defaults.
    const check = (value: unknown): unknown => parseOptions('task "own"', json, value);
    expect(check({})).toEqual({ rate: 0.1 });
    expect(check({ rate: 2 })).toEqual({ rate: 2 });
    expect(() => check({ rate: 0 })).toThrow('task "own": option "rate": ');
    expect(() => check({ rates: 1 })).toThrow('did you mean "rate"?');
    expect(() => parseOptions('task "own"', { type: 'nonsense' }, {})).toThrow(
      'task "own": its options are not a JSON Schema',
    );
  });

  it('refuses a default that violates its own schema', () => {
    // Catches: a string passed to create where a number was declared.
    const wrong = (rate: JsonSchema): OptionSchema => ({ type: 'object', properties: { rate } });
    const fill = (rate: JsonSchema) => parseOptions('task "own"', wrong(rate), {});
    expect(() => fill({ type: 'number', default: 'x' })).toThrow(
      /^task "own": default of option "rate": .*number.*, got "x"$/,
    );
    expect(() => fill({ type: 'number', minimum: 1, default: 0 })).toThrow('got 0');
    expect(
      parseOptions('task "own"', wrong({ type: 'number', default: 'x' }), { rate: 2 }),
    ).toEqual({ rate: 2 });
  });

  it('accepts any Standard Schema, and refuses an asynchronous one', () => {
    // Catches: code that only works with zod; a promise passed on as the options.
    const standard = (validate: (value: unknown) => unknown): OptionSchema =>
      ({ '~standard': { version: 1, vendor: 'own', validate } }) as OptionSchema;
    const doubling = standard((value) => ({ value: { n: 2 * (value as { n: number }).n } }));
    expect(parseOptions('probe "p"', doubling, { n: 4 })).toEqual({ n: 8 });
    const failing = standard(() => ({ issues: [{ message: 'no', path: [{ key: 'n' }] }] }));
    expect(() => parseOptions('probe "p"', failing, { n: 4 })).toThrow(
      'probe "p": option "n": no, got 4',
    );
    const slow = standard(async (value) => ({ value }));
    expect(() => parseOptions('probe "p"', slow, {})).toThrow('use a synchronous schema');
  });
});

describe('toJsonSchema', () => {
  it('keeps what completion and listings need', () => {
    // Catches: defaults, allowed words or additionalProperties lost on the way to JSON Schema.
    expect(toJsonSchema(options)).toMatchObject({
      type: 'object',
      additionalProperties: false,
      properties: {
        temperature: { type: 'number', default: 2, exclusiveMinimum: 0 },
        reduce: { enum: ['mean', 'sum'], default: 'mean' },
      },
    });
    expect(toJsonSchema(options).properties?.layers).toEqual({
      type: 'object',
      propertyNames: { type: 'string', pattern: '^\\d+$' },
      additionalProperties: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
    });
    expect(toJsonSchema(options).required ?? []).not.toContain('temperature');
    expect(toJsonSchema(json)).toBe(json);
  });
});
