/**
 * The worker behind the page: it carries out one study at a time, on the same packages as the command
 * line, on this browser's shelf. Pausing stops at the next step with the state saved, so resuming, also
 * after the tab was closed, is beginning the same study again.
 */
import { InputError } from '@grok/core';
import { printable } from '@grok/core/internal';
import {
  checkPlan,
  expandPlan,
  inlineExecutor,
  nameControls,
  type Plan,
  preflight,
  readPlan,
  runStudy,
  type StudyRun,
} from '@grok/study';
import type { Choice, FromWorker, ToWorker } from '../protocol.js';
import { packFiles } from './archive.js';
import { importFiles, readDropped } from './documents.js';
import { loadBackend, openPageRegistry } from './registry.js';
import { openShelf } from './shelf.js';
import { showRuns, type Tell, takePictures, tellRows } from './show.js';
import {
  listStudies,
  loadStudyRuns,
  openStudyFolder,
  PAGE_RETRIES,
  resolveExecutions,
  studyFolder,
  toViews,
} from './studies.js';
import { type Grip, isTaken, takeStudy, watchStudy } from './tabs.js';
import { giveTeachers } from './teachers.js';

/** Epochs between checkpoints: each is also a picture. */
const CHECKPOINT_EVERY = 2;

const opening = Promise.all([openPageRegistry(), openShelf()] as const);
/** What goes on: training, or watching another tab. */
let going: AbortController | undefined;
/** Done once what went on before holds nothing any more. */
let left: Promise<unknown> = Promise.resolve();

const tell = (message: FromWorker, transfer: Transferable[] = []): void =>
  self.postMessage(message, { transfer });

self.onmessage = ({ data }: MessageEvent<ToWorker>): void => {
  answer(data).catch(({ message }: Error) => tell({ type: 'error', message: printable(message) }));
};

async function answer(message: ToWorker): Promise<void> {
  const [registry, shelf] = await opening;
  switch (message.type) {
    case 'hello': {
      const backends = registry.list().filter(({ kind }) => kind === 'backend');
      tell({
        type: 'ready',
        cores: globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1,
        backends: backends.map(({ name, summary }) => ({ name, summary })),
        ...(shelf.fault === undefined ? {} : { fault: shelf.fault }),
      });
      return tellStudies();
    }
    case 'open':
      return goOn((signal) => open(message.folder, signal));
    case 'start': {
      const plan = nameControls(checkPlan(message.plan, 'plan'), registry);
      return goOn((signal) => start(plan, message.choice, signal));
    }
    case 'pause':
      going?.abort();
      return;
    case 'remove':
      if (await isElsewhere(message.folder))
        throw new InputError(`${message.folder}: another tab is training it; stop it there first`);
      await shelf.remove(message.folder);
      return tellStudies();
    case 'export': {
      const bytes = packFiles(await shelf.files(message.folder));
      return tell({ type: 'archive', name: `${message.folder}.zip`, bytes }, [bytes.buffer]);
    }
    case 'draw': {
      const { runs } = await load(message.folder);
      return tell({ type: 'drawn', figures: await draw(runs) });
    }
    case 'drop': {
      const taken = await readDropped(message.files);
      if ('plan' in taken) return tell({ type: 'plan', ...taken });
      const folder = await importFiles(taken.files, shelf);
      await tellStudies();
      return goOn((signal) => open(folder, signal));
    }
  }
}

/** Does one thing at a time: what went on before is stopped, and waited for. */
async function goOn(action: (signal: AbortSignal) => Promise<void>): Promise<void> {
  going?.abort();
  const own = new AbortController();
  going = own;
  const before = left;
  const done = before.then(() => action(own.signal));
  left = done.catch(() => undefined);
  await done;
}

async function load(folder: string): Promise<{ plan: Plan; runs: readonly StudyRun[] }> {
  const [, shelf] = await opening;
  const folders = openStudyFolder(shelf, folder);
  const plan = await readPlan(folders.root);
  if (plan === undefined)
    throw new InputError(`${folder}: has no plan.json; delete it, or open another study`);
  return { plan, runs: await loadStudyRuns(plan, folders) };
}

async function isElsewhere(folder: string): Promise<boolean> {
  const [, shelf] = await opening;
  return shelf.fault === undefined && isTaken(folder);
}

/** What is kept in memory is this tab's alone. */
async function take(folder: string): Promise<Grip | undefined> {
  const [, shelf] = await opening;
  return shelf.fault === undefined ? takeStudy(folder) : { tell() {}, release() {} };
}

