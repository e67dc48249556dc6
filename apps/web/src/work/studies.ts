/** Studies on the shelf: one folder each, laid out as the command line lays them out. */
import { type Execution, type InputError, isInputError, isRunError } from '@grok/core';
import { canonicalJson, countEpochs, printable, sha256Hex } from '@grok/core/internal';
import {
  expandPlan,
  hasBegun,
  isFinished,
  isLost,
  loadStudy,
  type Plan,
  readPlan,
  resolveStudyExecution,
  type StudyFolder,
  type StudyRun,
} from '@grok/study';
import type { ListedStudy, RunView } from '../protocol.js';
import type { Shelf } from './shelf.js';
import { readMeasures } from './show.js';

/** The folder of a plan: what it is called, and the beginning of its hash. */
export function studyFolder(plan: Plan): string {
  const name = plan.name.replace(/[^\w-]+/g, '-').toLowerCase();
  return `${name}-${sha256Hex(canonicalJson(plan)).slice(0, 10)}`;
}

/** A study's folder and its runs', as stores. */
export function openStudyFolder(shelf: Shelf, study: string): StudyFolder {
  return { root: shelf.store(study), open: (run) => shelf.store(`${study}/${run}`) };
}

/** Every study, the newest first; one that cannot be read costs only itself. */
export async function listStudies(shelf: Shelf): Promise<readonly ListedStudy[]> {
  const found: ListedStudy[] = [];
  for (const folder of await shelf.studies()) {
    const changed = await shelf.begun(folder);
    const one = await listed(shelf, folder).catch(describeDamaged);
    if (one !== undefined) found.push({ folder, changed, ...one });
  }
  return found.sort((a, b) => b.changed - a.changed);
}

type Listing = Pick<ListedStudy, 'name' | 'seeds' | 'status' | 'error'>;

async function listed(shelf: Shelf, folder: string): Promise<Listing | undefined> {
  const plan = await readPlan(shelf.store(folder));
  // A folder whose plan was never written: the tab was closed just then.
  if (plan === undefined) return undefined;
  const { name, seeds } = plan;
  const runs = await loadStudyRuns(plan, openStudyFolder(shelf, folder));
  const error = runs.find(isLost)?.error;
  const begun = runs.some((run) => hasBegun(run) || run.state === 'damaged');
  const status = runs.every(isFinished) ? 'finished' : begun ? 'unfinished' : 'new';
  const described = error === undefined ? {} : { error: printable(error) };
  return { name, seeds, status, ...described };
}

function describeDamaged(error: InputError): Listing {
  if (!isInputError(error) && !isRunError(error)) throw error;
  return { status: 'damaged', error: printable(error.message) };
}

/** A run that failed is tried again when a person asks for it. */
export const PAGE_RETRIES = 0;

/** The runs of a plan in its order, as far as they have come. */
export function loadStudyRuns(plan: Plan, folder: StudyFolder): Promise<readonly StudyRun[]> {
  return loadStudy(expandPlan(plan), folder, { retries: PAGE_RETRIES });
}

/** How a study goes on: as it or its unfinished run began, else as is asked for. */
export async function resolveExecutions(
  runs: readonly StudyRun[],
  { root }: StudyFolder,
  requested: Execution,
): Promise<Execution> {
  const study = await resolveStudyExecution(root, { defaults: requested });
  return { ...study, ...runs.find(({ state }) => state === 'interrupted')?.manifest?.execution };
}

/** Runs as the page shows them, their rows left out. */
export function toViews(runs: readonly StudyRun[]): readonly RunView[] {
  return runs.map(({ name, seed, state, error, experiment, history }) => ({
    ...{ name, seed, state, epochs: countEpochs(experiment, history?.at(-1)) ?? 0, history: [] },
    ...readMeasures(history),
    ...(error === undefined ? {} : { error: printable(error) }),
  }));
}
