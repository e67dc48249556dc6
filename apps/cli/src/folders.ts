/** A folder of runs opened for reading: a study's, one run's, or any that holds some. */
import { type Dirent, existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InputError, readConfig, readManifest, type Store } from '@grok/core';
import { own } from '@grok/core/internal';
import {
  type BegunRun,
  type DamagedRun,
  loadRuns,
  type Plan,
  readPlan,
  type UnmatchedRun,
} from '@grok/study';
import { readRecordFolder } from '@grok/study/process';
import { storeAt } from './host.js';
import type { Io } from './io.js';

const DEPTH = 3;

/** What a folder holds. */
export interface OpenedFolder {
  readonly root: Store;
  readonly plan: Plan | undefined;
  readonly runs: readonly BegunRun[];
  /** What is left out, a sentence each: runs that cannot be read, and what `onSkipped` was told since. */
  readonly leftOut: readonly string[];
  /** Tells what is left out, once. */
  readonly onSkipped: (message: string) => void;
  /** The folder is itself a run's. */
  readonly single: boolean;
  /** Folders of a run's teachers: those that it names, or any here with that run's id. */
  readonly teacherStores: (run: BegunRun) => Readonly<Record<string, Store>>;
}

/** Opens a folder of runs; what is damaged is told. @throws InputError when there is none in it that can be read. */
export async function openFolder(folder: string, io: Io): Promise<OpenedFolder> {
  const path = resolve(io.cwd, folder);
  if (!existsSync(path)) throw new InputError(`no such folder: ${folder}`);
  const root = storeAt(folder, io);
  const single = existsSync(join(path, 'config.json'));
  const plan = single ? undefined : await readPlan(root);
  const leftOut: string[] = [];
  const onSkipped = (message: string): void => {
    if (leftOut.includes(message)) return;
    leftOut.push(message);
    io.err.write(`grok: ${message}\n`);
  };
  const folders = foldersIn(path, DEPTH, onSkipped).map((at) => storeAt(at, io));
  // A plan may stand beside records of its runs; a run's own folder goes before its record.
  const records = plan === undefined ? new Map() : await readRecordFolder(path, folder);
  const stores = [...folders, ...records.values()];
  const loaded = await loadRuns(stores, plan);
  const { damaged, unmatched } = loaded;
  const known = new Set(records.values());
  const runs = loaded.runs.map((run) =>
    known.has(run.store) ? { ...run, recorded: true as const } : run,
  );
  const [first] = damaged;
  if (runs.length === 0 && first !== undefined) throw first.error;
  for (const run of damaged) onSkipped(describeDamage(run));
  for (const run of unmatched) onSkipped(describeUnmatched(run));
  if (runs.length === 0)
    throw new InputError(
      unmatched.length === 0
        ? `${root.where}: not a run folder (config.json missing); give the folder of a run or a study`
        : `${root.where}: none of its runs is in plan.json; give the folder of one run`,
    );
  const teacherStores = (run: BegunRun): Record<string, Store> => {
    const { experiment, execution } = run.config;
    const at = resolve(io.cwd, run.store.where);
    return Object.fromEntries(
      Object.entries(experiment.teachers ?? {}).flatMap(([name, ref]) => {
        const here = [...runs, ...damaged].find(({ run }) => run === ref.run)?.store;
        const written = own(execution?.teachers, name);
        if (here === undefined && written === undefined) return [];
        return [[name, here ?? storeAt(resolve(at, written!), io)]];
      }),
    );
  };
  return { root, plan, runs, leftOut, onSkipped, single, teacherStores };
}

/** The one run of a run's own folder. @throws InputError where there is none. */
export async function openRunFolder(folder: string, io: Io): Promise<BegunRun> {
  const store = storeAt(folder, io);
  await readConfig(store);
  const { runs, damaged } = await loadRuns([store]);
  if (damaged[0] !== undefined) throw damaged[0].error;
  const [run] = runs;
  if (run === undefined) throw new InputError(`${store.where}: the run has not started yet`);
  return run;
}

