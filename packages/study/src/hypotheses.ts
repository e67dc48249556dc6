/** What a plan sets out to test. It is part of the plan, so that it stands before the first run does. */
import { type Shape, z } from '@grok/core/internal';

/** One statement: the runs of an arm, against another arm's of the same seeds. */
export interface Hypothesis {
  readonly name: string;
  /** One sentence for people. */
  readonly says: string;
  /** The arm: `feature`, or `decay-0/feature` in a plan with overrides. */
  readonly arm: string;
  /** The arm that it is compared with. */
  readonly against: string;
  /** Which of both comes first, as earlier runs suggested; the test is two-sided all the same. */
  readonly expected: 'earlier' | 'later';
  /** Where it is not that of the outcome. */
  readonly threshold?: number;
}
/** Statements that are tested as one family, and how. */
export interface Hypotheses {
  /**
   * First evaluated epoch whose validation accuracy (0–1) is at least `threshold`; a run without one is
   * censored at its last epoch, and every run at `horizon`.
   */
  readonly outcome: { readonly threshold: number; readonly horizon: number };
  /** O'Brien and Fleming 1987, with the exact distribution over all exchanges within pairs. */
  readonly test: 'paired-prentice-wilcoxon';
  /** Two-sided error rate of the whole family, kept by Holm's correction. */
  readonly alpha: number;
  readonly family: readonly Hypothesis[];
  /** What else was decided beforehand, for people. */
  readonly rules?: readonly string[];
}

const share = z.number().gt(0).lt(1);
const hypothesis: z.ZodType<Hypothesis> = z.strictObject({
  name: z.string().min(1),
  says: z.string().min(1),
  arm: z.string(),
  against: z.string(),
  expected: z.enum(['earlier', 'later']),
  threshold: share.exactOptional(),
} satisfies Shape<Hypothesis>);
/** The schema of a plan's hypotheses. */
export const hypothesesSchema: z.ZodType<Hypotheses> = z.strictObject({
  outcome: z.strictObject({
    threshold: share,
    horizon: z.int().min(1),
  } satisfies Shape<Hypotheses['outcome']>),
  test: z.literal('paired-prentice-wilcoxon'),
  alpha: share,
  family: z
    .array(hypothesis)
    .min(1)
    .refine(
      (all) => new Set(all.map(({ name }) => name)).size === all.length,
      'must differ in name',
    ),
  rules: z.array(z.string().min(1)).exactOptional(),
} satisfies Shape<Hypotheses>);
