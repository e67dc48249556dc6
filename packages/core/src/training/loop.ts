/** A run on its backend: data, programs, parameters, optimizer state and position. */
import type {
  Checkpoint,
  EpochSums,
  HostParams,
  MetricsRow,
  OnDevice,
  OptimizerState,
  Position,
} from '../contracts/types.js';
import { computeLayout, type Layout } from '../tensors/params.js';
import { rng } from '../tensors/rng.js';
import { freeTree, readTree, treeFromPaths, uploadTree } from '../tensors/tree.js';
import { type Batches, countBatches } from './budget.js';
import { createProbeReaders, type ProbeReaders } from './probes.js';
import {
  compilePrograms,
  type Data,
  type DeviceParams,
  initializeState,
  loadData,
  type Programs,
  readParams,
  uploadParams,
} from './programs.js';
import type { Training } from './training.js';

/** A run in progress. Only `params`, `state` and `position` change from step to step. */
export interface Loop {
  readonly run: Training;
  readonly batches: Batches;
  readonly layout: Layout;
  readonly data: Data;
  readonly programs: Programs;
  readonly probeReaders: ProbeReaders;
  /** Rows of all epochs so far. */
  readonly history: MetricsRow[];
  params: DeviceParams;
  state: OnDevice<OptimizerState>;
  position: Position;
  /** Seconds of epochs that have no row. */
  unwrittenSeconds: number;
  /** Texts of the notices so far, so that each is sent once. */
  readonly notices: Set<string>;
}

/** Where a resumed run starts. */
export interface Start {
  readonly checkpoint: Checkpoint;
  readonly history: readonly MetricsRow[];
}

/** Sums at the start of an epoch. */
export const noSums: EpochSums = { loss: 0, correct: 0, hardLoss: 0, terms: {} };

/** Loads a run onto its backend, at its beginning or at `from`, and compiles its programs. */
export async function prepareLoop(run: Training, from?: Start): Promise<Loop> {
  const { backend, model, objective, optimizer } = run;
  const root = rng(run.seed);
  const initial = {
    ...model.init(root.split('init')),
    ...objective.auxiliaryParams(root.split('extra')),
  };
  const layout = computeLayout(initial);
  const data = await loadData(run);
  const flat = optimizer.elementwise;
  const params = uploadParams(backend, from?.checkpoint.params ?? initial, layout, flat);
  let state = await initializeState(backend, optimizer, params);
  // After no step, the state is the initial one; imported parameters come without any.
  if (from !== undefined && from.checkpoint.position.step > 0) {
    const initialState = state;
    state = uploadTree(backend, treeFromPaths(initialState, from.checkpoint.state));
    freeTree(backend, initialState);
  }
  const batches = countBatches(run.batch, run.split.train.length);
  const programs = await compilePrograms(run, batches, layout, { params, state, data });
  const position = from?.checkpoint.position ?? { epoch: 0, batch: 0, step: 0, sums: noSums };
  const history = [...(from?.history ?? [])];
  const place = {
    params,
    state,
    position,
    history,
    unwrittenSeconds: 0,
    notices: new Set<string>(),
  };
  const probeReaders = createProbeReaders(run);
  return { run, batches, layout, data, programs, probeReaders, ...place };
}

/** Releases everything that a run holds on its backend. */
export function disposeLoop({ run, programs, probeReaders, params, state, data }: Loop): void {
  const { backend } = run;
  probeReaders.dispose();
  for (const { program } of programs.steps.values()) program.dispose();
  for (const program of programs.evaluations.values()) program.dispose();
  freeTree(backend, params);
  freeTree(backend, state);
  if (data.resident !== undefined) freeTree(backend, data.resident);
  for (const { tensors } of [...data.validation, ...data.trainEval]) freeTree(backend, tensors);
}

/** Parameters and state at one step, read to the host on first use and then cached. */
export interface HostSnapshot {
  params(): Promise<HostParams>;
  checkpoint(): Promise<Checkpoint>;
}
/** A snapshot of the current step; it must be read before the next step. */
export function createSnapshot(loop: Loop): HostSnapshot {
  const { run, layout, position } = loop;
  let params: Promise<HostParams> | undefined;
  const readOnce = (): Promise<HostParams> => {
    params ??= readParams(run.backend, loop.params, layout, run.optimizer.elementwise);
    return params;
  };
  return {
    params: readOnce,
    async checkpoint() {
      const state = await readTree(run.backend, loop.state);
      return { run: run.run, params: await readOnce(), state, position };
    },
  };
}
