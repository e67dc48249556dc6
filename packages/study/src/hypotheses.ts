/** The hypotheses of a plan. They are part of the plan, so that they are stated before the first run. */
import { type Shape, z } from '@grok/core/internal';

/** A hypothesis: the runs of one arm against those of another arm with the same seeds. */
export interface Hypothesis {
  readonly name: string;
  /** The hypothesis in one sentence. */
  readonly says: string;
  /** The arm: `feature`, or `decay-0/feature` in a plan with overrides. */
  readonly arm: string;
  /** The arm to compare with. */
  readonly against: string;
  /** Whether the arm is expected to reach the threshold earlier or later; the test is two-sided nevertheless. */
  readonly expected: 'earlier' | 'later';
  /** The threshold, if it differs from that of the outcome. */
  readonly threshold?: number;
}
/** A family of hypotheses, and how they are tested. */
export interface Hypotheses {
  /**
   * The first evaluated epoch with validation accuracy (0–1) of at least `threshold`; a run without
   * one is censored at its last epoch, and every run at `horizon`.
   */
  readonly outcome: { readonly threshold: number; readonly horizon: number };
  /** The test of O'Brien and Fleming (1987), with the exact permutation distribution within pairs. */
  readonly test: 'paired-prentice-wilcoxon';
  /** Two-sided family-wise error rate, controlled with Holm's correction. */
  readonly alpha: number;
  /** The hypotheses. */
  readonly family: readonly Hypothesis[];
  /** Further decisions made in advance, as text. */
  readonly rules?: readonly string[];
}

const share = z.number().gt(0).lt(1);
const hypothesis: z.ZodType<Hypothesis> = z.strictObject({
  name: z.string().min(1).describe('name of the hypothesis'),
  says: z.string().min(1).describe('the hypothesis in one sentence'),
  arm: z.string().describe('the arm, or `OVERRIDE/ARM` in a plan with overrides'),
  against: z.string().describe('the arm that it is compared with'),
  expected: z
    .enum(['earlier', 'later'])
    .describe('whether the arm is expected to reach the threshold earlier or later'),
  threshold: share
    .exactOptional()
    .describe('validation accuracy, if it differs from that of the outcome'),
} satisfies Shape<Hypothesis>);
/** The schema of a plan's hypotheses. */
export const hypothesesSchema: z.ZodType<Hypotheses> = z.strictObject({
  outcome: z.strictObject({
    threshold: share.describe('validation accuracy to reach'),
    horizon: z.int().min(1).describe('epoch at which all runs are censored'),
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
