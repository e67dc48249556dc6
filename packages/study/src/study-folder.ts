/** A study folder: its definition is in `plan.json`, or in `runs.json` if its runs come from no plan. */
import { InputError, type Registry, type Store } from '@grok/core';
import {
  canonicalJson,
  type DocumentKind,
  experimentSchema,
  quote,
  readDocument,
  type Shape,
  trainingPointSchema,
  z,
} from '@grok/core/internal';
import { parsePlan } from './check-plan.js';
import { nameControls } from './name-controls.js';
import { expandPlan, type Plan } from './plan.js';
import { type PlannedRun, planRuns, type RunDraft, type TeacherNeed } from './planned-runs.js';

/** The runs of a study: a plan, or planned runs. */
export type StudySource = Plan | readonly PlannedRun[];

const PLAN = 'plan.json';
const RUNS = 'runs.json';
const need: z.ZodType<TeacherNeed> = z.strictObject({
  key: z.string().min(1),
  at: trainingPointSchema,
} satisfies Shape<TeacherNeed>);
const DRAFTS: DocumentKind<readonly RunDraft[]> = {
  schema: z.array(
    z.strictObject({
      key: z.string().min(1),
      name: z.string().min(1).exactOptional(),
      role: z.enum(['teacher', 'student', 'control']).exactOptional(),
      experiment: experimentSchema,
      needs: z.record(z.string(), need).exactOptional(),
    } satisfies Shape<RunDraft>),
  ),
  remedy: 'restore it',
};

/** True for runs without a plan. */
function areRuns(source: StudySource): source is readonly PlannedRun[] {
  return Array.isArray(source);
}

/** The same study with its controls marked. */
export function withControls(source: StudySource, registry: Registry): StudySource {
  return areRuns(source) ? source : nameControls(source, registry);
}

/** The planned runs of a study. */
export function plannedRuns(source: StudySource): readonly PlannedRun[] {
  return areRuns(source) ? source : expandPlan(source);
}

/** Name of a study in errors. */
export function sourceTitle(source: StudySource): string {
  return areRuns(source) ? 'study' : source.name;
}

/** Reads the plan of a study folder; undefined if there is none. @throws InputError if it is damaged. */
export async function readPlan(root: Store): Promise<Plan | undefined> {
  const bytes = await root.read(PLAN);
  return bytes && parsePlan(bytes, `${root.where}/${PLAN}`);
}

/**
 * Reads the plan or planned runs of a folder; undefined if it is not a study.
 * @throws InputError if it is damaged.
 */
export async function readStudy(root: Store): Promise<StudySource | undefined> {
  const plan = await readPlan(root);
  if (plan !== undefined) return plan;
  const bytes = await root.read(RUNS);
  return bytes && planRuns(readDocument(bytes, `${root.where}/${RUNS}`, DRAFTS));
}

/** Claims a folder for this study. @throws InputError if it belongs to another study, or has other files. */
export async function claimFolder(
  source: StudySource,
  root: Store,
  /** Called before anything is written, so that an invalid study leaves no trace. */
  beforeWriting: () => Promise<void>,
): Promise<void> {
  const there = await readStudy(root);
  if (there !== undefined) {
    if (isSame(there, source)) return;
    throw new InputError(`${root.where}: contains ${describe(there)}; choose another folder`);
  }
  const files = (await root.list('')).filter((name) => !name.startsWith('.'));
  if (files.length > 0)
    throw new InputError(
      `${root.where}: is not a study folder (it contains ${files[0]}); choose another folder`,
    );
  await beforeWriting();
  const text = `${JSON.stringify(toDocument(source), null, 2)}\n`;
  await root.write(areRuns(source) ? RUNS : PLAN, new TextEncoder().encode(text));
}

/** Whether two studies define the same runs. */
function isSame(a: StudySource, b: StudySource): boolean {
  const [one, other] = [a, b].map((source) =>
    canonicalJson({ ...toDocument(source), changes: undefined }),
  );
  return one === other;
}

function toDocument(source: StudySource): Plan | readonly RunDraft[] {
  if (!areRuns(source)) return source;
  return source.map(({ key, name, role, experiment, needs }) => ({
    ...{ key, name, role, experiment, needs },
  }));
}

function describe(source: StudySource): string {
  return areRuns(source)
    ? `another study of ${source.length} runs`
    : `another plan (${quote(source.name)}, seeds ${source.seeds.join(', ')})`;
}
