/** A run opened for interpretation: its model with hooks, its parameters at any step, its task and its split. */
import {
  type Backend,
  type Experiment,
  InputError,
  openBackend,
  type Registry,
  readConfig,
  readManifest,
  readMetrics,
  type SplitRows,
  type Store,
  type Task,
} from '@grok/core';
import {
  createModel,
  data,
  newestCheckpoint,
  replayTo,
  type TrainingPoint,
  withoutAuxiliary,
} from '@grok/core/internal';
import { type HookedModel, hookModel } from './hooked-model.js';

/** Options for opening a run. */
export interface OpenRunOptions {
  /** A registry with the components of the run. */
  readonly registry: Registry;
  /** Backend to use; default: the run's own. */
  readonly backend?: Backend;
  /**
   * A step, `last` (default), `crossing` (validation accuracy .99), or a validation accuracy. A step without a
   * checkpoint is replayed from the nearest earlier one.
   */
  readonly at?: TrainingPoint;
  /** Folders of the run's teachers by name, for replays. */
  readonly teacherStores?: Readonly<Record<string, Store>>;
}
/** A run at one step. */
export interface OpenedRun {
  readonly experiment: Experiment;
  readonly step: number;
  readonly task: Task;
  readonly split: SplitRows;
  readonly backend: Backend;
  readonly model: HookedModel;
  /** Frees the compiled passes, and the backend if it was opened for this run. */
  close(): Promise<void>;
}

/** Opens the run in a store. @throws InputError if there is no run or it never reached the step. */
export async function openRunFromStore(store: Store, options: OpenRunOptions): Promise<OpenedRun> {
  const { registry, at = 'last', teacherStores } = options;
  const { experiment, execution } = await readConfig(store);
  const { task, split } = data(experiment, registry);
  const step = await findStep(store, at);
  const { checkpoint } = await replayTo(
    { registry, store, ...(teacherStores === undefined ? {} : { teacherStores }) },
    step,
  );
  const { shape, dtype } = task.inputs;
  // Without the rows' data: what knows the task's rows alone would refuse others.
  const model = createModel(experiment, registry, {
    vocabulary: task.vocabulary,
    inputs: { shape, dtype },
  });
  const manifest = await readManifest(store);
  const backend =
    options.backend ?? (await openBackend(registry, { ...execution, ...manifest?.execution }));
  const hooked = hookModel({ backend, model, params: withoutAuxiliary(checkpoint.params) });
  return {
    ...{ experiment, step, task, split, backend, model: hooked },
    async close() {
      hooked.dispose();
      if (options.backend === undefined) await backend.dispose();
    },
  };
}

async function findStep(store: Store, at: TrainingPoint): Promise<number> {
  if (typeof at === 'number') return at;
  if (at === 'last') {
    const { checkpoint } = await newestCheckpoint(store);
    if (checkpoint === undefined)
      throw new InputError(`${store.where}: has no readable checkpoint; resume the run`);
    return checkpoint.position.step;
  }
  const wanted = at === 'crossing' ? 0.99 : at.validationAccuracy;
  const rows = await readMetrics(store);
  const row = rows.find(({ validation }) => validation.accuracy >= wanted);
  if (row !== undefined) return row.step;
  const best = Math.max(0, ...rows.map(({ validation }) => validation.accuracy));
  throw new InputError(
    `${store.where}: never reached a validation accuracy of ${wanted}, its best is ${best}; give a step or "last"`,
  );
}
