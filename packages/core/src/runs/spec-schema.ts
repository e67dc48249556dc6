/** The JSON Schema of specifications with all components of a registry, for completion in editors. */

import { runSpecSchema } from '../contracts/experiment.js';
import type { JsonSchema, Kind } from '../contracts/types.js';
import { toJsonSchema } from '../plugins/options.js';
import type { Listing, Registry } from '../plugins/registry.js';

const PLACES: readonly (readonly [key: string, kind: Kind])[] = [
  ['task', 'task'],
  ['split', 'split'],
  ['model', 'model'],
  ['transforms', 'transform'],
  ['optimizer', 'optimizer'],
  ['objective', 'strategy'],
  ['probes', 'probe'],
];

/** JSON Schema (draft 2020-12) of a specification with the names and options of all components of `registry`. */
export function buildSpecSchema(registry: Registry): JsonSchema {
  const list = registry.list();
  const whole = toJsonSchema(runSpecSchema) as JsonSchema;
  const { experiment, execution, ...others } = whole.properties ?? {};
  const properties = Object.fromEntries(
    Object.entries(experiment?.properties ?? {}).map(([key, schema]) => {
      const kind = PLACES.find(([place]) => place === key)?.[1];
      return [key, kind === undefined ? schema : withNames(schema, of(list, kind))];
    }),
  );
  const backends = of(list, 'backend');
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Specification of a grok run',
    ...whole,
    properties: {
      $schema: { type: 'string' },
      ...others,
      experiment: { ...experiment, properties },
      execution: {
        ...execution,
        properties: {
          ...execution?.properties,
          trackers: withNames(execution?.properties?.trackers ?? {}, of(list, 'tracker')),
          backend: {
            type: 'string',
            description: 'Name of the backend.',
            examples: backends.map(({ name }) => name),
          },
        },
        allOf: backends.map(({ name, options }) => ({
          if: { properties: { backend: { const: name } }, required: ['backend'] },
          // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
          then: { properties: { backendOptions: options } },
        })),
      },
    },
  };
}

const of = (list: readonly Listing[], kind: Kind): readonly Listing[] =>
  list.filter((item) => item.kind === kind);

/** The schema of `{ use, options }`, or of a list of them, with the options of each known name. */
function withNames(schema: JsonSchema, known: readonly Listing[]): JsonSchema {
  if (schema.type === 'array')
    return { ...schema, items: withNames(schema.items as JsonSchema, known) };
  if (known.length === 0) return schema;
  const use = {
    ...schema.properties?.use,
    anyOf: known.map(({ name, summary }) => ({ const: name, description: summary })),
  };
  return {
    ...schema,
    properties: { ...schema.properties, use },
    allOf: known.map(({ name, options }) => ({
      if: { properties: { use: { const: name } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { properties: { options } },
    })),
  };
}
