/**
 * A run, from specification to record: compose → store → train → listeners. It writes config.json
 * first, so that a run killed at any later moment can be resumed to the same bits.
 */
import { InputError, isInputError, isRunError, RunError } from '../contracts/errors.js';
import { experimentHash, paramsSha256 } from '../contracts/hash.js';
import type {
  Backend,
  Execution,
  Experiment,
  Manifest,
  MetricsRow,
  RunEvent,
  RunListener,
  RunSpec,
  Store,
  Tracker,
} from '../contracts/types.js';
import type { Registry } from '../plugins/registry.js';
import { withoutAuxiliary } from '../tensors/params.js';
import { train } from '../training/trainer.js';
import type { SavedState } from '../training/training.js';
import { type Composed, composeExperiment, openBackend } from './compose.js';
import { resolveExecution } from './execution.js';
import { createListeners, createTrackers, type Listeners } from './listeners.js';
import {
  appendEvent,
  appendMetrics,
  checkVacant,
  cutBack,
  findConfig,
  newestCheckpoint,
  readConfig,
  readManifest,
  readMetrics,
  saveCheckpoint,
  writeAnalysis,
  writeConfig,
  writeManifest,
} from './run-folder.js';
import { checkSpec } from './spec.js';

/** What a run is given by whoever starts it. */
export interface RunHost {
  readonly registry: Registry;
  /** The run's folder. */
  readonly store: Store;
  /** Folders of the teachers' runs, by the teachers' names. */
  readonly teacherStores?: Readonly<Record<string, Store>>;
  /** What a run that begins falls back to where its specification says nothing; one that goes on keeps its own. */
  readonly defaults?: Execution;
  readonly listeners?: readonly RunListener[];
  /** By name, beside those that `execution.trackers` names. */
  readonly trackers?: Readonly<Record<string, Tracker>>;
  /** Stops the run at the next step, its state saved. */
  readonly signal?: AbortSignal;
  /** Seconds on a clock that never goes back (default: `performance.now() / 1000`). */
  readonly now?: () => number;
  readonly peakMemoryBytes?: () => number;
  /** For the manifest, beside the plugins' own. */
  readonly versions?: Readonly<Record<string, string>>;
}
/** A run that ended well. */
export interface RunResult {
  readonly status: 'finished' | 'interrupted';
  readonly manifest: Manifest;
  readonly history: readonly MetricsRow[];
  /** It had been finished before, and nothing was done. */
  readonly already: boolean;
}

/**
 * Runs a specification in a store: begins, or goes on where the same experiment was interrupted or
 * where it ended, if more epochs are asked for now.
 * @throws InputError on bad input, before anything is written; RunError when the run fails.
 */
export async function startRun(spec: unknown, host: RunHost): Promise<RunResult> {
  const { experiment, execution: asked = {} } = checkSpec(spec);
  const found = await findConfig(host.store);
  if (found !== undefined && found.run !== experimentHash(experiment))
    throw new InputError(
      `${host.store.where}: holds another experiment (${found.run.slice(0, 10)}, this one is ${experimentHash(experiment).slice(0, 10)}); choose another folder`,
    );
  if (found !== undefined) return resumeRun(host, asked, experiment.epochs);
  await checkVacant(host.store);
  const execution = resolveExecution({ flags: asked, defaults: host.defaults ?? {} });
  const composed = await composeExperiment(experiment, host.registry, host.teacherStores ?? {});
  const followed = withTrackers(host, execution);
  const backend = await openBackend(host.registry, execution);
  return carryOut(followed, { experiment, execution }, composed, backend, undefined);
}

/**
 * Goes on with the run in a store, from its newest readable checkpoint, to as many epochs as it was begun
 * with or as are asked for: it then ends in the bits of a run that was begun with them.
 * @throws InputError when there is no run, it has gone further than the epochs asked for, or `execution`
 * would change what its exactness rests on.
 */
