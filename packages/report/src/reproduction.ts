/** A reproduction in the terminal: its runs beside the paper's numbers, and its students against the control. */
import { type Published, published } from './paper.js';
import { type NamedRecord, reproductionColumns, runTable } from './table.js';

/** The table of a reproduction, with its students compared with the control. */
export function reproductionTable(
  runs: readonly NamedRecord[],
  beside: Readonly<Record<string, Published>> = published,
  width?: number,
): string {
  const against = againstControl(runs);
  const table = runTable(runs, reproductionColumns(beside), { style: 'text', width });
  return table + (against === '' ? '' : `\n${against}\n`);
}

/** Epochs to 99 % of each student against the control `none`; empty without a control. */
export function againstControl(runs: readonly NamedRecord[]): string {
  const control = runs.find(({ name }) => name === 'none');
  const students = runs.filter(({ name }) => name !== 'none' && name !== 'teacher');
  if (control === undefined || students.length === 0) return '';
  const base = control.record.epochsTo['0.99'] ?? null;
  const said = students.map(({ name, record }) => {
    const epochs = record.epochsTo['0.99'] ?? null;
    if (epochs === null) return `${name} never (in ${formatEpochs(record.epochs)})`;
    return base === null
      ? `${name} ${epochs}`
      : `${name} ${epochs} (${formatSpeedUp(base / epochs)})`;
  });
  return `Epochs to 99 % against the control without a teacher (${base ?? `never in ${formatEpochs(control.record.epochs)}`}): ${said.join(', ')}.`;
}

function formatEpochs(n: number): string {
  return `${n} epoch${n === 1 ? '' : 's'}`;
}

function formatSpeedUp(ratio: number): string {
  return `${ratio.toFixed(2)} × the control's speed`;
}
