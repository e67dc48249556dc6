/**
 * A plan: many experiments as one JSON document. Every seed has its own teachers; every arm is a student of a teacher
 * or of another arm, or a control. Settings that all runs or all students share are given once.
 */
import { type Experiment, unknownName } from '@grok/core';
import { checkDocument, experimentSchema, own, type TrainingPoint } from '@grok/core/internal';
import type { Hypotheses } from './hypotheses.js';
import { type JsonObject, merge } from './merge.js';
import type { PlannedRun } from './planned-runs.js';

/** Part of an experiment: some of its keys, at any depth. */
export type Part = JsonObject;
/** The teacher of an arm: the name of a teacher or another arm, and a point of its training (default: the last). */
export type ArmTeacher = string | { readonly name: string; readonly at?: TrainingPoint };
/** Part of an experiment with its teacher, or several teachers by their names in the experiment. */
export type Arm = JsonObject & {
  readonly teacher?: ArmTeacher;
  readonly teachers?: Readonly<Record<string, ArmTeacher>>;
};
/** Parts that are merged into the plan's parts of the same name. */
export interface Override {
  /** Merged into the settings of all runs. */
  readonly shared?: Part;
  /** Merged into the settings of teachers. */
  readonly teacher?: Part;
  /** Merged into the settings of students and controls. */
  readonly student?: Part;
}
/** Teachers, students and controls for several seeds, as JSON. */
export interface Plan {
  /** Name of the study, used in titles. */
  readonly name: string;
  /** One sentence that describes the study. */
  readonly summary: string;
  /** Settings of all runs. */
  readonly shared?: Part;
  /** Settings of the teacher named `teacher`; other teachers start from them. */
  readonly teacher: Part;
  /** Other teachers, by name, as differences from `teacher`. */
  readonly teachers?: Readonly<Record<string, Part>>;
  /** Settings of all students and controls. */
  readonly student: Part;
  /** Arms by name, in the order of tables and legends. An arm whose terms need no teacher is a control. */
  readonly arms: Readonly<Record<string, Arm>>;
  /** Random seeds; each has its own teachers, students and controls. */
  readonly seeds: readonly number[];
  /** Overrides by name; all runs of the plan are repeated with each of them. */
  readonly overrides?: Readonly<Record<string, Override>>;
  /** Arms whose epochs to 99 % are tested against `none` as one family; default: logit, attention, feature. */
  readonly family?: readonly string[];
  /** Hypotheses to test. */
  readonly hypotheses?: Hypotheses;
  /** Changes to the plan of that name, as `path=value`; titles list them. */
  readonly changes?: readonly string[];
}

/** Adds changes to a plan. */
export function withChanges(plan: Plan, changes: readonly string[]): Plan {
  const all = [...(plan.changes ?? []), ...changes];
  return all.length === 0 ? plan : { ...plan, changes: all };
}

/** A plan's title and summary, with its changes. */
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

/** The runs of a plan, in its order; each needs its teachers, which may come later in the list. */
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

/** The teachers of an arm: its `teachers`, its `teacher`, or the plan's `teacher`; none if the arm has only hard labels. */
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

/** Name of a run on the command line: `logit@3`, or `low-wd/logit@3` under an override. */
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

/** The experiment of an arm for a seed, without its teachers. @throws InputError on an unknown arm. */
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
