/**
 * A plan: many experiments as one readable JSON document. Every seed has one teacher; every arm is
 * a student of it, or a control without it. Said once: what all share, what all students share.
 */
import {
  type Experiment,
  InputError,
  type Json,
  type TeacherRef,
  type TermUse,
  unknownName,
} from '@grok/core';
import { isObject, type JsonObject, merge } from './merge.js';

/** Keys of an experiment that a part of a plan may hold; the seed comes from the plan's list. */
export const PART_KEYS: readonly string[] = [
  'task',
  'split',
  'model',
  'objective',
  'optimizer',
  'batch',
  'epochs',
  'evalEvery',
  'splitSeed',
  'probes',
  'allowLeak',
];
const PLAN_KEYS = ['name', 'summary', 'shared', 'teacher', 'student', 'arms', 'seeds'];

/** Part of an experiment: some of its keys, each as deep as wanted. */
export type Part = JsonObject;
/** Teacher, students and controls for some seeds, as JSON. */
export interface Plan {
  readonly name: string;
  /** One sentence for people. */
  readonly summary: string;
  /** What every run has. */
  readonly shared?: Part;
  readonly teacher: Part;
  /** What every student and control has. */
  readonly student: Part;
  /** By name, in the order of tables and legends. */
  readonly arms: Readonly<Record<string, Part>>;
  readonly seeds: readonly number[];
}

/** One run of a plan; its teachers are runs of the same seed that must be finished first. */
export interface PlannedRun {
  /** `"teacher"` or the arm's name. */
  readonly name: string;
  readonly seed: number;
  /** Without `teachers`: they are named by what their runs come to. */
  readonly experiment: Experiment;
  /** Teacher's name in the experiment → name of the planned run. */
  readonly needs: Readonly<Record<string, string>>;
}

/**
 * Checks a plan's outline; what is inside its parts is checked with each run.
 * @throws InputError on unknown keys and wrong types, naming `what`.
 */
export function checkPlan(value: unknown, what: string): Plan {
  const fail = (rule: string, got: unknown): never => {
    throw new InputError(`${what}: ${rule}, got ${JSON.stringify(got)}`);
  };
  const object = (key: string, at: unknown): JsonObject =>
    isObject(at) ? at : fail(`"${key}" must be an object`, at);
  const plan = isObject(value) ? value : fail('a plan must be a JSON object', value);
  for (const key of Object.keys(plan))
    if (!PLAN_KEYS.includes(key)) throw within(what, unknownName('key', key, PLAN_KEYS));
  for (const key of ['name', 'summary'])
    if (typeof plan[key] !== 'string' || plan[key] === '')
      fail(`"${key}" must be a string`, plan[key]);
  const arms = object('arms', plan.arms);
  if (arms.teacher !== undefined) fail('an arm may not be named "teacher"', arms.teacher);
  const parts = {
    shared: plan.shared ?? {},
    teacher: plan.teacher,
    student: plan.student,
    ...Object.fromEntries(Object.entries(arms).map(([name, arm]) => [`arms.${name}`, arm])),
  };
  for (const [name, part] of Object.entries(parts))
    for (const key of Object.keys(object(name, part)))
      if (!PART_KEYS.includes(key))
        throw within(`${what}: ${name}`, unknownName('key', key, PART_KEYS));
  const { seeds } = plan;
  if (!Array.isArray(seeds) || seeds.length === 0 || !seeds.every(isSeed))
    fail('"seeds" must be a list of whole numbers ≥ 0', seeds);
  if (new Set(seeds as number[]).size !== (seeds as number[]).length)
    fail('"seeds" must differ', seeds);
  return plan as unknown as Plan;
}

/** The runs of a plan, in an order in which teachers come before their students. */
export function expandPlan(plan: Plan): readonly PlannedRun[] {
  return plan.seeds.flatMap((seed) => [
    { name: 'teacher', seed, experiment: teacherPart(plan, seed), needs: {} },
    ...Object.keys(plan.arms).map((name) => {
      const experiment = armPart(plan, name, seed);
      return { name, seed, experiment, needs: isControl(experiment) ? {} : { teacher: 'teacher' } };
    }),
  ]);
}

/** The teacher's experiment for a seed. */
export function teacherPart(plan: Plan, seed: number): Experiment {
  return complete(merge(plan.shared, plan.teacher), seed);
}

/** The experiment of an arm for a seed, teachers left out. @throws InputError on an unknown arm. */
export function armPart(plan: Plan, arm: string, seed: number): Experiment {
  const part = plan.arms[arm];
  if (part === undefined) throw unknownName('arm', arm, Object.keys(plan.arms));
  return complete(merge(plan.shared, plan.student, part), seed);
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

function complete(part: JsonObject, seed: number): Experiment {
  // Its keys were checked; its values are checked as a whole when the run is composed.
  return { ...part, seed: seed as Json } as unknown as Experiment;
}

function isSeed(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function within(what: string, cause: Error): InputError {
  return new InputError(`${what}: ${cause.message}`);
}
