/**
 * A plan: many experiments as one readable JSON document. Every seed has teachers of its own; every
 * arm is a student of one, or a control without. Said once: what all share, what all students share.
 */
import { type Experiment, type Json, type TeacherRef, unknownName } from '@grok/core';
import type { TermUse } from '@grok/core/internal';
import { type JsonObject, merge } from './merge.js';

/** Part of an experiment: some of its keys, each as deep as wanted. */
export type Part = JsonObject;
/** Part of an experiment, and which teachers an arm has: name in its experiment → name of the teacher. */
export type Arm = JsonObject & { readonly teachers?: Readonly<Record<string, string>> };
/** Parts laid over those of the plan of the same name. */
export interface Override {
  readonly shared?: Part;
  readonly teacher?: Part;
  readonly student?: Part;
}
/** Teachers, students and controls for some seeds, as JSON. */
export interface Plan {
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
  /** By name, in the order of tables and legends. */
  readonly arms: Readonly<Record<string, Arm>>;
  readonly seeds: readonly number[];
  /** By name: all runs of the plan once for each, with these parts laid over them. */
  readonly overrides?: Readonly<Record<string, Override>>;
  /** Arms whose epochs to 99 % are tested against `none` as one family; default: logit, attention, feature. */
  readonly family?: readonly string[];
}

/** One run of a plan; its teachers are runs of the same seed that must be finished first. */
export interface PlannedRun {
  /** Name of the teacher (`"teacher"` for the first) or of the arm. */
  readonly name: string;
  readonly role: 'teacher' | 'student' | 'control';
  readonly seed: number;
  /** Name of the override, in plans that have some. */
  readonly override?: string;
  /** Without `teachers`: they are named by what their runs come to. */
  readonly experiment: Experiment;
  /** Teacher's name in the experiment → name of the planned run. */
  readonly needs: Readonly<Record<string, string>>;
}

/** The runs of a plan, in an order in which teachers come before their students. */
export function expandPlan(plan: Plan): readonly PlannedRun[] {
  const overrides: readonly (readonly [string | undefined, Override])[] =
    plan.overrides === undefined ? [[undefined, {}]] : Object.entries(plan.overrides);
  return overrides.flatMap(([override, parts]) => {
    const laid = override === undefined ? plan : overridden(plan, parts);
    const named = override === undefined ? {} : { override };
    return plan.seeds.flatMap((seed) => [
      ...teacherNames(plan).map((name) => {
        const experiment = teacherPart(laid, seed, name);
        return { ...named, name, role: 'teacher' as const, seed, experiment, needs: {} };
      }),
      ...Object.keys(plan.arms).map((name) => {
        const experiment = armPart(laid, name, seed);
        const control = isControl(experiment);
        const role = control ? ('control' as const) : ('student' as const);
        const needs = control ? {} : (plan.arms[name]!.teachers ?? { teacher: 'teacher' });
        return { ...named, name, role, seed, experiment, needs };
      }),
    ]);
  });
}

/** Names of a plan's teachers, `"teacher"` first. */
export function teacherNames(plan: Plan): readonly string[] {
  return ['teacher', ...Object.keys(plan.teachers ?? {})];
}

/** What a planned run is called on the command line: `logit@3`, `low-wd/logit@3` under an override. */
export function keyOf({
  name,
  seed,
  override,
}: Pick<PlannedRun, 'name' | 'seed' | 'override'>): string {
  return `${override === undefined ? '' : `${override}/`}${name}@${seed}`;
}

/** A teacher's experiment for a seed. @throws InputError on an unknown teacher. */
export function teacherPart(plan: Plan, seed: number, name = 'teacher'): Experiment {
  if (!teacherNames(plan).includes(name)) throw unknownName('teacher', name, teacherNames(plan));
  return complete(merge(plan.shared, plan.teacher, plan.teachers?.[name]), seed);
}

/** The experiment of an arm for a seed, teachers left out. @throws InputError on an unknown arm. */
export function armPart(plan: Plan, arm: string, seed: number): Experiment {
  const part = plan.arms[arm];
  if (part === undefined) throw unknownName('arm', arm, Object.keys(plan.arms));
  const { teachers: _, ...own } = part;
  return complete(merge(plan.shared, plan.student, own), seed);
}

/** The experiment with its teachers named by their runs. */
export function withTeachers(
  experiment: Experiment,
  teachers: Readonly<Record<string, TeacherRef>>,
): Experiment {
  return Object.keys(teachers).length === 0 ? experiment : { ...experiment, teachers };
}

/** True when nothing but hard labels makes the loss. */
export function isControl(experiment: { readonly objective?: readonly TermUse[] }): boolean {
  return (experiment.objective ?? []).every((term) => term.use === 'hard');
}

function overridden(plan: Plan, { shared, teacher, student }: Override): Plan {
  return {
    ...plan,
    shared: merge(plan.shared, shared),
    teacher: merge(plan.teacher, teacher),
    student: merge(plan.student, student),
  };
}

function complete(part: JsonObject, seed: number): Experiment {
  // Its keys were checked; its values are checked as a whole when the run is composed.
  return { ...part, seed: seed as Json } as unknown as Experiment;
}
