/** The moments of a run at which it is looked into: the crossing, steps after it, the last step, any step. */
import { InputError, type MetricsRow } from '@grok/core';

/** A requested point of training. */
export type At =
  | { readonly crossing: number; readonly plus: number }
  | { readonly step: number }
  | 'last';
/** A point of a run's training; its name is used in file names. */
export interface Moment {
  /** `crossing-0.99`, `crossing-0.99+500`, `end` or `step-900`. */
  readonly name: string;
  readonly step: number;
}

/** The default points of an analysis: two, since the structure keeps changing after the transition. */
export const defaultMoments: readonly At[] = [{ crossing: 0.99, plus: 0 }, 'last'];

/** Parses `crossing`, `crossing+500`, `crossing:0.9`, `last` or a step. @throws InputError on anything else. */
export function parseMoment(text: string): At {
  if (text === 'last') return 'last';
  if (/^\d+$/.test(text)) return { step: Number(text) };
  const match = /^crossing(?::(0?\.\d+|1))?(?:\+(\d+))?$/.exec(text);
  if (match === null)
    throw new InputError(
      `--at: must be crossing, crossing+STEPS, last or a step, got ${JSON.stringify(text)}`,
    );
  return { crossing: Number(match[1] ?? 0.99), plus: Number(match[2] ?? 0) };
}

/** Finds a point in a run's history; undefined if the run never reached it. */
export function resolveMoment(at: At, history: readonly MetricsRow[]): Moment | undefined {
  const last = history.at(-1)?.step ?? 0;
  if (at === 'last') return last === 0 ? undefined : { name: 'end', step: last };
  if ('step' in at) return { name: `step-${at.step}`, step: at.step };
  const row = history.find(({ validation }) => validation.accuracy >= at.crossing);
  if (row === undefined || row.step + at.plus > last) return undefined;
  const after = at.plus === 0 ? '' : `+${at.plus}`;
  return { name: `crossing-${at.crossing}${after}`, step: row.step + at.plus };
}
