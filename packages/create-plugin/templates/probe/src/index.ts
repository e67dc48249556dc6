/** `my-probe`: state what is measured, and where the measure comes from. */
import type { ComponentDefinition, Plugin } from '@grok/core';

/** Options of `my-probe`, defaults filled in. */
export interface Options {
  /** Epochs between measurements. */
  readonly every: number;
}

/** Largest absolute value of each parameter, by name. */
export const myProbe: ComponentDefinition<'probe', Options> = {
  kind: 'probe',
  name: 'my-probe',
  summary: 'Largest absolute value of each parameter.',
  options: {
    type: 'object',
    properties: { every: { type: 'integer', minimum: 1, default: 10 } },
    additionalProperties: false,
  },
  create: ({ every }) => ({
    needs: {},
    when: { every },
    on: ({ params }) =>
      Object.fromEntries(
        Object.entries(params).map(([name, { data }]) => [
          name,
          Array.from(data).reduce((most, value) => Math.max(most, Math.abs(value)), 0),
        ]),
      ),
  }),
};

/** The plugin with all components of this package. */
const plugin: Plugin = {
  name: 'grok-my-probe',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [myProbe],
};
export default plugin;
