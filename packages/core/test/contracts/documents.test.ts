/** Documents that do not match: errors name the file, line, key, rule, what was got and what to do. */
import { InputError, type RunEvent } from '@grok/core';
import {
  type DocumentKind,
  experimentSchema,
  metricsRowSchema,
  readDocument,
  readLines,
  runConfigSchema,
  runEventSchema,
  type z,
} from '@grok/core/internal';
import { describe, expect, it } from 'vitest';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const kind = <T>(schema: z.ZodType<T>): DocumentKind<T> => ({ schema, remedy: 'restore it' });
const experiment = {
  task: { use: 'div', options: { p: 7 } },
  model: { use: 'transformer' },
  objective: [{ use: 'hard' }, { use: 'logit', weight: 0.5 }],
  optimizer: { use: 'adamw' },
  batch: 8,
  epochs: 2,
  seed: 1,
};
const read = (value: unknown): unknown =>
  readDocument(bytes(JSON.stringify(value, null, 2)), 'x.json', kind(experimentSchema));

describe('readDocument', () => {
  it('reads JSON with or without a byte order mark', () => {
    expect(read(experiment)).toEqual(experiment);
    const text = `\uFEFF${JSON.stringify(experiment)}`;
    expect(readDocument(bytes(text), 'x', kind(experimentSchema))).toEqual(experiment);
  });

  // Each case used to be a TypeError, a silent acceptance or a message without a location.
  it.each<[string, unknown, string]>([
    ['a list', [], 'x.json: line 1: must be an object, got []'],
    ['null', null, 'x.json: line 1: must be an object, got null'],
    [
      'not a list',
      { ...experiment, objective: { use: 'hard' } },
      'x.json: line 11: key "objective": must be a list, got {"use":"hard"}',
    ],
    [
      'a fraction',
      { ...experiment, epochs: 2.5 },
      'x.json: line 24: key "epochs": must be an integer, got 2.5',
    ],
    ['too small', { ...experiment, batch: 0 }, 'line 23: key "batch": must be ≥ 1, got 0'],
    [
      'deep inside a list',
      { ...experiment, objective: [{ use: 'hard' }, { use: 'logit', weight: -1 }] },
      'x.json: line 17: key "objective.1.weight": must be ≥ 0, got -1',
    ],
    [
      'an unknown key, deep inside',
      { ...experiment, objective: [{ use: 'hard', wieght: 1 }] },
      'line 14: objective.0: unknown key "wieght": did you mean "weight"?',
    ],
    [
      'a missing key',
      { ...experiment, seed: undefined },
      'x.json: line 1: key "seed": is missing (must be a number)',
    ],
    [
      'a hash that is none',
      { ...experiment, teachers: { t: { run: 'abc', paramsSha256: 'a'.repeat(64) } } },
      'key "teachers.t.run": must be 64 hex digits, got "abc"',
    ],
  ])('%s', (_, value, message) => {
    expect(() => read(value)).toThrow(InputError);
    expect(() => read(value)).toThrow(message);
    expect(() => read(value)).toThrow(/; restore it$/);
  });

  it('rejects __proto__ as a name (catches: it becomes a prototype when merged)', () => {
    const text = '{"task":{"use":"div","options":{"__proto__":{"p":7}}}}';
    expect(() => readDocument(bytes(text), 'x.json', kind(experimentSchema))).toThrow(
      'x.json: "__proto__" cannot be used as a name; choose another; restore it',
    );
  });

  it('reports the format before other faults, and what to do with an older one', () => {
    const foreign = bytes('{ "name": "not ours" }');
    expect(() => readDocument(foreign, 'config.json', kind(runConfigSchema))).toThrow(
      'config.json: line 1: key "format": is missing (must be "grok run 2"); restore it',
    );
    const old = { ...kind(runConfigSchema), older: { 'grok run 1': 're-key it' } };
    expect(() => readDocument(bytes('{"format":"grok run 1"}'), 'config.json', old)).toThrow(
      'config.json: has the format "grok run 1", which is too old; re-key it',
    );
  });

  it('rejects invalid JSON', () => {
    expect(() => readDocument(bytes('{'), 'x.json', kind(experimentSchema))).toThrow(
      /^x\.json: must be JSON \(.*\); restore it$/,
    );
  });
});

describe('readLines', () => {
  const row = {
    epoch: 1,
    step: 4,
    train: { loss: 1, accuracy: 0.5 },
    terms: { hard: 1 },
    validation: { loss: 1, accuracy: 0.5 },
    time: { seconds: 0.1 },
  };
  const rows = (...lines: unknown[]): Uint8Array =>
    bytes(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const metrics = kind(metricsRowSchema);

  it('returns complete lines with their end offsets and drops a partial last line', () => {
    const whole = rows(row, { ...row, epoch: 2 });
    const found = readLines(bytes(`${new TextDecoder().decode(whole)}{"epo`), 'm', metrics);
    expect(found.map(({ value }) => value.epoch)).toEqual([1, 2]);
    expect(found.at(-1)?.end).toBe(whole.length);
  });

  it('reads back a non-finite number as NaN', () => {
    const [found] = readLines(rows({ ...row, terms: { hard: Number.NaN } }), 'm', metrics);
    expect(found?.value.terms).toEqual({ hard: Number.NaN });
  });

  it.each<[string, unknown, string]>([
    [
      'an accuracy beyond 1',
      { ...row, train: { loss: 1, accuracy: 100003 } },
      'm: line 2: key "train.accuracy": must be ≤ 1, got 100003',
    ],
    [
      'an unknown key',
      { ...row, ephoc: 1 },
      'm: line 2: unknown key "ephoc": did you mean "epoch"?',
    ],
    ['no row', 7, 'm: line 2: must be an object, got 7'],
    [
      'a loss of text',
      { ...row, validation: { loss: 'x', accuracy: 0 } },
      'a number or null, got "x"',
    ],
  ])('%s', (_, bad, message) => {
    expect(() => readLines(rows(row, bad), 'm', metrics)).toThrow(message);
  });

  it('lists the known types for an unknown event type, and suggests the nearest key for an unknown key', () => {
    const events = kind<RunEvent>(runEventSchema);
    expect(() => readLines(rows({ type: 'ende' }), 'e', events)).toThrow(
      /e: line 1: key "type": must be "start", "step", .* or "end" \(did you mean "end"\?\), got "ende"/,
    );
    const typo = { type: 'notice', message: 'x', mesage: 'y' };
    expect(() => readLines(rows(typo), 'e', events)).toThrow(
      'e: line 1: unknown key "mesage": did you mean "message"?',
    );
  });
});
