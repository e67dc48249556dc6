/** What trackers are sent: the numbers of a metrics row and the configuration of a run, under flat names. */
import type { Json, MetricsRow, TrackedRun } from '@grok/core';

/** A value of a flat configuration. */
export type ConfigValue = string | number | boolean | null;

const PARTS = ['train', 'terms', 'validation', 'trainEval', 'probes', 'time'] as const;

/**
 * Every number of a row by name, such as `validation/accuracy` or `probes/norms/total`; `epoch` is one of
 * them. Lists are left out. A number that is not finite is NaN, as `metrics.jsonl` has it.
 */
export function listScalars(row: MetricsRow): Readonly<Record<string, number>> {
  const found: Record<string, number> = { epoch: row.epoch };
  for (const part of PARTS) {
    const value: Json | object | undefined = row[part];
    if (value !== undefined) addNumbers(part, value, found);
  }
  return found;
}

function addNumbers(name: string, value: unknown, found: Record<string, number>): void {
  if (typeof value === 'number') found[name] = Number.isFinite(value) ? value : Number.NaN;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  for (const [key, item] of Object.entries(value)) addNumbers(`${name}/${key}`, item, found);
}

/**
 * A run's configuration under flat names: its experiment (`model.options.dim`, `objective.0.use`, `seed`),
 * its id, and the study, arm and role where it is part of a study.
 */
export function listConfig({
  run,
  slug,
  experiment,
  study,
}: TrackedRun): Readonly<Record<string, ConfigValue>> {
  const found: Record<string, ConfigValue> = {};
  addValues('', experiment, found);
  return {
    ...found,
    ...{ run, slug },
    ...(study === undefined
      ? {}
      : { study: study.name, arm: study.arm, role: study.role, 'study.key': study.key }),
  };
}

function addValues(name: string, value: Json, found: Record<string, ConfigValue>): void {
  if (typeof value !== 'object' || value === null) {
    found[name] = value;
    return;
  }
  for (const [key, item] of Object.entries(value))
    addValues(name === '' ? key : `${name}.${key}`, item, found);
}
