/**
 * The atlas of a run or a study: every measure of every run. What a measure finds is kept beside the run in
 * `analysis/atlas/`, with what it was computed from, so that an atlas that was interrupted resumes.
 */
import { isInputError, RunError, type Store } from '@grok/core';
import {
  type DocumentKind,
  readDocument,
  writeJson,
  yieldToEventLoop,
  z,
} from '@grok/core/internal';
import { type BegunRun, findTeacher } from '@grok/study';
import { plain } from '../compare.js';
import { type AnalysisHost, unlessDamaged } from '../open.js';
import { isOpenable } from '../study.js';
import { type AtlasMeasure, findPeers, openSubject, type Subject } from './measure.js';
import { attentionMeasure } from './measures/attention.js';
import { circuitMeasure, overlapMeasure } from './measures/circuits.js';
import { gradientsMeasure, termGradientsMeasure } from './measures/gradients.js';
import {
  connectivityMeasure,
  hessianMeasure,
  landscapeMeasure,
  trajectoryMeasure,
} from './measures/landscape.js';
import { memorizationMeasure } from './measures/memorization.js';
import { matchedModesMeasure, modesMeasure } from './measures/modes.js';
import { neuronsMeasure, soughtInputsMeasure } from './measures/neurons.js';
import { patchingMeasure } from './measures/patching.js';
import { similarityMeasure } from './measures/similarity.js';
import { statesMeasure, trajectoriesMeasure } from './measures/states.js';
import { stitchingMeasure } from './measures/stitching.js';
import { trainingMeasure } from './measures/training.js';
import { weightsMeasure } from './measures/weights.js';
import { type MeasuredTables, tablesSchema } from './tables.js';

/** The measures of an atlas, in the order in which they are taken. */
export const atlasMeasures: readonly AtlasMeasure[] = [
  ...[
    trainingMeasure,
    attentionMeasure,
    modesMeasure,
    neuronsMeasure,
    soughtInputsMeasure,
    weightsMeasure,
    statesMeasure,
    trajectoriesMeasure,
  ],
  ...[
    patchingMeasure,
    circuitMeasure,
    similarityMeasure,
    overlapMeasure,
    stitchingMeasure,
    matchedModesMeasure,
  ],
  ...[
    gradientsMeasure,
    termGradientsMeasure,
    landscapeMeasure,
    trajectoryMeasure,
    connectivityMeasure,
    memorizationMeasure,
    hessianMeasure,
  ],
];

/** A run and what measures found of it, by their names; a measure that does not fit is left out. */
export interface MeasuredRun {
  readonly run: BegunRun;
  readonly measures: Readonly<Record<string, MeasuredTables>>;
}
/** How far an atlas is. */
export interface AtlasProgress {
  readonly run: BegunRun;
  readonly measure: string;
  /** Measures that are taken, of all runs. */
  readonly done: number;
  readonly total: number;
  /** Read from an earlier atlas. */
  readonly wasKept: boolean;
}
/** What to measure, and who hears of it. */
export interface AtlasOptions {
  /** Default: `atlasMeasures`. */
  readonly measures?: readonly AtlasMeasure[];
  /** Take measures that cost much, by their flags. */
  readonly hessian?: boolean;
  readonly onMeasured?: (progress: AtlasProgress) => void;
  /** Hears of a run, or one of its measures, that is left out, and why. */
  readonly notice?: (run: BegunRun, message: string) => void;
}

/** A measure's file: its tables, and what they were computed from. */
interface Piece {
  readonly format: 'grok atlas 1';
  readonly measure: string;
  readonly from: string;
  readonly tables: MeasuredTables;
}
const PIECE: DocumentKind<Piece> = {
  schema: z.strictObject({
    format: z.literal('grok atlas 1'),
    measure: z.string(),
    from: z.string(),
    tables: tablesSchema,
  }),
  remedy: 'remove it; it will be computed again',
};

/**
 * Takes the measures of finished runs. A run that cannot be read is left out.
 * @throws RunError when the host's signal aborts; what was measured is kept.
 */