async function tellStudies(): Promise<void> {
  const [, shelf] = await opening;
  tell({ type: 'studies', studies: await listStudies(shelf) });
}
function postStudy(folder: string, plan: Plan, runs: readonly StudyRun[]): void {
  tell({ type: 'study', folder, plan, runs: toViews(runs) });
  for (const [index, { history = [] }] of runs.entries()) tellRows(tell, index, history);
}

/** Shows a study as it stands; where another tab trains it, watches. */
async function open(folder: string, signal: AbortSignal): Promise<void> {
  if (await isElsewhere(folder)) return watch(folder, signal);
  const { plan, runs } = await load(folder);
  postStudy(folder, plan, runs);
  await showEnd(folder, runs, signal);
}

/** Pictures of every run that has a checkpoint, and the figures of a study that is finished. */
async function showEnd(
  folder: string,
  runs: readonly StudyRun[],
  signal: AbortSignal,
): Promise<void> {
  const [registry, shelf] = await opening;
  const folders = openStudyFolder(shelf, folder);
  if (runs.every(({ state }) => state === 'finished'))
    tell({ type: 'figures', figures: await draw(runs) });
  const execution = await resolveExecutions(runs, folders, { backend: 'onnx', threads: 1 });
  await takePictures(runs, { ...folders, registry, execution, tell, signal });
}

/** The figures' code is large, and comes when it is asked for. */
async function draw(
  runs: readonly StudyRun[],
): ReturnType<typeof import('./figures.js').drawFigures> {
  const { drawFigures } = await import('./figures.js');
  return drawFigures(runs);
}

/** Shows what another tab trains, and goes on with it when that tab is closed in the middle of a run. */
async function watch(folder: string, signal: AbortSignal): Promise<void> {
  const { plan, runs } = await load(folder);
  postStudy(folder, plan, runs);
  tell({ type: 'watching' });
  const grip = await watchStudy(folder, tell, signal).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
  if (grip === undefined) return;
  try {
    const { runs: now } = await load(folder);
    // A run that was stopped says so: only one that nobody could stop still says that it runs.
    if (now.some(({ manifest }) => manifest?.status === 'running'))
      return await train(folder, plan, { backend: 'onnx', threads: 1 }, grip, signal);
    postStudy(folder, plan, now);
  } finally {
    grip.release();
    await tellStudies();
  }
  const { runs: end } = await load(folder);
  await showEnd(folder, end, signal);
}

async function start(plan: Plan, choice: Choice, signal: AbortSignal): Promise<void> {
  const [registry] = await opening;
  // Nothing is shown or written of a plan that cannot be carried out.
  preflight(expandPlan(plan), registry, plan.name);
  const folder = studyFolder(plan);
  const grip = await take(folder);
  if (grip === undefined) return watch(folder, signal);
  try {
    await train(folder, plan, choice, grip, signal, true);
  } finally {
    grip.release();
    await tellStudies();
  }
}

async function train(
  folder: string,
  plan: Plan,
  choice: Choice,
  grip: Grip,
  signal: AbortSignal,
  isChecked = false,
): Promise<void> {
  const [registry, shelf] = await opening;
  const folders = openStudyFolder(shelf, folder);
  const tellAll: Tell = (message) => {
    tell(message);
    grip.tell(message);
  };
  let runs = await loadStudyRuns(plan, folders);
  try {
    postStudy(folder, plan, runs);
    tellAll({ type: 'stage', stage: 'loading' });
    const execution = await resolveExecutions(runs, folders, { ...choice });
    // The runtime comes while teachers are copied.
    await Promise.all([loadBackend(registry, execution), giveTeachers(plan, folder, shelf)]);
    runs = await loadStudyRuns(plan, folders);
    postStudy(folder, plan, runs);
    tellAll({ type: 'stage', stage: 'compiling' });
    const show = showRuns(runs, { ...folders, registry, execution, tell: tellAll, signal });
    const { status } = await runStudy(plan, {
      ...{ ...folders, registry, signal, forgive: true, retries: PAGE_RETRIES, onEvent: show.hear },
      isChecked,
      executor: inlineExecutor({
        ...{ registry, open: folders.open },
        versions: { browser: navigator.userAgent },
      }),
      defaults: { ...choice, checkpointEvery: CHECKPOINT_EVERY },
    }).finally(show.dispose);
    runs = await loadStudyRuns(plan, folders);
    tell({ type: 'ended', status, runs: toViews(runs) });
    if (status === 'finished') tell({ type: 'figures', figures: await draw(runs) });
  } catch (error) {
    tell({ type: 'ended', status: 'interrupted', runs: toViews(runs) });
    throw error;
  }
}