function describeDamage({ keys, where, error }: DamagedRun): string {
  return `${keys.join(', ') || where} is damaged and skipped: ${error.message}`;
}

function describeUnmatched({ where, damagedTeacher }: UnmatchedRun): string {
  if (damagedTeacher === undefined)
    return `${where} is skipped: it is not one of the runs of plan.json`;
  const { keys, where: teacher } = damagedTeacher;
  return `${where} is skipped: its teacher ${keys.join(', ') || teacher} is damaged, so its name in the plan is unknown`;
}

/**
 * Folders that hold a run's config.json, at most `depth` below; runs hold no runs. Links are followed, and
 * a folder that several lead to is listed once; `onSkipped` hears of those that cannot be read.
 * @throws InputError when it is a file, or cannot be read itself.
 */
export function foldersIn(
  path: string,
  depth: number,
  onSkipped: (message: string) => void,
): readonly string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory())
    throw new InputError(`${path}: is a file; give the folder of a run or a study`);
  // A folder's own name stands before those of links to it.
  const found = walk(path, depth, (folder, { message }) => {
    if (folder === path) throw new InputError(`${folder}: cannot be read: ${message}`);
    onSkipped(`${folder} cannot be read and is skipped: ${message}`);
  });
  const own = found.filter(({ linked }) => !linked);
  const byPlace = new Map<string, string>();
  for (const { folder } of [...own, ...found]) {
    const place = realpathSync(folder);
    if (!byPlace.has(place)) byPlace.set(place, folder);
  }
  return [...byPlace.values()].sort();
}

interface FoundFolder {
  readonly folder: string;
  /** A link leads to it. */
  readonly linked: boolean;
}

function walk(
  path: string,
  depth: number,
  onFailure: (folder: string, error: Error) => void,
  linked = false,
): readonly FoundFolder[] {
  if (existsSync(join(path, 'config.json'))) return [{ folder: path, linked }];
  if (depth === 0) return [];
  return readEntries(path, onFailure).flatMap((entry) => {
    const child = join(path, entry.name);
    const isLink = entry.isSymbolicLink();
    if (entry.name === 'node_modules') return [];
    if (!entry.isDirectory() && !(isLink && isFolder(child))) return [];
    return walk(child, depth - 1, onFailure, linked || isLink);
  });
}

/** What is in a folder; nothing where it cannot be read, which `onFailure` hears. */
function readEntries(path: string, onFailure: (folder: string, error: Error) => void): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    onFailure(path, error instanceof Error ? error : new Error(String(error)));
    return [];
  }
}

/** False where a link leads nowhere, or round in a circle. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** The folder of a run's own teacher, where it says one. */
export function teacherFolder(run: BegunRun, io: Io): string | undefined {
  const [written] = Object.values(run.config.execution?.teachers ?? {});
  if (written === undefined) return undefined;
  const folder = resolve(io.cwd, run.store.where, written);
  return existsSync(join(folder, 'config.json')) ? folder : undefined;
}

/** The plugins that a run's files name: as they were typed, and every package by version. */
export interface RunBeginning {
  readonly plugins: readonly string[];
  readonly packages: readonly (readonly [name: string, version: string])[];
}

/** What the runs in a folder began with; one whose files cannot be read says nothing. */
export async function readBeginnings(folder: string, io: Io): Promise<readonly RunBeginning[]> {
  const at = foldersIn(resolve(io.cwd, folder), DEPTH, () => {});
  const found = at.map(async (at): Promise<RunBeginning> => {
    const store = storeAt(at, io);
    const [config, manifest] = await Promise.allSettled([readConfig(store), readManifest(store)]);
    const { plugins = [] } = (config.status === 'fulfilled' && config.value.execution) || {};
    const { versions = {} } = (manifest.status === 'fulfilled' && manifest.value) || {};
    const packages = Object.entries(versions).filter(([name]) => name !== 'node');
    return { plugins, packages };
  });
  return Promise.all(found);
}
