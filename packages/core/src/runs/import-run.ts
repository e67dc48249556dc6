/** A run whose parameters were trained elsewhere: a folder like any finished run's, which can teach, be analyzed, or train on. */
import { InputError } from '../contracts/errors.js';
import { experimentHash, paramsSha256, splitHash } from '../contracts/hash.js';
import type { Experiment, HostParams, Manifest, Store } from '../contracts/types.js';
import type { Registry } from '../plugins/registry.js';
import { computeLayout } from '../tensors/params.js';
import { rng } from '../tensors/rng.js';
import { noSums } from '../training/loop.js';
import { data } from './compose.js';
import { formatSlug, listVersions } from './manifest.js';
import {
  checkVacant,
  findConfig,
  saveCheckpoint,
  writeConfig,
  writeManifest,
} from './run-folder.js';

/** Names, shapes and types of the parameters that an experiment's model reads, in order; their values are initial ones. */
export function listParams(experiment: Experiment, registry: Registry): HostParams {
  return data(experiment, registry).model.init(rng(experiment.seed).split('init'));
}

/** The experiment of a run that only has these parameters: what it was trained with elsewhere is not known. */
export function importedExperiment(experiment: Experiment, params: HostParams): Experiment {
  const { task, split, model, transforms, optimizer, batch, seed, splitSeed } = experiment;
  return {
    task,
    ...(split === undefined ? {} : { split }),
    model,
    ...(transforms === undefined ? {} : { transforms }),
    ...{ optimizer, batch, seed },
    ...(splitSeed === undefined ? {} : { splitSeed }),
    imported: { paramsSha256: paramsSha256(params) },
  };
}

/** What importing a run needs. */
export interface ImportHost {
  readonly registry: Registry;
  readonly store: Store;
  /** Where the parameters come from, for people. */
  readonly from: string;
  readonly versions?: Readonly<Record<string, string>>;
}

/**
 * Writes the folder of a finished run of no step that has these parameters. `experiment` says what the model
 * and its task are, and which rows it was trained on; the rest of it is for whoever trains on.
 * @throws InputError when the store holds another run.
 */
export async function importRun(
  experiment: Experiment,
  params: HostParams,
  { registry, store, from, versions = {} }: ImportHost,
): Promise<Manifest> {
  const imported = importedExperiment(experiment, params);
  const run = experimentHash(imported);
  const found = await findConfig(store);
  if (found !== undefined && found.run !== run)
    throw new InputError(
      `${store.where}: contains another experiment (run ${found.run.slice(0, 10)}, this is ${run.slice(0, 10)}); choose another folder`,
    );
  if (found === undefined) await checkVacant(store);
  const { split } = data(imported, registry);
  await writeConfig(store, imported);
  const position = { epoch: 0, batch: 0, step: 0, sums: noSums };
  await saveCheckpoint(store, { run, params, state: {}, position }, { pinned: true });
  const manifest: Manifest = {
    ...{ format: 'grok manifest 1', run, slug: formatSlug(imported), status: 'finished' },
    ...{ parameters: computeLayout(params).size, epoch: 0, step: 0, splitHash: splitHash(split) },
    seeds: { seed: imported.seed, splitSeed: imported.splitSeed ?? imported.seed },
    paramsSha256: paramsSha256(params),
    ...{ backend: 'none', device: `imported from ${from}`, threads: 1, execution: {}, seconds: 0 },
    versions: listVersions({ registry, store, versions }, imported),
  };
  await writeManifest(store, manifest);
  return manifest;
}
