/**
 * Verdicts on claims. A paper's number is of one run, so it is compared with the interval in which one
 * further run of ours falls (95 %, Student's t); where runs never came to an accuracy, with the range of
 * ours. A sentence is judged by the seeds for which it holds.
 */
import { sd as deviation, mean, tQuantile } from '@grok/study';
import type { Claim, Claims } from './claims.js';
import { type Conditions, type Evidence, measure, type Sample } from './measure.js';

/**
 * `reproduced`: the number is in our prediction interval and our estimate in its tolerance, or the sentence
 * holds for every seed. `contradicted`: neither, or the sentence holds for at most half of the seeds.
 * `undecided`: otherwise. `by construction`: it holds and could not have failed. `untested`: its runs are
 * missing.
 */
export type Verdict =
  | 'reproduced'
  | 'undecided'
  | 'contradicted'
  | 'by construction'
  | 'cannot be tested'
  | 'untested';
/** The verdict of the runs on a claim. */
export interface Judgment {
  readonly verdict: Verdict;
  /** Our value: the mean over seeds, or the median if a run never reached it (null if that is unknown). */
  readonly ours: number | null;
  readonly sd: number | null;
  /** Prediction interval of one further run; for censored values their range, null for an unbounded end. */
  readonly interval: readonly [number | null, number | null] | null;
  readonly seeds: number;
  /** For a sentence: the number of seeds for which it holds. */
  readonly holds?: number;
  /** Why it cannot be or was not tested. */
  readonly why?: string;
}
/** A claim with its verdict. */
export interface Verified extends Judgment {
  readonly id: string;
  readonly source: string;
  readonly claim: string;
  /** The published number; null for a sentence. */
  readonly published: number | null;
  readonly band: readonly [number | null, number | null] | null;
  /** The claim that this one repeats; repetitions are not counted. */
  readonly repeats?: string;
  /** For a claim about what is possible: the verdict at the long budget. */
  readonly long?: Judgment;
}

/** A verdict for every claim, in the file's order. */
export function verify(claims: Claims, evidence: Evidence): readonly Verified[] {
  return claims.claims.map((claim) => {
    const { id, source, claim: sentence, value, repeats } = claim;
    const long = claims.longBudget !== undefined && claim.possibility === true;
    return {
      ...{ id, source, claim: sentence, published: value ?? null, band: readBand(claim) },
      ...(repeats === undefined ? {} : { repeats }),
      ...decide(claim, evidence, listConditions(claim, claims, claims.budget)),
      ...(long
        ? { long: decide(claim, evidence, listConditions(claim, claims, claims.longBudget)) }
        : {}),
    };
  });
}

/** Whether every testable claim was tested. */
export function isComplete(verified: readonly Verified[]): boolean {
  return verified.every(
    ({ verdict, long }) => verdict !== 'untested' && long?.verdict !== 'untested',
  );
}

function listConditions(claim: Claim, claims: Claims, budget: number | undefined): Conditions {
  const { setting, teacher, students } = claims;
  return {
    setting,
    ...(teacher === undefined ? {} : { teacher }),
    ...(students === undefined ? {} : { students }),
    ...(claim.setting === undefined ? {} : { own: claim.setting }),
    ...(budget === undefined ? {} : { budget: claim.budget ?? budget }),
  };
}

function readBand({ value, band }: Claim): readonly [number | null, number | null] | null {
  if (band === undefined) return null;
  return typeof band === 'number' ? [(value ?? 0) - band, (value ?? 0) + band] : band;
}

function decide(claim: Claim, evidence: Evidence, when: Conditions): Judgment {
  const none = { ours: null, sd: null, interval: null, seeds: 0 };
  if (claim.quantity === undefined)
    return { ...none, verdict: 'cannot be tested', why: claim.why ?? '' };
  const found = measure(claim.quantity, evidence, when);
  if ('lacks' in found) return { ...none, verdict: 'untested', why: found.lacks };
  const samples = distinct([...found.samples.values()]);
  const judged =
    claim.value === undefined
      ? judgeSentence(samples, readBand(claim))
      : judgeNumber(samples, claim.value, readBand(claim));
  const always = claim.byConstruction !== undefined && judged.verdict === 'reproduced';
  return always ? { ...judged, verdict: 'by construction', why: claim.byConstruction } : judged;
}

