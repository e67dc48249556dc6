/** When a run grokked, read off its history: epochs to a threshold and the best of the last epochs. */
import { InputError, type MetricsRow } from '@grok/core';

/** The epochs of a run, in order. */
export type History = readonly Pick<MetricsRow, 'epoch' | 'validation'>[];

/** Validation accuracies for which epochs are reported. */
export const thresholds: readonly number[] = [0.5, 0.9, 0.95, 0.99, 0.999];

/**
 * First epoch with a validation accuracy (0–1) of at least `threshold`, or null. With `sustained: n`, every
 * evaluation within n epochs must reach it, and the first of them is returned, as for a run's `stop`: a row stands
 * for the epochs since the previous row. A streak that the end of the run cuts short does not count.
 */
export function epochsTo(
  history: History,
  threshold: number,
  options: { sustained?: number } = {},
): number | null {
  const { sustained = 1 } = options;
  let first: number | undefined;
  let lastBelow = 0;
  for (const { epoch, validation } of history) {
    first = validation.accuracy >= threshold ? (first ?? epoch) : undefined;
    if (first === undefined) lastBelow = epoch;
    else if (epoch - lastBelow >= sustained) return first;
  }
  return null;
}

/** `epochsTo` for every threshold, by the threshold as text: `{ "0.5": 70, …, "0.999": null }`. */
export function allEpochsTo(
  history: History,
  options: { sustained?: number } = {},
): Record<string, number | null> {
  return Object.fromEntries(thresholds.map((t) => [String(t), epochsTo(history, t, options)]));
}

/** Highest validation accuracy (0–1) of the last `epochs` epochs. @throws InputError for an empty history. */
export function bestOfLast(history: History, epochs = 10): number {
  const last = history.at(-1);
  if (last === undefined)
    throw new InputError('bestOfLast: the history is empty; a run must finish an epoch first');
  return Math.max(
    ...history
      .filter(({ epoch }) => epoch > last.epoch - epochs)
      .map((row) => row.validation.accuracy),
  );
}
