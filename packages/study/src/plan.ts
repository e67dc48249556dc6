/**
 * A plan: many experiments as one readable JSON document. Every seed has teachers of its own; every
 * arm is a student of one, or of another arm, or a control without. Said once: what all share, what all students share.
 */
import { type Experiment, unknownName } from '@grok/core';
import { checkDocument, experimentSchema, own, type TrainingPoint } from '@grok/core/internal';
import type { Hypotheses } from './hypotheses.js';
import { type JsonObject, merge } from './merge.js';
import type { PlannedRun } from './planned-runs.js';

/** Part of an experiment: some of its keys, each as deep as wanted. */
export type Part = JsonObject;
/** Who teaches an arm: a teacher or another arm by its name, and the point of its training that teaches (default: the last). */
export type ArmTeacher = string | { readonly name: string; readonly at?: TrainingPoint };
/** Part of an experiment, and who teaches it: one teacher, or several by their names in its experiment. */
export type Arm = JsonObject & {
  readonly teacher?: ArmTeacher;
  readonly teachers?: Readonly<Record<string, ArmTeacher>>;
};
/** Parts laid over those of the plan of the same name. */
export interface Override {
  readonly shared?: Part;
  readonly teacher?: Part;
  readonly student?: Part;
}
/** Teachers, students and controls for some seeds, as JSON. */
export interface Plan {
  /** Stands in titles. */
  readonly name: string;
  /** One sentence for people. */
  readonly summary: string;
  /** What every run has. */
  readonly shared?: Part;
  /** The teacher named `teacher`, and what all others start from. */
  readonly teacher: Part;
  /** Other teachers, by name: what differs from `teacher`. */
  readonly teachers?: Readonly<Record<string, Part>>;
  /** What every student and control has. */
  readonly student: Part;
  /** By name, in the order of tables and legends; one none of whose terms needs a teacher is a control, as `"teachers": {}` says. */
  readonly arms: Readonly<Record<string, Arm>>;
  /** Each has its own teachers, arms and controls. */
  readonly seeds: readonly number[];
  /** By name: all runs of the plan once for each, with these parts laid over them. */
  readonly overrides?: Readonly<Record<string, Override>>;
  /** Arms whose epochs to 99 % are tested against `none` as one family; default: logit, attention, feature. */
  readonly family?: readonly string[];
  /** What it sets out to test. */
  readonly hypotheses?: Hypotheses;
  /** What was replaced in the plan of that name, as `path=value`: titles say it. */
  readonly changes?: readonly string[];
}

/** The plan, saying what more was replaced in the one of its name. */
export function withChanges(plan: Plan, changes: readonly string[]): Plan {
  const all = [...(plan.changes ?? []), ...changes];
  return all.length === 0 ? plan : { ...plan, changes: all };
}

/** A plan's title and its summary, with what was changed of the plan of that name. */
export function describePlan({ name, summary, changes = [] }: Plan): {
  readonly title: string;
  readonly summary: string;
} {
  if (changes.length === 0) return { title: name, summary };
  const said = changes.join(', ');
  return {
    title: `${name} with ${changes.length > 2 ? `${changes.length} changes` : said}`,
    summary: `The plan "${name}" with ${said}. Without ${changes.length > 1 ? 'these changes' : 'this change'} it is: ${summary}`,
  };
}

/** The runs of a plan in its order; each waits for those that teach it, wherever they stand. */
export function expandPlan(plan: Plan): readonly PlannedRun[] {
  const overrides: readonly (readonly [string | undefined, Override])[] =
    plan.overrides === undefined ? [[undefined, {}]] : Object.entries(plan.overrides);
  return overrides.flatMap(([override, parts]) => {
    const laid = override === undefined ? plan : overridden(plan, parts);
    return plan.seeds.flatMap((seed) => [
      ...teacherNames(plan).map((name) => plannedTeacher(laid, name, seed, override)),
      ...Object.keys(plan.arms).map((name) => plannedArm(laid, name, seed, override)),
    ]);
  });
}

function plannedTeacher(
  plan: Plan,
  name: string,
  seed: number,
  override: string | undefined,
): PlannedRun {
  const experiment = teacherPart(plan, seed, name);
  return { ...identify(name, seed, override), role: 'teacher', experiment, needs: {} };
}

function plannedArm(
  plan: Plan,
  name: string,
  seed: number,
  override: string | undefined,
): PlannedRun {
  const identity = identify(name, seed, override);
  const experiment = armPart(plan, name, seed);
  const needs = Object.fromEntries(
    Object.entries(teachersOfArm(own(plan.arms, name), experiment)).map(([as, use]) => {
      const { name: teacher, at = 'last' } = typeof use === 'string' ? { name: use } : use;
      return [as, { key: formatKey(teacher, seed, override), at }];
    }),
  );
  const role = Object.keys(needs).length > 0 ? 'student' : 'control';
  return { ...identity, role, experiment, needs };
}

/** Who teaches an arm: its `teachers`, its one `teacher`, or the plan's first; nobody where there is nothing but hard labels. */
function teachersOfArm(
  arm: Arm | undefined,
  { objective = [] }: Experiment,
): Readonly<Record<string, ArmTeacher>> {
  if (objective.every(({ use }) => use === 'hard')) return {};
  return arm?.teachers ?? { teacher: arm?.teacher ?? 'teacher' };
}

function identify(
  name: string,
  seed: number,
  override: string | undefined,
): Pick<PlannedRun, 'key' | 'name' | 'seed' | 'override'> {
  const key = formatKey(name, seed, override);
  return { key, name, seed, ...(override === undefined ? {} : { override }) };
}

/** What a run is called on the command line: `logit@3`, `low-wd/logit@3` under an override. */
function formatKey(name: string, seed: number, override: string | undefined): string {
  return `${override === undefined ? '' : `${override}/`}${name}@${seed}`;
}

/** Names of a plan's teachers, `"teacher"` first. */
export function teacherNames(plan: Plan): readonly string[] {
  return ['teacher', ...Object.keys(plan.teachers ?? {})];
}

/** A teacher's experiment for a seed. @throws InputError on an unknown teacher. */
export function teacherPart(plan: Plan, seed: number, name = 'teacher'): Experiment {
  if (!teacherNames(plan).includes(name)) throw unknownName('teacher', name, teacherNames(plan));
  return complete(name, merge(plan.shared, plan.teacher, own(plan.teachers, name)), seed);
}

/** The experiment of an arm for a seed, teachers left out. @throws InputError on an unknown arm. */
export function armPart(plan: Plan, arm: string, seed: number): Experiment {
  const part = own(plan.arms, arm);
  if (part === undefined) throw unknownName('arm', arm, Object.keys(plan.arms));
  const { teacher: _, teachers: __, ...rest } = part;
  return complete(arm, merge(plan.shared, plan.student, rest), seed);
}

function overridden(plan: Plan, { shared, teacher, student }: Override): Plan {
  return {
    ...plan,
    shared: merge(plan.shared, shared),
    teacher: merge(plan.teacher, teacher),
    student: merge(plan.student, student),
  };
}

function complete(name: string, part: JsonObject, seed: number): Experiment {
  return checkDocument({ ...part, seed }, `run "${name}"`, { schema: experimentSchema });
}