export async function resumeRun(
  host: RunHost,
  execution: Execution = {},
  epochs?: number,
): Promise<RunResult> {
  const { store } = host;
  const config = await readConfig(store);
  const manifest = await readManifest(store);
  const kept = resolveExecution({
    flags: execution,
    recorded: {
      subject: 'run',
      where: store.where,
      asked: config.execution,
      used: manifest?.execution,
    },
  });
  const { checkpoint, damaged } = await newestCheckpoint(store);
  const experiment = withLength(config.experiment, epochs, checkpoint?.position.epoch, store);
  const longer = experiment.epochs > config.experiment.epochs;
  // Of a finished run whose last state was damaged, the end is trained again.
  const whole = checkpoint !== undefined && damaged.length === 0;
  if (manifest?.status === 'finished' && whole && !longer) {
    const history = await readMetrics(store, manifest);
    return { status: 'finished', manifest, history, already: true };
  }
  const { registry, teacherStores = {} } = host;
  const composed = await composeExperiment(experiment, registry, teacherStores);
  const followed = withTrackers(host, kept);
  const spec = { experiment, execution: kept };
  if (experiment !== config.experiment) await writeConfig(store, experiment, config.execution);
  await cutBack(store, checkpoint?.position.step ?? 0);
  const notices = damaged.map(({ file, reason }) => `${file} is passed over: ${reason}`);
  const saved = checkpoint as SavedState | undefined;
  const history = saved === undefined ? [] : await readMetrics(store);
  const backend = await openBackend(registry, kept);
  return carryOut(followed, spec, composed, backend, { saved, history, notices });
}

/** The experiment with another number of epochs. @throws InputError when the run has gone further. */
function withLength(
  experiment: Experiment,
  epochs: number | undefined,
  done: number | undefined,
  { where }: Store,
): Experiment {
  if (epochs === undefined || epochs === experiment.epochs) return experiment;
  if (epochs < (done ?? 0))
    throw new InputError(
      `${where}: has ${done} epochs, and ${epochs} are asked for; a run only ever gets longer: ask for ${done} or more, or train in another folder`,
    );
  return { ...experiment, epochs };
}

/** With the trackers that are named. @throws InputError as `createTrackers`. */
function withTrackers(host: RunHost, { trackers }: Execution): RunHost {
  return { ...host, trackers: { ...createTrackers(host.registry, trackers), ...host.trackers } };
}

async function carryOut(
  host: RunHost,
  spec: Required<Omit<RunSpec, 'format'>>,
  parts: Composed,
  backend: Backend,
  from:
    | {
        saved: SavedState | undefined;
        history: readonly MetricsRow[];
        notices: readonly string[];
      }
    | undefined,
): Promise<RunResult> {
  const { store, now = () => performance.now() / 1000 } = host;
  const { experiment, execution } = spec;
  let listeners: Listeners | undefined;
  const notify: RunListener = (event) => listeners?.notify(event);
  let [begun, torn] = [from !== undefined, false];
  const emit = async (event: RunEvent): Promise<void> => {
    torn = true;
    await appendEvent(store, event);
    torn = false;
    notify(event);
  };
  const history = [...(from?.history ?? [])];
  let manifest = manifestOf(host, spec, parts, backend, history, from?.saved);
  const update = async (changes: Partial<Manifest>): Promise<void> => {
    const peakMemoryBytes = host.peakMemoryBytes?.();
    const seconds = history.reduce((sum, row) => sum + row.time.seconds, 0);
    manifest = {
      ...manifest,
      ...changes,
      seconds,
      ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes }),
    };
    await writeManifest(store, manifest);
  };
  let at = from?.saved?.position ?? { epoch: 0, step: 0 };
  try {
    if (from === undefined)
      await writeConfig(store, experiment, { ...manifest.execution, ...execution });
    begun = true;
    listeners = await createListeners(host.listeners ?? [], host.trackers ?? {}, {
      run: manifest.run,
      slug: manifest.slug,
      experiment,
      where: store.where,
    });
    for (const message of from?.notices ?? []) await emit({ type: 'notice', message });
    const loop = train(
      {
        ...experiment,
        ...parts,
        backend,
        checkpointEvery: execution.checkpointEvery ?? 10,
        ...(execution.pin === undefined ? {} : { pin: execution.pin }),
        now,
        ...(host.peakMemoryBytes === undefined ? {} : { peakMemoryBytes: host.peakMemoryBytes }),
      },
      from?.saved === undefined ? undefined : { saved: from.saved, history },
      host.signal,
    );
    let next = await loop.next();
    for (; next.done !== true; next = await loop.next()) {
      const event = next.value;
      switch (event.type) {
        case 'ready': {
          await update({ status: 'running', parameters: event.parameters });
          const { epoch, step } = event.from;
          await emit({
            type: 'start',
            run: manifest.run,
            parameters: event.parameters,
            epochs: experiment.epochs,
            stepsPerEpoch: event.stepsPerEpoch,
            from: { epoch, step },
            backend: backend.name,
            device: backend.device,
          });
          break;
        }
        case 'step':
          at = event;
          notify(event);
          break;
        case 'epoch':
          await appendMetrics(store, event.row);
          history.push(event.row);
          at = event.row;
          notify(event);
          break;
        case 'crossing':
        case 'notice':
          await emit(event);
          break;
        case 'analysis':
          await writeAnalysis(store, event.name, event.moment, {
            epoch: event.epoch,
            step: event.step,
            result: event.result,
          });
          break;
        case 'save': {
          const { saved, pinned } = event;
          const file = await saveCheckpoint(store, { run: manifest.run, ...saved }, { pinned });
          const { epoch, step } = saved.position;
          await emit({ type: 'checkpoint', epoch, step, file, pinned });
          await update({ epoch, step, paramsSha256: paramsSha256(withoutAuxiliary(saved.params)) });
          break;
        }
      }
    }
    const status = next.value;
    await emit({ type: 'end', epoch: at.epoch, step: at.step, status });
    await update({ status });
    return { status, manifest, history, already: false };
  } catch (error) {
    // What shows only once files are written is a run that failed, whosever fault it is.
    const { message: why } = error as Error;
    const failure =
      isRunError(error) || (isInputError(error) && !begun)
        ? error
        : new RunError(isInputError(error) ? why : `the run failed: ${why}`, { cause: error });
    if (!begun) throw failure;
    const { message } = failure;
    try {
      // After a line that was cut short, another would make both unreadable.
      const { epoch, step } = at;
      if (!torn) await emit({ type: 'end', epoch, step, status: 'failed', error: message });
      await update({ status: 'failed', error: message });
    } catch {
      // The store itself failed: what it holds is the last good state, and the first error says why.
    }
    throw failure;
  } finally {
    await listeners?.finish();
    await backend.dispose();
  }
}

