/** The epochs of any number of runs as one tidy table: a row for each run and epoch, a column for each quantity. */
import type { ExportedRun, Json } from '@grok/core';

/** A value of a cell; undefined where the run has none of that name. */
export type TidyValue = string | number | boolean | undefined;
/** A column, one cell a row. */
export interface TidyColumn {
  readonly name: string;
  readonly cells: readonly TidyValue[];
}

/**
 * Columns by JSON path: what the run is (`run`, `name`, `seed`, …), the epoch's row as in `metrics.jsonl`
 * (`validation.accuracy`), then the experiment (`experiment.optimizer.options.weightDecay`). Lists are JSON text.
 */
export function buildTable(runs: readonly ExportedRun[]): readonly TidyColumn[] {
  const rows = runs.flatMap((run) => {
    const { key, name, role, override, manifest, experiment } = run;
    const { seed: _seed, ...settings } = experiment;
    const about = {
      ...{ run: key, name, role, override, seed: experiment.seed, id: manifest.run },
      ...{ status: manifest.status, leaked: manifest.leaked ?? false },
      parameters: manifest.parameters,
    };
    const after = flatten({ experiment: settings });
    return run.history.map((row) => new Map([...flatten(about), ...flatten(row), ...after]));
  });
  const names = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  return orderColumns(names).map((name) => ({ name, cells: rows.map((row) => row.get(name)) }));
}

/** The experiment's columns last, also those that only later rows have. */
function orderColumns(names: readonly string[]): readonly string[] {
  const isSetting = (name: string): boolean => name.startsWith('experiment.');
  return [...names.filter((name) => !isSetting(name)), ...names.filter(isSetting)];
}

function flatten(value: object, prefix = ''): readonly (readonly [string, TidyValue])[] {
  return Object.entries(value).flatMap(([key, item]: [string, Json | undefined]) => {
    const path = `${prefix}${key}`;
    if (item === undefined || item === null) return [[path, undefined] as const];
    if (typeof item !== 'object') return [[path, item] as const];
    return Array.isArray(item)
      ? [[path, JSON.stringify(item)] as const]
      : flatten(item, `${path}.`);
  });
}
