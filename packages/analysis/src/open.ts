/** A finished or unfinished run opened for reading: its data, its model, and its state at any moment. */

import {
  type HostArray,
  hiddenStates,
  isInputError,
  isRunError,
  type Model,
  type openBackend,
  type Registry,
  type Site,
  type SplitRows,
  type Store,
  type Task,
} from '@grok/core';
import {
  type Checkpoint,
  composeExperiment,
  computeSites,
  data,
  describeModel,
  replayTo,
  type Training,
  takeRows,
  withoutAuxiliary,
} from '@grok/core/internal';
import type { AnalyzedModel } from '@grok/metrics';
import type { BegunRun } from '@grok/study';

type Backend = Awaited<ReturnType<typeof openBackend>>;

/** The environment of an analysis. */
export interface AnalysisHost {
  readonly registry: Registry;
  readonly backend: Backend;
  /** Folders of a run's teachers, for steps that are replayed and for gradients by term. */
  readonly teacherStores: (run: BegunRun) => Readonly<Record<string, Store>>;
  readonly signal?: AbortSignal;
}
/** A run at one moment. */
export interface Opened {
  readonly run: BegunRun;
  readonly task: Task;
  readonly split: SplitRows;
  readonly model: Model;
  readonly checkpoint: Checkpoint;
  /** The step that the state was replayed from. */
  readonly from: number;
}

/** A run's state after `step` steps, replayed where no checkpoint is. */
export async function openAt(host: AnalysisHost, run: BegunRun, step: number): Promise<Opened> {
  const { registry, signal } = host;
  const { task, split, model } = data(run.config.experiment, registry);
  const { checkpoint, from } = await replayTo(
    {
      registry,
      store: run.store,
      teacherStores: host.teacherStores(run),
      ...(signal === undefined ? {} : { signal }),
    },
    step,
  );
  return { run, task, split, model, checkpoint, from };
}

/** What a run's loss is made of, for gradients by term. @throws InputError when a teacher's folder is not given. */
export async function openObjective(
  { registry, teacherStores }: AnalysisHost,
  run: BegunRun,
): Promise<Pick<Training, 'objective' | 'teachers' | 'seed'>> {
  const { probes: _, ...experiment } = run.config.experiment;
  const { objective, teachers } = await composeExperiment(experiment, registry, teacherStores(run));
  return { objective, teachers, seed: experiment.seed };
}

/** What was read of a run, or the error that names what is damaged or does not fit. */
export async function unlessDamaged<T>(
  { signal }: AnalysisHost,
  read: () => Promise<T>,
): Promise<{ readonly value: T } | { readonly error: Error }> {
  try {
    return { value: await read() };
  } catch (error) {
    if (signal?.aborted === true || !(isInputError(error) || isRunError(error))) throw error;
    return { error };
  }
}

/** Sites of an opened run over rows of a task, its own unless another is given. */
export function sitesOver(
  host: AnalysisHost,
  { model, checkpoint, task }: Opened,
  sites: readonly Site[],
  rows: Int32Array,
  inputs: HostArray = task.inputs,
): Promise<Record<Site, HostArray>> {
  const params = withoutAuxiliary(checkpoint.params);
  return computeSites(host.backend, { model, params }, sites, takeRows(inputs, rows));
}

/**
 * Names of the hidden states and of the attention patterns that a model has. The hidden states of a
 * model that uses none of the standard names are its sites of the model's width.
 */
export function sitesByKind(model: Model): { states: readonly Site[]; patterns: readonly Site[] } {
  const { layers, width } = model.shape;
  const own = model.sites();
  const has = (site: Site): boolean => own.some(({ name }) => name === site);
  const patterns = Array.from({ length: layers }, (_, l) => `blocks.${l}.attn.hook_pattern`);
  const standard = hiddenStates(describeModel(model)).filter(has);
  const wide = own.filter(({ name, shape }) => name !== 'logits' && shape.at(-1) === width);
  return {
    states: standard.length > 0 ? standard : wide.map(({ name }) => name),
    patterns: patterns.filter(has),
  };
}

/** What the published layout is made of. */
export async function captureInside(
  host: AnalysisHost,
  opened: Opened,
  rows: Int32Array,
  inputs?: HostArray,
): Promise<AnalyzedModel> {
  const { states, patterns } = sitesByKind(opened.model);
  const found = await sitesOver(host, opened, [...states, ...patterns], rows, inputs);
  return {
    params: withoutAuxiliary(opened.checkpoint.params),
    states: states.map((site) => found[site]!),
    patterns: patterns.map((site) => found[site]!),
  };
}