function manifestOf(
  host: RunHost,
  { experiment, execution }: Required<Omit<RunSpec, 'format'>>,
  parts: Composed,
  backend: Backend,
  history: readonly MetricsRow[],
  saved: SavedState | undefined,
): Manifest {
  const last = history.at(-1);
  return {
    format: 'grok manifest 1',
    run: experimentHash(experiment),
    slug: slugOf(experiment),
    status: 'running',
    parameters: 0,
    epoch: last?.epoch ?? 0,
    step: last?.step ?? 0,
    splitHash: parts.splitHash,
    seeds: { seed: experiment.seed, splitSeed: experiment.splitSeed ?? experiment.seed },
    ...(experiment.teachers === undefined ? {} : { teachers: parts.teacherRefs }),
    ...(parts.leaked ? { leaked: true } : {}),
    backend: backend.name,
    device: backend.device,
    threads: backend.capabilities.threads,
    // What resuming must keep to is what was used, not only what was asked for.
    // A backend is found again by the name that it was asked for, an alias perhaps.
    execution: { backend: backend.name, ...execution, threads: backend.capabilities.threads },
    versions: versionsOf(host, experiment),
    seconds: 0,
    ...(saved === undefined ? {} : { paramsSha256: paramsSha256(withoutAuxiliary(saved.params)) }),
  };
}

/** Versions of the packages that the experiment uses. */
function versionsOf(host: RunHost, experiment: Experiment): Record<string, string> {
  const { task, split = { use: 'numpy' }, model, optimizer } = experiment;
  const used: Readonly<Record<string, readonly { readonly use: string }[]>> = {
    task: [task],
    split: [split],
    model: [model],
    transform: experiment.transforms ?? [],
    optimizer: [optimizer],
    strategy: experiment.objective ?? [{ use: 'hard' }],
    probe: experiment.probes ?? [],
  };
  const found = host.registry
    .list()
    .filter(({ kind, name }) => used[kind]?.some(({ use }) => use === name));
  return {
    ...Object.fromEntries(found.map((item) => [item.package, item.version])),
    ...host.versions,
  };
}

/** A readable name of an experiment, such as `div97-transformer128-hard-s42`. */
export function slugOf(experiment: Experiment): string {
  const { task, model, seed } = experiment;
  const terms = (experiment.objective ?? [{ use: 'hard' }]).map((term) => term.use);
  const text = [
    `${task.use}${task.options?.p ?? ''}`,
    `${model.use}${model.options?.dim ?? ''}`,
    [...new Set(terms)].join('+'),
    `s${seed}`,
  ].join('-');
  return text.replace(/[^\w+-]/g, '_');
}
