/**
 * The worker behind the page: it carries out one study at a time, on the same packages as the command
 * line, in the browser's own file system. Pausing stops at the next step with the state saved, so
 * resuming, also after the tab was closed, is beginning the same study again.
 */
import {
  InputError,
  type MetricsRow,
  type Registry,
  type RunEvent,
  readMetrics,
  type Store,
} from '@grok/core';
import {
  inlineExecutor,
  type Plan,
  readPlan,
  runStudy,
  type StudyEvent,
  type StudyRun,
} from '@grok/study';
import type { FromWorker, ToWorker } from '../protocol.js';
import { packFiles, unpackFiles } from './archive.js';
import { readStoredPlan } from './documents.js';
import { openPageRegistry } from './registry.js';
import { createSnapshotter, type Snapshotter } from './snapshots.js';
import {
  filesOf,
  importRun,
  listStudies,
  loadStudyRuns,
  removeStudy,
  rootOf,
  runStore,
  studyFolder,
  viewsOf,
} from './studies.js';
import { giveTeachers } from './teachers.js';

/** Epochs between checkpoints: each is also a picture. */
const CHECKPOINT_EVERY = 2;
/** Steps are told no more often than people can read, in milliseconds. */
const STEP_EVERY = 100;
/** Rows in one message, which the page takes in within milliseconds. */
const ROWS_AT_ONCE = 100;

const registry = openPageRegistry();
let going: AbortController | undefined;

const tell = (message: FromWorker, transfer: Transferable[] = []): void =>
  self.postMessage(message, { transfer });

self.onmessage = ({ data }: MessageEvent<ToWorker>): void => {
  answer(data).catch((error: unknown) => {
    const { name, message } = error as Error;
    tell({ type: 'error', message, badInput: name !== 'GrokRunError' });
  });
};

async function answer(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'hello': {
      const backends = (await registry).list().filter(({ kind }) => kind === 'backend');
      tell({
        type: 'ready',
        cores: globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1,
        backends: backends.map(({ name, summary }) => ({ name, summary })),
      });
      tell({ type: 'studies', studies: await listStudies() });
      return;
    }
    case 'open':
      return open(message.folder);
    case 'start':
      return start(readStoredPlan(message.plan), message.choice);
    case 'pause':
      going?.abort();
      return;
    case 'remove':
      await removeStudy(message.folder);
      tell({ type: 'studies', studies: await listStudies() });
      return;
    case 'export': {
      const bytes = await packFiles(await filesOf(message.folder));
      tell({ type: 'archive', name: `${message.folder}.zip`, bytes }, [bytes.buffer]);
      return;
    }
    case 'import': {
      const { folder } = await importRun(await unpackFiles(message.files));
      tell({ type: 'studies', studies: await listStudies() });
      return open(folder);
    }
  }
}

function tellStudy(folder: string, plan: Plan, runs: readonly StudyRun[]): void {
  tell({ type: 'study', folder, plan, runs: viewsOf(runs) });
  for (const [index, { history = [] }] of runs.entries()) tellRows(index, history);
}
function tellRows(index: number, rows: readonly MetricsRow[]): void {
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE)
    tell({ type: 'rows', index, rows: rows.slice(at, at + ROWS_AT_ONCE) });
}

/** Shows a study as it stands, with a picture of each run that has a checkpoint. */
async function open(folder: string): Promise<void> {
  const plan = await readPlan(rootOf(folder));
  if (plan === undefined)
    throw new InputError(`${folder}: has no plan.json; remove it, or open another study`);
  const runs = await loadStudyRuns(plan, folder);
  tellStudy(folder, plan, runs);
  for (const [index, run] of runs.entries()) {
    const step = run.manifest?.step;
    if (run.folder === undefined || !step) continue;
    const store = runStore(folder, run.folder);
    const camera = createSnapshotter(await registry, run.experiment, 'onnx', store);
    const picture = await camera.at(step).catch(() => undefined);
    if (picture !== undefined) tell({ type: 'picture', index, picture });
    await camera.dispose();
  }
}

async function start(
  plan: Plan,
  { backend, threads }: { backend: string; threads: number },
): Promise<void> {
  const known = await registry;
  const folder = studyFolder(plan);
  going?.abort();
  going = new AbortController();
  const { signal } = going;
  await giveTeachers(plan, folder);
  const runs = await loadStudyRuns(plan, folder);
  tellStudy(folder, plan, runs);
  tell({ type: 'studies', studies: await listStudies() });
  const open = (run: string): Store => runStore(folder, run);
  const show = showRuns(runs, folder, known, backend);
  try {
    const { status } = await runStudy(plan, {
      ...{ registry: known, root: rootOf(folder), open, signal },
      executor: inlineExecutor({
        ...{ registry: known, open },
        versions: { browser: navigator.userAgent },
      }),
      defaults: { backend, threads, checkpointEvery: CHECKPOINT_EVERY },
      failFast: true,
      onEvent: show.hear,
    });
    const records = viewsOf(await loadStudyRuns(plan, folder)).map(({ record }) => record);
    tell({ type: 'ended', status: status === 'finished' ? status : 'interrupted', records });
  } finally {
    await show.dispose();
    tell({ type: 'studies', studies: await listStudies() });
  }
}

/** Tells the page what a study tells, with a picture of every checkpoint of the run that trains. */
function showRuns(
  runs: readonly StudyRun[],
  folder: string,
  known: Registry,
  backend: string,
): { hear(event: StudyEvent): void; dispose(): Promise<void> } {
  let camera: Snapshotter | undefined;
  let last = 0;
  const begin = (run: StudyRun, index: number): void => {
    const store = runStore(folder, run.folder ?? '');
    void camera?.dispose();
    camera = createSnapshotter(known, run.experiment, backend, store);
    readMetrics(store).then((rows) => tellRows(index, rows), ignore);
    last = 0;
  };
  const tellEvent = (event: RunEvent, index: number): void => {
    if (event.type === 'step') {
      if (performance.now() - last < STEP_EVERY) return;
      last = performance.now();
    }
    tell({ type: 'event', index, event });
    if (event.type !== 'checkpoint') return;
    camera
      ?.at(event.step)
      .then((picture) => picture && tell({ type: 'picture', index, picture }), ignore);
  };
  return {
    hear(event) {
      if (event.type !== 'begin' && event.type !== 'run') return;
      const index = runs.findIndex(({ key }) => key === event.run.key);
      if (event.type === 'begin') begin(event.run, index);
      else tellEvent(event.event, index);
    },
    dispose: async () => camera?.dispose(),
  };
}

/** A picture that could not be made: the checkpoint went meanwhile, or the run ended. */
function ignore(): void {}
