/** A study's folder: what it is a study of, in `plan.json`, or in `runs.json` where its runs came of no plan. */
import { canonicalJson, InputError, type Store } from '@grok/core';
import { checkPlan } from './check-plan.js';
import { expandPlan, type Plan } from './plan.js';
import { type PlannedRun, planRuns, type RunDraft } from './planned-runs.js';

/** What a study is of: a plan, or runs that are planned one by one. */
export type StudySource = Plan | readonly PlannedRun[];

const PLAN = 'plan.json';
const RUNS = 'runs.json';

/** True for runs that came of no plan. */
function areRuns(source: StudySource): source is readonly PlannedRun[] {
  return Array.isArray(source);
}

/** The planned runs of a study. */
export function plannedRuns(source: StudySource): readonly PlannedRun[] {
  return areRuns(source) ? source : expandPlan(source);
}

/** What a study is called in errors. */
export function titleOf(source: StudySource): string {
  return areRuns(source) ? 'study' : source.name;
}

/** The plan of a study's folder, or undefined where there is none. @throws InputError when it is damaged. */
export async function readPlan(root: Store): Promise<Plan | undefined> {
  const value = await readDocument(root, PLAN);
  return value === undefined ? undefined : checkPlan(value, `${root.where}/${PLAN}`);
}

/** What a folder is a study of, or undefined where it is none. @throws InputError when it is damaged. */
export async function readStudy(root: Store): Promise<StudySource | undefined> {
  const plan = await readPlan(root);
  if (plan !== undefined) return plan;
  const drafts = await readDocument(root, RUNS);
  if (drafts === undefined) return undefined;
  if (!Array.isArray(drafts))
    throw new InputError(`${root.where}/${RUNS}: must be a list of runs; restore it`);
  return planRuns(drafts as readonly RunDraft[]);
}

/** Makes a folder this study's. @throws InputError when it is another's, or holds something else. */
export async function claimFolder(
  source: StudySource,
  root: Store,
  /** Called before anything is written: what makes the study impossible must leave no trace. */
  beforeWriting: () => Promise<void>,
): Promise<void> {
  const there = await readStudy(root);
  if (there !== undefined) {
    if (canonicalJson(documentOf(there)) === canonicalJson(documentOf(source))) return;
    throw new InputError(`${root.where}: holds ${describe(there)}; choose another folder`);
  }
  const files = (await root.list('')).filter((name) => !name.startsWith('.'));
  if (files.length > 0)
    throw new InputError(
      `${root.where}: is not a study's folder (it holds ${files[0]}); choose another folder`,
    );
  await beforeWriting();
  const text = `${JSON.stringify(documentOf(source), null, 2)}\n`;
  await root.write(areRuns(source) ? RUNS : PLAN, new TextEncoder().encode(text));
}

function documentOf(source: StudySource): Plan | readonly RunDraft[] {
  if (!areRuns(source)) return source;
  return source.map(({ key, name, role, experiment, needs }) => ({
    ...{ key, name, role, experiment, needs },
  }));
}

function describe(source: StudySource): string {
  return areRuns(source)
    ? `another study of ${source.length} runs`
    : `another plan ("${source.name}", seeds ${source.seeds.join(', ')})`;
}

async function readDocument(root: Store, file: string): Promise<unknown> {
  const bytes = await root.read(file);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new InputError(`${root.where}/${file}: must be JSON (${(error as Error).message})`);
  }
}
