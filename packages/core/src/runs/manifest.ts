/** Creates a run's manifest when the run starts or resumes. */
import { experimentHash, paramsSha256 } from '../contracts/hash.js';
import type {
  Backend,
  Checkpoint,
  Execution,
  Experiment,
  Manifest,
  MetricsRow,
} from '../contracts/types.js';
import { withoutAuxiliary } from '../tensors/params.js';
import type { Composed } from './compose.js';
import type { RunHost } from './host.js';

/** The parts that a run is executed with. */
export interface RunParts {
  readonly experiment: Experiment;
  readonly execution: Execution;
  readonly composed: Composed;
  readonly backend: Backend;
}
/** Where a run resumes: its newest checkpoint, its rows up to it, and the steps of recorded states. */
export interface Progress {
  readonly checkpoint?: Checkpoint;
  readonly history: readonly MetricsRow[];
  readonly states: readonly number[];
}

/** The manifest of a run before it trains. */
export function createManifest(
  host: RunHost,
  { experiment, execution, composed, backend }: RunParts,
  { checkpoint, history, states }: Progress,
): Manifest {
  const { threads } = backend.capabilities;
  const last = history.at(-1);
  return {
    format: 'grok manifest 1',
    run: experimentHash(experiment),
    slug: formatSlug(experiment),
    status: 'running',
    parameters: 0,
    epoch: last?.epoch ?? 0,
    step: last?.step ?? 0,
    splitHash: composed.splitHash,
    seeds: { seed: experiment.seed, splitSeed: experiment.splitSeed ?? experiment.seed },
    ...(experiment.teachers === undefined ? {} : { teachers: composed.teacherRefs }),
    ...(experiment.parent === undefined ? {} : { parent: experiment.parent }),
    ...(states.length === 0 ? {} : { states }),
    ...(composed.leaked ? { leaked: true } : {}),
    backend: backend.name,
    device: backend.device,
    threads,
    // Resuming must match what was used, not only what was requested. The backend is stored under
    // the requested name, which may be an alias.
    execution: { backend: backend.name, ...execution, threads },
    versions: listVersions(host, experiment),
    seconds: 0,
    ...(checkpoint === undefined
      ? {}
      : { paramsSha256: paramsSha256(withoutAuxiliary(checkpoint.params)) }),
  };
}

/** Versions of the packages that the experiment uses. */
export function listVersions(
  host: Pick<RunHost, 'registry' | 'store' | 'versions'>,
  experiment: Experiment,
): Record<string, string> {
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
export function formatSlug(experiment: Experiment): string {
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
