/** The exporter `csv`: the epochs of a run or a study as one text table (RFC 4180). */
import { type Component, defineExporter, schema } from '@grok/core';
import { buildTable, type TidyValue } from './table.js';

/** Writes `metrics.csv`, a row for each run and epoch; an empty cell says that the run has no such value. */
export const csv: Component<'exporter'> = defineExporter({
  name: 'csv',
  summary: 'The epochs of a run or a study as one table, metrics.csv.',
  options: schema({}),
  create:
    () =>
    async ({ runs }) => {
      const columns = buildTable(runs);
      const count = columns[0]?.cells.length ?? 0;
      const rows = Array.from({ length: count }, (_, row) =>
        columns.map(({ cells }) => cells[row]),
      );
      const lines = [columns.map(({ name }) => name), ...rows].map((cells) =>
        cells.map(formatCell).join(','),
      );
      return { 'metrics.csv': `${lines.join('\n')}\n` };
    },
});

function formatCell(cell: TidyValue): string {
  const text = String(cell ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
