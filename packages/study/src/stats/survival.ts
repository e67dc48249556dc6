/**
 * Time to grok with censoring: for a run that never groks, the time is known to exceed its epochs.
 * Kaplan & Meier 1958; log-rank (Mantel 1966); restricted mean (area under the curve up to a
 * horizon).
 */
import { InputError } from '@grok/core';
import { difference, mergeTies } from '@grok/core/internal';
import { chiSquareTail } from './distributions.js';

/** Time of a run to an event, or (`observed: false`) the time at which it was censored. */
export interface Duration {
  readonly time: number;
  readonly observed: boolean;
}
/** A step of a survival curve: the share without the event after `time`, until the next step. */
export interface SurvivalStep {
  readonly time: number;
  readonly survival: number;
}

/** Kaplan–Meier curve with a step at each event time, ascending; 1 before the first. */
export function kaplanMeier(watched: readonly Duration[]): readonly SurvivalStep[] {
  const durations = tied(watched);
  let survival = 1;
  return eventTimes(durations).map((time) => {
    const { atRisk, events } = at(durations, time);
    survival *= 1 - events / atRisk;
    return { time, survival };
  });
}

/** The fraction without the event after `time`. */
export function survivalAt(curve: readonly SurvivalStep[], time: number): number {
  return curve.findLast((step) => difference(step.time, time) <= 0)?.survival ?? 1;
}

/** First time at which at most half are without the event; null if that never happens. */
export function medianTime(curve: readonly SurvivalStep[]): number | null {
  return curve.find((step) => difference(step.survival, 0.5) <= 0)?.time ?? null;
}

/** Mean time without the event, restricted to `horizon`: the area under the survival curve. */
export function restrictedMean(curve: readonly SurvivalStep[], horizon: number): number {
  let [area, from, level] = [0, 0, 1];
  for (const { time, survival } of curve) {
    if (time >= horizon) break;
    area += level * (time - from);
    [from, level] = [time, survival];
  }
  return area + level * (horizon - from);
}

/** Log-rank test of two groups: χ² with one degree of freedom; null if no event distinguishes them. */
export function logRank(
  first: readonly Duration[],
  second: readonly Duration[],
): { readonly chiSquare: number | null; readonly p: number | null } {
  if (first.length === 0 || second.length === 0)
    throw new InputError('log-rank: both groups need at least one run');
  const all = tied([...first, ...second]);
  const [a, b] = [all.slice(0, first.length), all.slice(first.length)];
  let [observed, expected, variance] = [0, 0, 0];
  for (const time of eventTimes(all)) {
    const [inA, inB] = [at(a, time), at(b, time)];
    const atRisk = inA.atRisk + inB.atRisk;
    const events = inA.events + inB.events;
    observed += inA.events;
    expected += (events * inA.atRisk) / atRisk;
    if (atRisk > 1)
      variance +=
        (events * (atRisk - events) * inA.atRisk * inB.atRisk) / (atRisk ** 2 * (atRisk - 1));
  }
  if (variance === 0) return { chiSquare: null, p: null };
  const chiSquare = (observed - expected) ** 2 / variance;
  return { chiSquare, p: chiSquareTail(chiSquare, 1) };
}

/** Makes times equal that are equal up to rounding. */
function tied(durations: readonly Duration[]): readonly Duration[] {
  const times = mergeTies(durations.map(({ time }) => time));
  return durations.map((duration, i) => ({ ...duration, time: times[i] ?? duration.time }));
}

function eventTimes(durations: readonly Duration[]): number[] {
  const times = durations.filter(({ observed }) => observed).map(({ time }) => time);
  return [...new Set(times)].sort((x, y) => x - y);
}

/** The number at risk just before `time`, and the events at it. */
function at(durations: readonly Duration[], time: number): { atRisk: number; events: number } {
  const atRisk = durations.filter((duration) => duration.time >= time);
  const events = atRisk.filter((duration) => duration.observed && duration.time === time);
  return { atRisk: atRisk.length, events: events.length };
}
