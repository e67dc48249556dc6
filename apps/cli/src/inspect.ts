/** What a run's folder holds, as plain data, and where two of them differ. */
import { createHash } from 'node:crypto';
import { type Experiment, paramsSha256, type Registry, type Store, sizeOf } from '@grok/core';
import {
  type DamagedCheckpoint,
  data,
  type Manifest,
  newestCheckpoint,
  withoutAuxiliary,
} from '@grok/core/internal';
import { flatten } from '@grok/report';
import type { BegunRun } from '@grok/study';

/** A run as it lies in its folder. */
export interface InspectedRun {
  readonly run: string;
  readonly slug: string;
  readonly status: Manifest['status'];
  readonly experiment: Experiment;
  readonly manifest: Manifest;
  /** The newest checkpoint that can be read; null where there is none. */
  readonly checkpoint: {
    readonly epoch: number;
    readonly step: number;
    readonly paramsSha256: string;
    /** The hash is the one that the manifest says; null where it says none. */
    readonly isRecorded: boolean | null;
  } | null;
  readonly parameters: readonly NamedShape[];
  readonly sites: readonly (NamedShape & { readonly axes: readonly string[] })[];
  readonly files: readonly InspectedFile[];
  /** Newer checkpoints that cannot be used. */
  readonly damaged: readonly DamagedCheckpoint[];
}
/** An array of numbers without its numbers. */
interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
  /** How many numbers it has. */
  readonly size: number;
}
/** A file in a run's folder. */
interface InspectedFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Reads a run's folder. @throws InputError where a component of its model is not known. */
export async function inspectRun(
  { config, manifest, store }: BegunRun,
  registry: Registry,
): Promise<InspectedRun> {
  const { model } = data(config.experiment, registry);
  const { checkpoint, damaged } = await newestCheckpoint(store);
  const params = checkpoint === undefined ? undefined : withoutAuxiliary(checkpoint.params);
  const hash = params === undefined ? undefined : paramsSha256(params);
  const { run, slug, status, paramsSha256: recorded } = manifest;
  return {
    ...{ run, slug, status, experiment: config.experiment, manifest },
    checkpoint:
      checkpoint === undefined || hash === undefined
        ? null
        : {
            epoch: checkpoint.position.epoch,
            step: checkpoint.position.step,
            paramsSha256: hash,
            isRecorded: recorded === undefined ? null : recorded === hash,
          },
    parameters: Object.entries(params ?? {}).map(([name, { shape }]) => sized(name, shape)),
    sites: model.sites().map(({ name, shape, axes }) => ({ ...sized(name, shape), axes })),
    files: await listFiles(store),
    damaged,
  };
}

function sized(name: string, shape: readonly number[]): NamedShape {
  return { name, shape, size: sizeOf(shape) };
}

const FOLDERS = ['', 'checkpoints', 'states', 'analysis'];

async function listFiles(store: Store): Promise<readonly InspectedFile[]> {
  const files: InspectedFile[] = [];
  for (const folder of FOLDERS)
    for (const name of await store.list(folder)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      const bytes = await store.read(path);
      if (bytes === undefined) continue;
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      files.push({ name: path, bytes: bytes.length, sha256 });
    }
  return files;
}

/** What one of two runs has and the other has not, or has otherwise. */
interface Difference {
  readonly what: string;
  /** Null where the run has none. */
  readonly a: string | null;
  readonly b: string | null;
}
/** Two runs side by side. */
export interface RunDiff {
  /** Paths of the experiment that differ. */
  readonly experiment: readonly Difference[];
  /** Where and with which versions each was run, as far as it differs. */
  readonly execution: readonly Difference[];
  /** What came of each, as far as it differs. */
  readonly results: readonly Difference[];
  /** The same experiment. */
  readonly sameRun: boolean;
  readonly sameSplit: boolean;
  /** The same parameters to the bit; null where one has no hash yet. */
  readonly sameParameters: boolean | null;
  /** The last epoch up to which both have the same losses and accuracies; 0 where none. */
  readonly sameUntilEpoch: number;
}

/** Compares two runs. */
export function diffRuns(a: BegunRun, b: BegunRun): RunDiff {
  const hashes = [a.manifest.paramsSha256, b.manifest.paramsSha256];
  return {
    experiment: differences(a.config.experiment, b.config.experiment),
    execution: differences(describeExecution(a), describeExecution(b)),
    results: differences(describeResults(a), describeResults(b)),
    sameRun: a.run === b.run,
    sameSplit: a.manifest.splitHash === b.manifest.splitHash,
    sameParameters: hashes.includes(undefined) ? null : hashes[0] === hashes[1],
    sameUntilEpoch: sameUntil(a, b),
  };
}

function describeExecution({ manifest }: BegunRun): object {
  const { backend, device, threads, versions } = manifest;
  return { backend, device, threads, versions };
}

function describeResults({ record }: BegunRun): object {
  const { run: _r, out: _o, backend: _b, seed: _s, ...measured } = record;
  const { splitHash: _h, paramsSha256: _p, ...results } = measured;
  return results;
}

/** Where two documents differ, by path. */
function differences(a: object, b: object): readonly Difference[] {
  const [left, right] = [flatten(a), flatten(b)];
  const paths = [...new Set([...left.keys(), ...right.keys()])];
  return paths
    .map((what) => ({ what, a: left.get(what) ?? null, b: right.get(what) ?? null }))
    .filter((one) => one.a !== one.b);
}

function sameUntil(a: BegunRun, b: BegunRun): number {
  const scores = ({ history }: BegunRun): readonly string[] =>
    history.map(({ epoch, train, validation }) => JSON.stringify([epoch, train, validation]));
  const [left, right] = [scores(a), scores(b)];
  const first = left.findIndex((row, i) => row !== right[i]);
  const same = first === -1 ? left.length : first;
  return a.history[same - 1]?.epoch ?? 0;
}
