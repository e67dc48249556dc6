/** The outline of a plan, checked: what is inside its parts is checked with each run. */
import { InputError, isInputError, unknownName } from '@grok/core';
import { isObject, type JsonObject } from './merge.js';
import type { Plan } from './plan.js';

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
  'shuffleLabels',
  'stop',
  'require',
];
const PLAN_KEYS = [
  'name',
  'summary',
  'shared',
  'teacher',
  'teachers',
  'student',
  'arms',
  'seeds',
  'overrides',
  'family',
];

/** @throws InputError on unknown keys, names and wrong types, naming `what`. */
export function checkPlan(value: unknown, what: string): Plan {
  try {
    return checked(value);
  } catch (error) {
    if (!isInputError(error)) throw error;
    throw new InputError(`${what}: ${error.message}`);
  }
}

function checked(value: unknown): Plan {
  if (!isObject(value)) return fail('a plan must be a JSON object', value);
  const plan = value;
  known('', 'key', Object.keys(plan), PLAN_KEYS);
  for (const key of ['name', 'summary'])
    if (typeof plan[key] !== 'string' || plan[key] === '')
      fail(`"${key}" must be a string`, plan[key]);
  const arms = object('arms', plan.arms);
  const teachers = object('teachers', plan.teachers ?? {});
  const overrides = object('overrides', plan.overrides ?? {});
  part('shared', plan.shared ?? {});
  part('teacher', plan.teacher);
  part('student', plan.student);
  for (const [name, own] of Object.entries(teachers)) {
    named('teacher', name);
    if (arms[name] !== undefined) fail('a teacher and an arm may not share a name', name);
    part(`teachers.${name}`, own);
  }
  for (const [name, arm] of Object.entries(arms)) {
    named('arm', name);
    const { teachers: own, ...rest } = object(`arms.${name}`, arm);
    part(`arms.${name}`, rest);
    for (const teacher of Object.values(object(`arms.${name}.teachers`, own ?? {})))
      known(`arms.${name}: `, 'teacher', [String(teacher)], ['teacher', ...Object.keys(teachers)]);
  }
  for (const [name, override] of Object.entries(overrides)) {
    named('override', name);
    const parts = object(`overrides.${name}`, override);
    known(`overrides.${name}: `, 'key', Object.keys(parts), ['shared', 'teacher', 'student']);
    for (const [key, over] of Object.entries(parts)) part(`overrides.${name}.${key}`, over);
  }
  const { seeds, family = [] } = plan;
  if (!Array.isArray(seeds) || seeds.length === 0 || !seeds.every(isSeed))
    return fail('"seeds" must be a list of whole numbers ≥ 0', seeds);
  if (new Set(seeds).size !== seeds.length) fail('"seeds" must differ', seeds);
  if (!Array.isArray(family)) return fail('"family" must be a list of arms', family);
  known('"family": ', 'arm', family.map(String), Object.keys(arms));
  return plan as unknown as Plan;
}

function fail(rule: string, got: unknown): never {
  throw new InputError(`${rule}, got ${JSON.stringify(got)}`);
}

function object(key: string, at: unknown): JsonObject {
  return isObject(at) ? at : fail(`"${key}" must be an object`, at);
}

function known(
  where: string,
  what: string,
  names: readonly string[],
  all: readonly string[],
): void {
  for (const name of names)
    if (!all.includes(name))
      throw new InputError(`${where}${unknownName(what, name, all).message}`);
}

function part(name: string, at: unknown): void {
  known(`${name}: `, 'key', Object.keys(object(name, at)), PART_KEYS);
}

/** Names stand in keys such as `low-wd/logit@3`. */
function named(what: string, name: string): void {
  if (what !== 'override' && name === 'teacher')
    fail(`an ${what === 'arm' ? 'arm' : 'extra teacher'} may not be named "teacher"`, name);
  if (!/^[\w.+-]+$/.test(name))
    fail(`the name of an ${what} may hold letters, digits, . + - _`, name);
}

function isSeed(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
