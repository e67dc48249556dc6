/** A claims file: numbers and sentences of a paper, each with its source, its quantity, its setting and its band. */
import {
  checkDocument,
  type DocumentKind,
  jsonObjectSchema,
  quote,
  type Shape,
  z,
} from '@grok/core/internal';
import type { JsonObject } from '@grok/study';

/** A measured quantity, with one value per seed. Accuracies are 0–1. */
export type Quantity =
  /** Epochs to a validation accuracy (default .99); never is infinity. */
  | { readonly of: 'epochsTo'; readonly run: string; readonly threshold?: number }
  /** At an epoch, or (default) the last. */
  | { readonly of: 'validationAccuracy'; readonly run: string; readonly epoch?: number }
  | { readonly of: 'trainingAccuracy'; readonly run: string; readonly epoch?: number }
  | { readonly of: 'parameters'; readonly run: string }
  | { readonly of: 'epochs'; readonly run: string }
  /** A number of the published layout: `cka`, `rank`, `entropy` of a layer, or `L1`, `L2`, `L1/L2`. */
  | {
      readonly of: 'inside';
      readonly run: string;
      readonly measure: Measure;
      readonly layer?: number;
    }
  /** The mean of a column in a table of the atlas (`grok atlas`), over the rows that have these values in other columns. */
  | {
      readonly of: 'atlas';
      readonly run: string;
      readonly measure: string;
      readonly table: string;
      readonly column: string;
      readonly where?: Readonly<Record<string, string | number>>;
    }
  /** Power of a paired t test over `n` pairs at level .05. */
  | { readonly of: 'power'; readonly n: number; readonly d: number }
  | { readonly of: 'ratio' | 'difference'; readonly a: Quantity; readonly b: Quantity }
  | { readonly of: 'max' | 'min'; readonly among: readonly Quantity[] };
/** Numbers of the published layout. */
export type Measure = 'cka' | 'rank' | 'entropy' | 'L1' | 'L2' | 'L1/L2';

/** A claim of a paper: a number or a sentence. */
export interface Claim {
  readonly id: string;
  /** Its place in the paper, such as `4.2.1, table`. */
  readonly source: string;
  /** The claim as text. */
  readonly claim: string;
  /** Default true. */
  readonly testable?: boolean;
  /** Why it cannot be tested. */
  readonly why?: string;
  readonly quantity?: Quantity;
  /** What the experiments of its runs must contain, merged with the file's setting. */
  readonly setting?: JsonObject;
  /** Epochs at which its runs are evaluated, if different from the file's. */
  readonly budget?: number;
  /** Whether the claim is about what is possible, so that it is judged at the long budget too. */
  readonly possibility?: true;
  /** Why it holds by construction; such claims are counted separately. */
  readonly byConstruction?: string;
  /** The claim that this one repeats. */
  readonly repeats?: string;
  /** The published number. */
  readonly value?: number;
  /** Tolerance around `value`, or both bounds (null: unbounded). */
  readonly band?: number | readonly [number | null, number | null];
}
/** A claims file. */
export interface Claims {
  readonly format: 'grok claims 1';
  readonly paper: string;
  /** What the experiment of every run must contain. */
  readonly setting: JsonObject;
  /** The same for the run named `teacher` and for all other runs, merged with the setting. */
  readonly teacher?: JsonObject;
  readonly students?: JsonObject;
  /** Epochs at which runs are evaluated; shorter runs do not count. Default: all epochs of a run. */
  readonly budget?: number;
  /** Epochs at which claims about what is possible are judged too. */
  readonly longBudget?: number;
  readonly claims: readonly Claim[];
}

