/** Files of analyses as they are read: a moment of a run, and the paper's own layout. */
import { isInputError, type Json, type Store } from '@grok/core';
import {
  type DocumentKind,
  jsonSchema,
  readDocument,
  type Shape,
  sha256Schema,
  z,
} from '@grok/core/internal';

/** The model that a run is compared with. */
export interface Against {
  readonly run: string;
  readonly step: number;
  readonly rows: number;
  readonly states: Json;
  /** Similarity at the last position only, which is the one that the classifier reads. */
  readonly lastPosition?: Json;
  readonly frequencies: Json;
}
/** The analysis of a run at one step, as in its file. */
export interface Analysis {
  readonly format: 'grok analysis 1';
  readonly run: string;
  readonly moment: string;
  readonly epoch: number;
  readonly step: number;
  /** Step of the checkpoint that the state was replayed from; equal to `step` if no replay was needed. */
  readonly replayedFrom: number;
  /** Results by probe name. */
  readonly probes: Readonly<Record<string, Json>>;
  /** Key frequencies of the logits over all rows; null if the task has none. */
  readonly frequencies: readonly number[] | null;
  readonly against?: Against;
}
/** An analysis in the paper's layout; its file has no format version and may have further keys. */
export interface PublishedAnalysis {
  readonly weight_statistics: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly cka_scores: Layers;
  readonly effective_ranks: Layers;
  readonly attention_entropies: Layers;
}
type Layers = Readonly<Record<string, Readonly<Record<string, number | null>>>>;

const natural = z.int().min(0);
const remedy = 'remove it, and analyze the run again';
const ANALYSIS: DocumentKind<Analysis> = {
  schema: z.strictObject({
    format: z.literal('grok analysis 1'),
    run: sha256Schema,
    moment: z.string(),
    epoch: natural,
    step: natural,
    replayedFrom: natural,
    probes: z.record(z.string(), jsonSchema),
    frequencies: z.array(z.number()).nullable(),
    against: z
      .strictObject({
        run: sha256Schema,
        step: natural,
        rows: natural,
        states: jsonSchema,
        lastPosition: jsonSchema.exactOptional(),
        frequencies: jsonSchema,
      } satisfies Shape<Against>)
      .exactOptional(),
  } satisfies Shape<Analysis>),
  remedy,
};
const layers: z.ZodType<Layers> = z.record(z.string(), z.record(z.string(), z.number().nullable()));
const PUBLISHED: DocumentKind<PublishedAnalysis> = {
  schema: z.object({
    weight_statistics: z.record(z.string(), z.record(z.string(), z.number())),
    cka_scores: layers,
    effective_ranks: layers,
    attention_entropies: layers,
  } satisfies Shape<PublishedAnalysis>),
  remedy,
};

/** File name of an analysis of a run that is compared with several others, with the other's id. */
export function nameBeside(moment: string, run?: string): string {
  return run === undefined ? moment : `${moment}-beside-${run.slice(0, 10)}`;
}

/**
 * Reads a run's analysis at a point of training; undefined if there is none. With another run, the comparison
 * with that run is preferred.
 * @throws InputError that names the line and key of an error.
 */
export async function readAnalysis(
  store: Store,
  moment: string,
  beside?: string,
): Promise<Analysis | undefined> {
  const readNamed = (name: string): Promise<Analysis | undefined> =>
    read(store, `analysis/analysis-${name}.json`, ANALYSIS);
  const own = beside === undefined ? undefined : await readNamed(nameBeside(moment, beside));
  return own ?? readNamed(moment);
}

/** Reads a file of the paper's layout; undefined if there is none. @throws InputError as `readAnalysis`. */
export function readPublishedFile(
  store: Store,
  path: string,
): Promise<PublishedAnalysis | undefined> {
  return read(store, path, PUBLISHED);
}

/**
 * Reads a file of the published layout; undefined if there is none, or if it is damaged, in which case `notice`
 * is called.
 */
export async function readPublished(
  root: Store,
  path: string,
  notice: (message: string) => void = () => {},
): Promise<PublishedAnalysis | undefined> {
  try {
    return await readPublishedFile(root, path);
  } catch (error) {
    if (!isInputError(error)) throw error;
    notice(`an analysis is damaged and skipped: ${error.message}`);
    return undefined;
  }
}

async function read<T>(store: Store, path: string, kind: DocumentKind<T>): Promise<T | undefined> {
  const bytes = await store.read(path);
  return bytes && readDocument(bytes, `${store.where}/${path}`, kind);
}
