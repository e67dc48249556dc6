/** `my-task`: state what is learned, and where the task comes from. */
import type { ComponentDefinition, Plugin } from '@grok/core';

/** Options of `my-task`, defaults filled in. */
export interface Options {
  /** Bits per row, 2 … 16. */
  readonly bits: number;
}

/** Every row of `bits` bits, `[2^bits, bits]`; its class is their sum modulo 2. */
export const myTask: ComponentDefinition<'task', Options> = {
  kind: 'task',
  name: 'my-task',
  summary: 'Parity of bits.',
  options: {
    type: 'object',
    properties: { bits: { type: 'integer', minimum: 2, maximum: 16, default: 6 } },
    additionalProperties: false,
  },
  create({ bits }) {
    const rows = Array.from({ length: 2 ** bits }, (_, row) =>
      Array.from({ length: bits }, (_, bit) => (row >> bit) & 1),
    );
    return {
      vocabulary: 2,
      inputs: { shape: [rows.length, bits], dtype: 'int32', data: Int32Array.from(rows.flat()) },
      labels: Int32Array.from(rows, (row) => row.reduce((a, b) => a ^ b, 0)),
      show: (row) => `${rows[row]?.join(' ')} → ${rows[row]?.reduce((a, b) => a ^ b, 0)}`,
    };
  },
};

/** The plugin with all components of this package. */
const plugin: Plugin = {
  name: 'grok-my-task',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [myTask],
};
export default plugin;
