/** A plugin in a package without `"type": "module"`, which tsc compiles to CommonJS. */
import { defineTask, integer, type Plugin, schema } from '@grok/core';

/** Parity of the number of ones, over all rows of bits. */
const parity = defineTask({
  name: 'parity',
  summary: 'Parity of bits.',
  options: schema({ bits: integer().min(1).max(10).default(5) }),
  create({ bits }) {
    const rows = 2 ** bits;
    const data = Int32Array.from(
      { length: rows * bits },
      (_, i) => (Math.floor(i / bits) >> (i % bits)) & 1,
    );
    const ones = (row: number): number => row.toString(2).replaceAll('0', '').length;
    return {
      vocabulary: 2,
      inputs: { shape: [rows, bits], dtype: 'int32', data },
      labels: Int32Array.from({ length: rows }, (_, row) => ones(row) % 2),
      show: (row) => `parity of ${row.toString(2)}`,
    };
  },
});

const plugin: Plugin = {
  name: '@third/commonjs',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [parity],
};
export default plugin;