type Band = readonly [number | null, number | null] | null;
const isWithin = (x: number, band: Band): boolean =>
  x >= (band?.[0] ?? Number.NEGATIVE_INFINITY) && x <= (band?.[1] ?? Number.POSITIVE_INFINITY);

/** What is known of a sentence: `surely` where it holds whatever a censored value was, `perhaps` where it may. */
function judgeSentence(samples: readonly Sample[], band: Band): Judgment {
  const surely = samples.filter(
    ({ low, high }) => isWithin(low, band) && isWithin(high, band),
  ).length;
  const perhaps = samples.filter(({ low, high }) => reaches(low, high, band)).length;
  const n = samples.length;
  const verdict = surely === n ? 'reproduced' : perhaps <= n / 2 ? 'contradicted' : 'undecided';
  return { verdict, ...estimate(samples), holds: surely };
}

/** Judges a number from only a mean, a standard deviation and a number of seeds. */
export function judgeSummary(
  claim: Claim,
  {
    mean: center,
    sd,
    seeds,
  }: { readonly mean: number; readonly sd: number; readonly seeds: number },
): Judgment {
  const interval = predict(center, sd, seeds);
  return judgeKnown(
    { ours: center, sd, interval, seeds },
    claim.value ?? Number.NaN,
    readBand(claim),
  );
}

function judgeNumber(samples: readonly Sample[], value: number, band: Band): Judgment {
  const found = estimate(samples);
  if (samples.every(({ low, high }) => low === high)) return judgeKnown(found, value, band);
  const agrees = isWithin(value, found.interval);
  const [low, high] = [lowerMedian(samples, 'low'), lowerMedian(samples, 'high')];
  const isNear = isWithin(low, band) && isWithin(high, band);
  return { verdict: judgeClaim(agrees, isNear, reaches(low, high, band)), ...found };
}

/** One seed, and seeds that are all equal, have no interval: the band decides. */
function judgeKnown(found: Omit<Judgment, 'verdict'>, value: number, band: Band): Judgment {
  const isNear = found.ours !== null && isWithin(found.ours, band);
  const agrees = found.interval === null ? isNear : isWithin(value, found.interval);
  return { verdict: judgeClaim(agrees, isNear, isNear), ...found };
}

/** True where a value between both ends may be in the band. */
function reaches(low: number, high: number, band: Band): boolean {
  const [least, most] = band ?? [null, null];
  return high >= (least ?? Number.NEGATIVE_INFINITY) && low <= (most ?? Number.POSITIVE_INFINITY);
}

function judgeClaim(agrees: boolean, isNear: boolean, mayBeNear: boolean): Verdict {
  if (agrees && isNear) return 'reproduced';
  return agrees || mayBeNear ? 'undecided' : 'contradicted';
}

/** Values of different runs: those that overrides share are measured once. */
function distinct(samples: readonly Sample[]): readonly Sample[] {
  return [...new Map(samples.map((sample) => [sample.runs.join(' '), sample])).values()];
}

/** The value by which at least half have come to it, as Kaplan and Meier's median is read. */
function lowerMedian(samples: readonly Sample[], end: 'low' | 'high'): number {
  const sorted = samples.map((sample) => sample[end]).sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
}

/** Mean, standard deviation and prediction interval; median and range where a value is censored. */
function estimate(samples: readonly Sample[]): Omit<Judgment, 'verdict'> {
  const seeds = samples.length;
  if (samples.some(({ low, high }) => low !== high)) {
    const [low, high] = [lowerMedian(samples, 'low'), lowerMedian(samples, 'high')];
    const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);
    const range = [
      finite(Math.min(...samples.map((sample) => sample.low))),
      finite(Math.max(...samples.map((sample) => sample.high))),
    ] as const;
    return { ours: low === high ? low : null, sd: null, interval: range, seeds };
  }
  const values = samples.map(({ low }) => low);
  const center = mean(values);
  const sd = seeds < 2 ? null : deviation(values);
  return { ours: center, sd, interval: sd === null ? null : predict(center, sd, seeds), seeds };
}

/** Where one further value falls, 95 %; null of values without spread. */
function predict(center: number, sd: number, n: number): readonly [number, number] | null {
  if (sd === 0 || n < 2) return null;
  const reach = tQuantile(0.975, n - 1) * sd * Math.sqrt(1 + 1 / n);
  return [center - reach, center + reach];
}
