/** The exporter `parquet`: the epochs of a run or a study as one typed table (Apache Parquet). */
import { type Component, defineExporter, schema } from '@grok/core';
import { buildTable, type TidyColumn, type TidyValue } from './table.js';

/** Writes `metrics.parquet`, a row for each run and epoch; a null says that the run has no such value. */
export const parquet: Component<'exporter'> = defineExporter({
  name: 'parquet',
  summary: 'The epochs of a run or a study as one typed table, metrics.parquet.',
  options: schema({}),
  create:
    () =>
    async ({ runs }) => {
      // A command that exports something else loads none of this.
      const { parquetWriteBuffer } = await import('hyparquet-writer/src/write.js');
      const columnData = buildTable(runs).map(toColumnData);
      return { 'metrics.parquet': new Uint8Array(parquetWriteBuffer({ columnData })) };
    },
});

/** Numbers that only count; every other is a double, whatever values it happens to have. */
const COUNTS: ReadonlySet<string> = new Set(['seed', 'epoch', 'step', 'parameters']);

function toColumnData({ name, cells }: TidyColumn): {
  name: string;
  data: (string | number | bigint | boolean | null)[];
  type: 'BOOLEAN' | 'DOUBLE' | 'INT64' | 'STRING';
  nullable: boolean;
} {
  const known = cells.filter((cell) => cell !== undefined);
  const nullable = known.length < cells.length;
  const as = <T>(convert: (cell: NonNullable<TidyValue>) => T): (T | null)[] =>
    cells.map((cell) => (cell === undefined ? null : convert(cell)));
  if (COUNTS.has(name)) return { name, data: as(BigInt), type: 'INT64', nullable };
  // What no run has, such as an override, is text.
  if (known.length === 0) return { name, data: as(String), type: 'STRING', nullable };
  if (known.every((cell) => typeof cell === 'number'))
    return { name, data: as(Number), type: 'DOUBLE', nullable };
  if (known.every((cell) => typeof cell === 'boolean'))
    return { name, data: as(Boolean), type: 'BOOLEAN', nullable };
  return { name, data: as(String), type: 'STRING', nullable };
}