export async function measureAtlas(
  host: AnalysisHost,
  runs: readonly BegunRun[],
  options: AtlasOptions = {},
): Promise<readonly MeasuredRun[]> {
  const { onMeasured, notice = () => {}, hessian: hessianMeasure = false } = options;
  const all = options.measures ?? atlasMeasures;
  const measures = all.filter(
    ({ flag }) => flag === undefined || (flag === 'hessian' && hessianMeasure),
  );
  const finished = [...new Map(runs.filter(isOpenable).map((run) => [run.run, run])).values()];
  const opened = new Map<string, Subject>();
  const open = async (run: BegunRun): Promise<Subject> => {
    const known = opened.get(run.run);
    if (known !== undefined) return known;
    const teacher = findTeacher(run, finished);
    const peers = findPeers(run, finished);
    const subject = await openSubject(host, run, {
      ...{ peers, open, teacher: teacher && (await open(teacher)) },
    });
    opened.set(run.run, subject);
    return subject;
  };
  const total = finished.length * measures.length;
  const found: MeasuredRun[] = [];
  try {
    for (const [i, run] of finished.entries()) {
      const read = await unlessDamaged(host, async () => {
        const subject = await open(run);
        const taken: Record<string, MeasuredTables> = {};
        for (const [j, measure] of measures.entries()) {
          await yieldToEventLoop();
          if (host.signal?.aborted === true) throw new RunError('the atlas was interrupted');
          const { tables, wasKept } = await take(subject, measure, (why) => notice(run, why));
          if (tables !== undefined) taken[measure.name] = tables;
          const done = i * measures.length + j + 1;
          onMeasured?.({ run, measure: measure.name, done, total, wasKept });
        }
        return { run, measures: taken };
      });
      if ('error' in read) notice(run, `skipped: ${read.error.message}`);
      else found.push(read.value);
    }
  } finally {
    for (const subject of opened.values()) await subject.close();
  }
  return found;
}

interface Taken {
  readonly tables: MeasuredTables | undefined;
  readonly wasKept: boolean;
}

/** One measure: as it was kept, else computed and kept. */
async function take(
  subject: Subject,
  measure: AtlasMeasure,
  missed: (why: string) => void,
): Promise<Taken> {
  const isAlone =
    (measure.comparesTeacher === true && subject.teacher === undefined) ||
    (measure.comparesPeers === true && subject.peers.length === 0);
  if (isAlone) return { tables: undefined, wasKept: true };
  const { store } = subject.run;
  const path = locatePiece(measure.name);
  const from = describeOrigin(subject, measure);
  const kept = await readPiece(store, path);
  if (kept?.from === from) return { tables: kept.tables, wasKept: true };
  try {
    const tables = await measure.measure(subject);
    const piece: Piece = { format: 'grok atlas 1', measure: measure.name, from, tables };
    await writeJson(store, path, plain(piece));
    return { tables, wasKept: false };
  } catch (error) {
    if (!isInputError(error)) throw error;
    missed(`measure "${measure.name}" is skipped: ${error.message}`);
    return { tables: undefined, wasKept: false };
  }
}

/** The tables that an atlas kept of a measure beside a run; undefined where there are none that can be read. */
export async function readMeasured(
  store: Store,
  measure: string,
): Promise<MeasuredTables | undefined> {
  return (await readPiece(store, locatePiece(measure)))?.tables;
}

const locatePiece = (measure: string): string => `analysis/atlas/${measure}.json`;

/** A piece that can be read; any other is computed again. */
async function readPiece(store: Subject['run']['store'], path: string): Promise<Piece | undefined> {
  const bytes = await store.read(path);
  if (bytes === undefined) return undefined;
  try {
    return readDocument(bytes, `${store.where}/${path}`, PIECE);
  } catch (error) {
    if (!isInputError(error)) throw error;
    return undefined;
  }
}

/** What a measure is computed from: the run and its step, the teacher and its step, peers, the steps of states. */
function describeOrigin(
  { run, step, teacher, peers, steps }: Subject,
  measure: AtlasMeasure,
): string {
  const parts = [`${run.run.slice(0, 16)}@${step}`];
  if (measure.comparesTeacher && teacher)
    parts.push(`${teacher.run.run.slice(0, 16)}@${teacher.step}`);
  if (measure.comparesPeers) parts.push(...peers.map((peer) => peer.run.run.slice(0, 16)));
  if (measure.readsStates) parts.push(`states ${steps.join(' ')}`);
  return parts.join(', ');
}
