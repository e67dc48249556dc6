/** Studies in the browser's own file system: one folder each, laid out as the command line lays them out. */
import { opfsStore, readConfig, type Store } from '@grok/core';
import { canonicalJson, countEpochs, parseConfig, sha256Hex, slugOf } from '@grok/core/internal';
import {
  checkPlan,
  expandPlan,
  hasBegun,
  identifyRun,
  isFinished,
  loadStudy,
  type Plan,
  readPlan,
  type StudyRun,
} from '@grok/study';
import type { ListedStudy, RunView } from '../protocol.js';

const ROOT = 'studies';
export const rootOf = (study: string): Store => opfsStore(`${ROOT}/${study}`);
export const runStore = (study: string, run: string): Store => opfsStore(`${ROOT}/${study}/${run}`);

/** The folder of a plan: what it is called, and the beginning of its hash. */
export function studyFolder(plan: Plan): string {
  const name = plan.name.replace(/[^\w-]+/g, '-').toLowerCase();
  return `${name}-${sha256Hex(canonicalJson(plan)).slice(0, 10)}`;
}

/** Every study, the newest first. */
export async function listStudies(): Promise<readonly ListedStudy[]> {
  const found: ListedStudy[] = [];
  for (const folder of await foldersIn(ROOT)) {
    const plan = await readPlan(rootOf(folder)).catch(() => undefined);
    if (plan === undefined) continue;
    const runs = await loadStudyRuns(plan, folder);
    const done = runs.every(isFinished);
    const begun = runs.some(hasBegun);
    const changed = await changedAt(folder);
    found.push({ folder, plan, status: done ? 'finished' : begun ? 'unfinished' : 'new', changed });
  }
  return found.sort((a, b) => b.changed - a.changed);
}

/** The runs of a plan in its order, as far as they have come. */
export function loadStudyRuns(plan: Plan, study: string): Promise<readonly StudyRun[]> {
  const open = (run: string): Store => runStore(study, run);
  return loadStudy(expandPlan(plan), { root: rootOf(study), open });
}

/** Runs as the page shows them, their rows left out. */
export function viewsOf(runs: readonly StudyRun[]): readonly RunView[] {
  return runs.map(({ name, seed, experiment, history, record, folder = '' }) => ({
    ...{ name, seed, epochs: countEpochs(experiment, history?.at(-1)) ?? 0, history: [] },
    record: record && { ...record, out: folder },
  }));
}

/** Takes the folder of one run in, as a study of its own: the run is its teacher, and there are no students. */
export async function importRun(
  files: readonly { path: string; bytes: Uint8Array }[],
): Promise<{ plan: Plan; folder: string }> {
  const config = files.find(({ path }) => /(^|\/)config\.json$/.test(path));
  if (config === undefined)
    throw new TypeError(
      'no config.json is among the files; drop the folder of one run, or its zip',
    );
  const prefix = config.path.slice(0, -'config.json'.length);
  const { experiment } = parseConfig(config.bytes, config.path);
  const { seed, teachers, ...teacher } = experiment;
  if (teachers !== undefined)
    throw new TypeError(
      'this run is a student, and its teacher is not beside it; drop the whole study, or its teacher',
    );
  const name = slugOf(experiment);
  const summary = 'A run that was opened from its files.';
  const plan = checkPlan({ name, summary, teacher, student: {}, arms: {}, seeds: [seed] }, 'run');
  const folder = studyFolder(plan);
  const store = runStore(folder, identifyRun(experiment).folder);
  await rootOf(folder).write(
    'plan.json',
    new TextEncoder().encode(`${JSON.stringify(plan, null, 2)}\n`),
  );
  for (const { path, bytes } of files)
    if (path.startsWith(prefix)) await store.write(path.slice(prefix.length), bytes);
  await readConfig(store); // throws where the files are damaged
  return { plan, folder };
}

/** Every file of a study, by path. */
export async function filesOf(study: string): Promise<Record<string, Uint8Array>> {
  const out: Record<string, Uint8Array> = {};
  const walk = async (folder: FileSystemDirectoryHandle, path: string): Promise<void> => {
    for await (const handle of folder.values()) {
      const at = path === '' ? handle.name : `${path}/${handle.name}`;
      if (handle instanceof FileSystemDirectoryHandle) await walk(handle, at);
      else if (handle instanceof FileSystemFileHandle && !handle.name.endsWith('.crswap'))
        out[at] = new Uint8Array(await (await handle.getFile()).arrayBuffer());
    }
  };
  const at = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT);
  await walk(await at.getDirectoryHandle(study), '');
  return out;
}

export async function removeStudy(study: string): Promise<void> {
  const at = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT);
  await at.removeEntry(study, { recursive: true });
}

async function changedAt(study: string): Promise<number> {
  const at = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT);
  const plan = await (await at.getDirectoryHandle(study)).getFileHandle('plan.json');
  return (await plan.getFile()).lastModified;
}

async function foldersIn(path: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    const at = await (await navigator.storage.getDirectory()).getDirectoryHandle(path);
    for await (const handle of at.values())
      if (handle.kind === 'directory') names.push(handle.name);
  } catch (error) {
    if ((error as Error).name !== 'NotFoundError') throw error;
  }
  return names;
}
