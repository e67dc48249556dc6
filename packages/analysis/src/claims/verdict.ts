/**
 * Verdicts on claims. A number is reproduced when it is in our interval over the seeds (of a single
 * seed: agrees to its last digit) and our estimate is in its band; a sentence, when it holds for every seed.
 */
import { sd as deviation, mean, merge, tQuantile } from '@grok/study';
import type { Claim, Claims } from './claims.js';
import { type Evidence, measure, type Sample } from './measure.js';

/** What came of a claim; `untested` is of a testable one whose runs are not there. */
export type Verdict = 'reproduced' | 'in band' | 'contradicted' | 'cannot be tested' | 'untested';
/** A claim and what came of it. */
export interface Verified {
  readonly id: string;
  readonly source: string;
  readonly claim: string;
  readonly verdict: Verdict;
  /** Published number, or null of a sentence. */
  readonly published: number | null;
  readonly band: readonly [number | null, number | null] | null;
  /** Ours: the mean over seeds, the median where a run never came to it (then null when that never did). */
  readonly ours: number | null;
  readonly sd: number | null;
  readonly interval: readonly [number, number] | null;
  readonly seeds: number;
  /** Of what cannot be, or was not, tested: why. */
  readonly why?: string;
}

/** A verdict for every claim, in the file's order. */
export function verify(claims: Claims, evidence: Evidence): readonly Verified[] {
  return claims.claims.map((claim) => verdictOf(claim, claims, evidence));
}

/** True when every testable claim was tested. */
export function isComplete(verified: readonly Verified[]): boolean {
  return verified.every(({ verdict }) => verdict !== 'untested');
}

function verdictOf(claim: Claim, { setting }: Claims, evidence: Evidence): Verified {
  const { id, source, claim: sentence, value, band } = claim;
  const none = { ours: null, sd: null, interval: null, seeds: 0 };
  const base = { id, source, claim: sentence, published: value ?? null };
  if (claim.testable === false)
    return { ...base, band: null, ...none, verdict: 'cannot be tested', why: claim.why! };
  const ends: readonly [number | null, number | null] =
    typeof band === 'number' ? [value! - band, value! + band] : band!;
  const found = measure(claim.quantity!, evidence, merge(setting, claim.setting));
  if ('lacks' in found)
    return { ...base, band: ends, ...none, verdict: 'untested', why: found.lacks };
  const values = distinct([...found.samples.values()]);
  const { centre, sd, interval } = estimate(values);
  const holds = (x: number): boolean =>
    x >= (ends[0] ?? Number.NEGATIVE_INFINITY) && x <= (ends[1] ?? Number.POSITIVE_INFINITY);
  const agrees =
    value === undefined
      ? values.every(holds)
      : interval === null
        ? Math.abs(centre - value) <= lastDigit(value) / 2 + 1e-12
        : value >= interval[0] && value <= interval[1];
  return {
    ...base,
    band: ends,
    ours: Number.isFinite(centre) ? centre : null,
    sd,
    interval,
    seeds: values.length,
    verdict: holds(centre) ? (agrees ? 'reproduced' : 'in band') : 'contradicted',
  };
}

/** Values of different runs: those that overrides share are measured once. */
function distinct(samples: readonly Sample[]): readonly number[] {
  return [...new Map(samples.map(({ runs, value }) => [runs.join(' '), value])).values()];
}

/** Mean, standard deviation and 95 % t interval over seeds; the median alone where a value is infinite. */
function estimate(values: readonly number[]): {
  centre: number;
  sd: number | null;
  interval: readonly [number, number] | null;
} {
  const n = values.length;
  if (!values.every(Number.isFinite)) {
    const sorted = values.toSorted((a, b) => a - b);
    // Of an even number, the upper of the middle ones: half of the seeds never got there.
    return { centre: sorted[n >> 1]!, sd: null, interval: null };
  }
  const centre = mean(values);
  if (n < 2) return { centre, sd: null, interval: null };
  const sd = deviation(values);
  const reach = (tQuantile(0.975, n - 1) * sd) / Math.sqrt(n);
  return { centre, sd, interval: [centre - reach, centre + reach] };
}

/** The unit of a number's last printed digit: .001 of .924, 1 of 123. */
function lastDigit(value: number): number {
  const decimals = /\.(\d+)$/.exec(String(value))?.[1]?.length ?? 0;
  return 10 ** -decimals;
}
