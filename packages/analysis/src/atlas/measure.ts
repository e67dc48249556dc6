/** A run as the measures of the atlas see it, and what a measure is. */
import {
  type HostArray,
  type HostParams,
  rng,
  type Site,
  type SplitRows,
  type Task,
} from '@grok/core';
import {
  type Checkpoint,
  listCheckpoints,
  listStates,
  readCheckpoint,
  reader,
  readState,
  takeRows,
  withoutAuxiliary,
} from '@grok/core/internal';
import {
  type Circuit,
  findCircuit,
  type HookedModel,
  makeBatch,
  openRunFromStore,
} from '@grok/interp';
import { type BegunRun, nameArm } from '@grok/study';
import type { AnalysisHost } from '../open.js';
import type { MeasuredTables } from './tables.js';

/** Parameters after some steps. */
export interface SavedState {
  readonly step: number;
  readonly params: HostParams;
}
/** A run at its last step, and its states on the way there. */
export interface Subject {
  readonly host: AnalysisHost;
  readonly run: BegunRun;
  readonly step: number;
  readonly task: Task;
  readonly split: SplitRows;
  readonly model: HookedModel;
  /** The run that it learned from; of a control, the teacher of its seed. */
  readonly teacher?: Subject;
  /** Steps whose parameters are at hand, ascending, from 0 (the initial ones) to the last. */
  readonly steps: readonly number[];
  readState(step: number): Promise<SavedState>;
  /** The last step's checkpoint, with the parameters of its objective. */
  readCheckpoint(): Promise<Checkpoint>;
  /** Runs of the same model that differ in seed or in arm alone. */
  readonly peers: readonly Peer[];
  /** Another run of the same atlas. */
  open(run: BegunRun): Promise<Subject>;
  /** Sites over rows of the task, `[rows, …]`. */
  readSites(sites: readonly Site[], rows: Int32Array): Promise<(site: Site) => HostArray>;
  /** The circuit that keeps 90 % of the logit difference, searched once. */
  readCircuit(): Promise<Circuit>;
  close(): Promise<void>;
}
/** A run to compare another with. */
export interface Peer {
  readonly run: BegunRun;
  readonly differ: 'seed' | 'arm';
}
/** One measure of a run. */
export interface AtlasMeasure {
  /** Its file's name. */
  readonly name: string;
  /** It compares a run with its teacher; a teacher has no such measure. */
  readonly comparesTeacher?: true;
  /** It compares a run with its peers. */
  readonly comparesPeers?: true;
  /** It costs much, and is taken only when it is asked for. */
  readonly flag?: 'hessian';
  /** It reads states during training. */
  readonly readsStates?: true;
  /** @throws InputError where it does not fit the task or the model. */
  measure(subject: Subject): Promise<MeasuredTables>;
}

/** Most states that a measure reads: a slider has no use for more. */
const MOST_STATES = 24;
/** Validation rows of measures over few rows. */
const ROWS = 256;

/** The other runs of an atlas, as one of them needs them. */
interface Beside extends Pick<Subject, 'peers' | 'open'> {
  readonly teacher: Subject | undefined;
}

/** Opens a run at its last step. */
export async function openSubject(
  host: AnalysisHost,
  run: BegunRun,
  { teacher, peers, open }: Beside,
): Promise<Subject> {
  const { registry, backend } = host;
  const { store } = run;
  const opened = await openRunFromStore(store, { registry, backend });
  const { model, task, split, step } = opened;
  const recorded = await listStates(store);
  const kept = [...new Set([...recorded, ...(await listCheckpoints(store))])].filter(
    (at) => at > 0 && at < step,
  );
  let circuit: Promise<Circuit> | undefined;
  return {
    ...{ host, run, step, task, split, model, peers, open },
    ...(teacher === undefined ? {} : { teacher }),
    steps: [
      0,
      ...spreadOut(
        kept.sort((a, b) => a - b),
        MOST_STATES - 2,
      ),
      step,
    ],
    async readState(at) {
      if (at === step) return { step, params: model.params };
      if (at === 0)
        return { step: 0, params: model.model.init(rng(run.experiment.seed).split('init')) };
      const read = recorded.includes(at) ? readState : readCheckpoint;
      return { step: at, params: withoutAuxiliary((await read(store, at)).params) };
    },
    readCheckpoint: () => readCheckpoint(store, step),
    async readSites(sites, rows) {
      const { cache } = await model.runWithCache(takeRows(task.inputs, rows), sites);
      return reader('site', cache);
    },
    readCircuit() {
      const batch = makeBatch(task, firstRows({ split }));
      circuit ??= findCircuit(model, { batch, order: 'attribution' });
      return circuit;
    },
    close: opened.close,
  };
}

/** The first validation rows, over which measures of few rows are taken. */
export function firstRows({ split }: Pick<Subject, 'split'>, count: number = ROWS): Int32Array {
  return split.validation.subarray(0, count);
}

/** At most `most` of some values, evenly among them, the first and the last included. */
export function spreadOut<T>(values: readonly T[], most: number): readonly T[] {
  if (values.length <= most) return values;
  return Array.from(
    { length: most },
    (_, i) => values[Math.round((i * (values.length - 1)) / (most - 1))],
  ).filter((value) => value !== undefined);
}

/** What a run is called where it is compared with another. */
export function formatPeer(run: BegunRun): string {
  return `${nameArm(run)}, seed ${run.seed}`;
}

/** Most other seeds that a run is compared with. */
const MOST_SEEDS = 2;

/**
 * Runs of the same model as `run`: those of its arm with later seeds, two at most, and the control of its
 * seed. No pair is listed twice.
 */
export function findPeers(run: BegunRun, runs: readonly BegunRun[]): readonly Peer[] {
  const sameModel = runs.filter(
    (other) =>
      other.run !== run.run &&
      other.override === run.override &&
      JSON.stringify(other.experiment.model) === JSON.stringify(run.experiment.model),
  );
  const seeds = sameModel.filter(({ name, seed }) => name === run.name && seed > run.seed);
  const controls = sameModel.filter(
    ({ name, role, seed }) => role === 'control' && name !== run.name && seed === run.seed,
  );
  return [
    ...seeds.slice(0, MOST_SEEDS).map((other) => ({ run: other, differ: 'seed' as const })),
    ...controls.slice(0, 1).map((other) => ({ run: other, differ: 'arm' as const })),
  ];
}
