/** What a person may hand to the page: a plan, the specification of one run, or the files of a run or a study. */
import {
  InputError,
  memoryStore,
  readConfig,
  readManifest,
  readMetrics,
  type Store,
} from '@grok/core';
import { type DocumentKind, newestCheckpoint, readDocument, z } from '@grok/core/internal';
import {
  checkPlanOrSpec,
  expandPlan,
  hasBegun,
  identifyRun,
  loadStudy,
  type Plan,
  planOfRun,
  readPlan,
} from '@grok/study';
import { MOST_BYTES, type NamedBytes, unpackFiles } from './archive.js';
import type { Shelf } from './shelf.js';
import { studyFolder } from './studies.js';

/** A file as it was dropped; it is read only once its size is known. */
export interface DroppedFile {
  readonly path: string;
  readonly file: Blob;
}
/** What was dropped, checked: a plan to look at, or to begin with at once, or files of runs. */
export type Taken =
  | { readonly plan: Plan; readonly begin: boolean }
  | { readonly files: readonly NamedBytes[] };

const ANY: DocumentKind<unknown> = { schema: z.unknown() };

/** Reads what was dropped. @throws InputError when it is too large, damaged, or none of what the page takes. */
export async function readDropped(
  dropped: readonly DroppedFile[],
  most = MOST_BYTES,
): Promise<Taken> {
  const [only] = dropped;
  if (only === undefined)
    throw new InputError('nothing readable was dropped; drop a JSON file, a zip or a folder');
  const total = dropped.reduce((sum, { file }) => sum + file.size, 0);
  if (total > most)
    throw new InputError(
      `${only.path}: what was dropped is larger than ${most / 2 ** 20} MiB; drop a single run`,
    );
  const read = async ({ path, file }: DroppedFile): Promise<NamedBytes> => ({
    path,
    bytes: new Uint8Array(await file.arrayBuffer()),
  });
  const files = await Promise.all(dropped.map(read));
  const [first] = files;
  if (first === undefined || dropped.length > 1) return { files };
  if (first.path.endsWith('.zip')) return { files: unpackFiles(first, { bytes: most }) };
  const document = readDocument(first.bytes, first.path, ANY);
  const isSpec = typeof document === 'object' && document !== null && 'experiment' in document;
  return { plan: checkPlanOrSpec(document, first.path), begin: isSpec };
}

/**
 * Takes the files of a study in, or of a run as a study of its own. All is checked in memory first, and a
 * file is written only when all are found right. Returns the study's folder.
 * @throws InputError when something is missing, damaged, or kept here already.
 */
export async function importFiles(files: readonly NamedBytes[], shelf: Shelf): Promise<string> {
  const { plan, stores } = await stage(files);
  const folder = studyFolder(plan);
  if ((await shelf.studies()).includes(folder))
    throw new InputError(
      `${plan.name}: is already saved in this browser; open it, or delete it and drop this again`,
    );
  try {
    for (const [run, bytesByPath] of stores)
      await writeAll(shelf.store(run === '' ? folder : `${folder}/${run}`), bytesByPath);
  } catch (error) {
    await shelf.remove(folder).catch(() => undefined);
    throw error;
  }
  return folder;
}

type Files = ReadonlyMap<string, Uint8Array>;
/** A study's files by the folder of the run; its own under `""`, last: without a plan it is none. */
interface Staged {
  readonly plan: Plan;
  readonly stores: readonly (readonly [run: string, files: Files])[];
}

async function stage(files: readonly NamedBytes[]): Promise<Staged> {
  const study = findPrefix(files, 'plan.json');
  const run = findPrefix(files, 'config.json');
  if (study !== undefined) return stageStudy(under(files, study));
  if (run !== undefined) return stageRun(under(files, run));
  throw new InputError(
    'no plan.json or config.json among the files; drop the folder of a run or a study, or its zip',
  );
}

async function stageRun(own: Files): Promise<Staged> {
  const store = await toStore(own, 'files');
  const { experiment } = await readConfig(store);
  const plan = planOfRun(experiment, 'A run that was opened from its files.', 'files/config.json');
  await checkRun(store);
  return { plan, stores: [[identifyRun(experiment).folder, own], planFile(plan)] };
}

async function stageStudy(all: Files): Promise<Staged> {
  const root = await toStore(all, 'files');
  const plan = await readPlan(root);
  if (plan === undefined) throw new InputError('files/plan.json: is empty; drop the study again');
  const own = (run: string): Files =>
    new Map(
      [...all]
        .filter(([path]) => path.startsWith(`${run}/`))
        .map(([path, bytes]) => [path.slice(run.length + 1), bytes]),
    );
  const stores = new Map<string, Store>();
  for (const run of new Set([...all.keys()].map((path) => path.split('/')[0] ?? '')))
    stores.set(run, await toStore(own(run), `files/${run}`));
  const open = (run: string): Store => stores.get(run) ?? memoryStore(`files/${run}`);
  const runs = await loadStudy(expandPlan(plan), { root, open });
  for (const { state, error } of runs)
    if (state === 'damaged') throw new InputError(error ?? 'a run is damaged');
  const begun = runs.filter(hasBegun);
  for (const { store } of begun) await checkRun(store);
  const record = [...all].filter(([path]) => path === 'study.json');
  const folders = [...new Set(begun.map(({ folder }) => folder))];
  return {
    plan,
    stores: [
      ...folders.map((run) => [run, own(run)] as const),
      ['', new Map([...record, ...planFile(plan)[1]])],
    ],
  };
}

/** @throws InputError or RunError when a file of a run is damaged. */
async function checkRun(store: Store): Promise<void> {
  await readConfig(store);
  await readMetrics(store, await readManifest(store));
  const { damaged } = await newestCheckpoint(store);
  for (const { file, reason } of damaged) throw new InputError(`${file}: ${reason}`);
}

const planFile = (plan: Plan): readonly [string, Files] => [
  '',
  new Map([['plan.json', new TextEncoder().encode(`${JSON.stringify(plan, null, 2)}\n`)]]),
];

/** The shortest path to a file of that name, without the name. */
function findPrefix(files: readonly NamedBytes[], name: string): string | undefined {
  return files
    .map(({ path }) => path)
    .filter((path) => path === name || path.endsWith(`/${name}`))
    .map((path) => path.slice(0, -name.length))
    .sort((a, b) => a.length - b.length)[0];
}

function under(files: readonly NamedBytes[], prefix: string): Files {
  return new Map(
    files
      .filter(({ path }) => path.startsWith(prefix))
      .map(({ path, bytes }) => [path.slice(prefix.length), bytes]),
  );
}

async function toStore(files: Files, where: string): Promise<Store> {
  const store = memoryStore(where);
  await writeAll(store, files);
  return store;
}

/** Writes files, `config.json` last: without it a folder is no run. */
export async function writeAll(store: Store, files: Files): Promise<void> {
  const last = (path: string): number => (path === 'config.json' ? 1 : 0);
  for (const [path, bytes] of [...files].sort(([a], [b]) => last(a) - last(b)))
    await store.write(path, bytes);
}
