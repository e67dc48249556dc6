/** The schema of specifications accepts valid ones and has the names and options of plugins. */
import { buildSpecSchema, createRegistry, type Plugin } from '@grok/core';
import { checkSpec } from '@grok/core/internal';
import { expect, test } from 'vitest';
import { z } from 'zod';

const plugin: Plugin = {
  name: 'grok-x',
  version: '1.0.0',
  core: '>=0.1.0 <1',
  components: [
    {
      kind: 'task',
      name: 'parity',
      summary: 'Parity of bits.',
      options: {
        type: 'object',
        properties: { bits: { type: 'integer' } },
        additionalProperties: false,
      },
      create: () => {
        throw new Error('not created here');
      },
    },
  ],
};
const schema = buildSpecSchema(createRegistry([plugin]));
const experiment = schema.properties?.experiment?.properties ?? {};

test('lists the known names with summary and options (catches: completion without entries)', () => {
  expect(experiment.task?.properties?.use).toEqual({
    ...{ type: 'string', minLength: 1, description: 'name of the component' },
    anyOf: [{ const: 'parity', description: 'Parity of bits.' }],
  });
  expect(JSON.stringify(experiment.task?.allOf)).toContain('"bits":{"type":"integer"}');
  expect(JSON.stringify(experiment.objective?.items)).toContain('"const":"hard"');
});
test('is JSON, and accepts what a run accepts except its `$schema` line (catches: errors under a valid file)', () => {
  expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  const spec = {
    experiment: {
      ...{ task: { use: 'parity', options: { bits: 4 } }, model: { use: 'm' } },
      ...{ optimizer: { use: 'o' }, batch: 8, epochs: 1, seed: 1 },
    },
  };
  checkSpec(spec);
  // zod does not support `if`, but reads the rest of the schema.
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== 'object' || value === null) return value;
    const { allOf: _, ...rest } = value as Record<string, unknown>;
    return Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, plain(inner)]));
  };
  const read = z.fromJSONSchema(plain(schema) as Parameters<typeof z.fromJSONSchema>[0]);
  const check = (value: unknown): boolean => read.safeParse(value).success;
  expect(check({ $schema: './grok.schema.json', ...spec })).toBe(true);
  expect(check({ experiment: { ...spec.experiment, epochs: 'two' } })).toBe(false);
  expect(check({ experiment: { ...spec.experiment, task: { use: 'party' } } })).toBe(false);
});