type QuantityOf<K extends Quantity['of']> = Extract<Quantity, { readonly of: K }>;
const run = z.string().min(1);
const epoch = z.int().min(0).exactOptional();
const quantity: z.ZodType<Quantity> = z.lazy(() =>
  z.discriminatedUnion('of', [
    z.strictObject({
      of: z.literal('epochsTo'),
      run,
      threshold: z.number().min(0).max(1).exactOptional(),
    } satisfies Shape<QuantityOf<'epochsTo'>>),
    z.strictObject({
      of: z.literal('validationAccuracy'),
      run,
      epoch,
    } satisfies Shape<QuantityOf<'validationAccuracy'>>),
    z.strictObject({
      of: z.literal('trainingAccuracy'),
      run,
      epoch,
    } satisfies Shape<QuantityOf<'trainingAccuracy'>>),
    z.strictObject({
      of: z.literal('parameters'),
      run,
    } satisfies Shape<QuantityOf<'parameters'>>),
    z.strictObject({ of: z.literal('epochs'), run } satisfies Shape<QuantityOf<'epochs'>>),
    z
      .strictObject({
        of: z.literal('inside'),
        run,
        measure: z.enum(['cka', 'rank', 'entropy', 'L1', 'L2', 'L1/L2']),
        layer: z.int().min(0).exactOptional(),
      } satisfies Shape<QuantityOf<'inside'>>)
      .refine(
        ({ measure, layer }) => measure.startsWith('L') || layer !== undefined,
        'measures "cka", "rank" and "entropy" need a "layer"',
      ),
    z.strictObject({
      of: z.literal('atlas'),
      run,
      measure: z.string().min(1),
      table: z.string().min(1),
      column: z.string().min(1),
      where: z.record(z.string(), z.union([z.string(), z.number()])).exactOptional(),
    } satisfies Shape<QuantityOf<'atlas'>>),
    z.strictObject({
      of: z.literal('power'),
      n: z.int().min(2),
      d: z.number(),
    } satisfies Shape<QuantityOf<'power'>>),
    z.strictObject({ of: z.enum(['ratio', 'difference']), a: quantity, b: quantity }),
    z.strictObject({ of: z.enum(['max', 'min']), among: z.array(quantity).min(1) }),
  ]),
);
const end = z.number().nullable();
const claim: z.ZodType<Claim> = z
  .strictObject({
    id: z.string().min(1),
    source: z.string(),
    claim: z.string(),
    testable: z.boolean().exactOptional(),
    why: z.string().min(1).exactOptional(),
    quantity: quantity.exactOptional(),
    setting: jsonObjectSchema.exactOptional(),
    budget: z.int().min(1).exactOptional(),
    possibility: z.literal(true).exactOptional(),
    byConstruction: z.string().min(1).exactOptional(),
    repeats: z.string().min(1).exactOptional(),
    value: z.number().exactOptional(),
    band: z
      .union([
        z.number().min(0),
        z.tuple([end, end]).refine((ends) => ends.some((at) => at !== null), 'needs an end'),
      ])
      .exactOptional(),
  } satisfies Shape<Claim>)
  .superRefine(({ id, testable, why, quantity: measured, value, band }, context) => {
    const refuse = (rule: string): void =>
      context.addIssue({
        code: 'custom',
        message: `${quote(id)}: ${rule}`,
        params: { told: true },
      });
    if (testable === false) {
      if (why === undefined) refuse('is marked untestable; give the reason in "why"');
      return;
    }
    if (measured === undefined) refuse('needs a "quantity", or "testable": false and "why"');
    if (band === undefined || (typeof band === 'number' && value === undefined))
      refuse('needs a "band": a number around its "value", or [low, high] with null for no end');
  });
const CLAIMS: DocumentKind<Claims> = {
  schema: z
    .strictObject({
      format: z.literal('grok claims 1'),
      paper: z.string(),
      setting: jsonObjectSchema,
      teacher: jsonObjectSchema.exactOptional(),
      students: jsonObjectSchema.exactOptional(),
      budget: z.int().min(1).exactOptional(),
      longBudget: z.int().min(1).exactOptional(),
      claims: z.array(claim).min(1),
    } satisfies Shape<Claims>)
    .superRefine(({ claims }, context) => {
      const seen = new Set<string>();
      for (const [i, { id, repeats }] of claims.entries()) {
        if (repeats !== undefined && !seen.has(repeats))
          context.addIssue({
            code: 'custom',
            path: ['claims', i, 'repeats'],
            message: `${quote(repeats)} is not an earlier claim; name one that is`,
          });
        if (seen.has(id))
          context.addIssue({
            code: 'custom',
            path: ['claims', i, 'id'],
            message: 'appears twice; give each claim its own id',
          });
        seen.add(id);
      }
    }),
};

/** Measures of the atlas that a claims file reads. */
export function listAtlasMeasures({ claims }: Claims): readonly string[] {
  const list = (quantity: Quantity): readonly string[] => {
    if ('among' in quantity) return quantity.among.flatMap(list);
    if ('a' in quantity) return [...list(quantity.a), ...list(quantity.b)];
    return quantity.of === 'atlas' ? [quantity.measure] : [];
  };
  return [...new Set(claims.flatMap(({ quantity }) => (quantity ? list(quantity) : [])))];
}

/**
 * Validates a claims file; with the original `text`, errors name the line.
 * @throws InputError that names the claim and the problem.
 */
export function checkClaims(value: unknown, what: string, text?: string): Claims {
  return checkDocument(value, what, CLAIMS, text);
}
