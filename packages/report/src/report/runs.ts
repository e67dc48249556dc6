/** Tables with a line for each run: what it came to beside a paper's numbers, and what it takes to check it. */
import type { BegunRun } from '@grok/study';
import type { Published } from '../paper.js';
import { LEAK_NOTE, reproductionColumns } from '../table.js';
import type { Table } from './grid.js';
import { formatLabel } from './style.js';

/** Both tables of runs; `beside` has published numbers, if any. */
export function runsTables(
  runs: readonly BegunRun[],
  beside: Readonly<Record<string, Published>>,
): readonly Table[] {
  const [first, ...columns] = reproductionColumns(beside);
  const notes = [
    ...(Object.keys(beside).length > 0
      ? ['“paper” columns: as published; the paper trained no student without a teacher.']
      : []),
    ...(runs.some(({ record }) => record.leaked) ? [LEAK_NOTE] : []),
  ];
  return [
    {
      name: 'table-runs',
      title: 'Every run',
      ...(notes.length === 0 ? {} : { note: notes.join(' ') }),
      head: [first.head, 'seed', ...columns.map(({ head }) => head)],
      rows: runs.map((run) => [
        first.cell({ ...run, name: formatLabel(run) }),
        String(run.seed),
        ...columns.map(({ cell }) => cell(run)),
      ]),
    },
    {
      name: 'table-folders',
      title: 'What it takes to check them',
      note: 'Peak memory is that of the process so far.',
      head: ['run', 'folder', 'split', 'parameters sha256', 'backend', 'peak memory (MiB)'],
      rows: runs.map((run) => [
        `${formatLabel(run)}, seed ${run.seed}`,
        run.record.out.split(/[\\/]/).at(-1) ?? '',
        run.record.splitHash.slice(0, 12),
        (run.record.paramsSha256 ?? '').slice(0, 12),
        run.record.backend,
        run.record.peakMemoryBytes === null
          ? '–'
          : (run.record.peakMemoryBytes / 2 ** 20).toFixed(0),
      ]),
    },
  ];
}
