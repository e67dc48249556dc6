/** A folder of runs opened for reading: a study's, one run's, or any that holds some. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InputError, readConfig, type Store } from '@grok/core';
import { type BegunRun, loadRuns, type Plan, readPlan } from '@grok/study';
import { storeAt } from './host.js';
import type { Io } from './io.js';

const DEPTH = 3;

/** What a folder holds. */
export interface OpenedFolder {
  readonly root: Store;
  readonly plan: Plan | undefined;
  readonly runs: readonly BegunRun[];
  /** The folder is itself a run's. */
  readonly single: boolean;
  /** Folders of a run's teachers: those that it names, or any here with that run's id. */
  readonly teacherStores: (run: BegunRun) => Readonly<Record<string, Store>>;
}

/** Opens a folder of runs. @throws InputError when there is none in it. */
export async function openFolder(folder: string, io: Io): Promise<OpenedFolder> {
  const path = resolve(io.cwd, folder);
  if (!existsSync(path)) throw new InputError(`there is no folder ${folder}`);
  const root = storeAt(folder, io);
  const single = existsSync(join(path, 'config.json'));
  const plan = single ? undefined : await readPlan(root);
  const stores = foldersIn(path, DEPTH).map((at) => storeAt(at, io));
  const runs = await loadRuns(stores, plan);
  if (runs.length === 0)
    throw new InputError(`${root.where}: no run is here; give the folder of a run or of a study`);
  const teacherStores = (run: BegunRun): Record<string, Store> => {
    const { experiment, execution } = run.config;
    const at = resolve(io.cwd, run.store.where);
    return Object.fromEntries(
      Object.entries(experiment.teachers ?? {}).flatMap(([name, ref]) => {
        const here = runs.find(({ manifest }) => manifest.run === ref.run)?.store;
        const written = execution?.teachers?.[name];
        if (here === undefined && written === undefined) return [];
        return [[name, here ?? storeAt(resolve(at, written!), io)]];
      }),
    );
  };
  return { root, plan, runs, single, teacherStores };
}

/** The one run of a run's own folder. @throws InputError where there is none. */
export async function openRun(folder: string, io: Io): Promise<BegunRun> {
  const store = storeAt(folder, io);
  await readConfig(store);
  const [run] = await loadRuns([store]);
  if (run === undefined) throw new InputError(`${store.where}: the run has not begun yet`);
  return run;
}

/** Folders that hold a run's config.json, at most `depth` below; runs hold no runs. @throws InputError when it is a file. */
export function foldersIn(path: string, depth: number): readonly string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory())
    throw new InputError(`${path}: is a file; give the folder of a run or of a study`);
  if (existsSync(join(path, 'config.json'))) return [path];
  if (depth === 0) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map((entry) => join(path, entry.name))
    .sort()
    .flatMap((child) => foldersIn(child, depth - 1));
}

/** The folder of a run's own teacher, where it says one. */
export function teacherFolder(run: BegunRun, io: Io): string | undefined {
  const [written] = Object.values(run.config.execution?.teachers ?? {});
  if (written === undefined) return undefined;
  const folder = resolve(io.cwd, run.store.where, written);
  return existsSync(join(folder, 'config.json')) ? folder : undefined;
}
