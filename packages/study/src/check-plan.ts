/** The schema of a plan; each run is checked again as a whole after its parts are merged. */
import { InputError, isInputError, unknownName } from '@grok/core';
import {
  checkDocument,
  type DocumentKind,
  experimentPartShape,
  readDocument,
  type Shape,
  show,
  trainingPointSchema,
  z,
} from '@grok/core/internal';
import { hypothesesSchema } from './hypotheses.js';
import {
  type Arm,
  type ArmTeacher,
  expandPlan,
  type Override,
  type Part,
  type Plan,
} from './plan.js';
import { checkRuns } from './planned-runs.js';

const NAME = /^[\w.+-]+$/;
/** JavaScript objects order integer keys first, whatever the order in the JSON text. */
const NUMBER = /^\d+$/;
const title = z.string().min(1);
const part: z.ZodType<Part> = z.strictObject(experimentPartShape);
const armTeacher: z.ZodType<ArmTeacher> = z.union([
  z.string(),
  z.strictObject({ name: z.string(), at: trainingPointSchema.exactOptional() }),
]);
const arm: z.ZodType<Arm> = z.strictObject({
  ...experimentPartShape,
  teacher: armTeacher
    .exactOptional()
    .describe(
      'name of a teacher or another arm, with `at` a point of its training (default: the last)',
    ),
  teachers: z
    .record(title, armTeacher)
    .exactOptional()
    .describe('several teachers, by the names that the objective uses; `{}`: none'),
});
const override: z.ZodType<Override> = z.strictObject({
  shared: part.exactOptional(),
  teacher: part.exactOptional(),
  student: part.exactOptional(),
} satisfies Shape<Override>);

/** A map whose names are used in run keys such as `low-wd/logit@3`. */
function named<T>(what: string, value: z.ZodType<T>): z.ZodType<Readonly<Record<string, T>>> {
  return z.record(z.string(), value).superRefine((map, context) => {
    for (const name of Object.keys(map)) {
      const refuse = (rule: string): void => tell(context, [name], `the name of ${what} ${rule}`);
      if (!NAME.test(name)) refuse('may hold letters, digits, . + - _');
      else if (NUMBER.test(name)) refuse('must not be an integer (JSON would reorder it)');
    }
  });
}

function tell(context: z.RefinementCtx, path: readonly string[], message: string): void {
  const got = path.at(-1);
  const input = `${message}, got ${show(got)}`;
  context.addIssue({ code: 'custom', path: [...path], message: input, params: { told: true } });
}

/** All runs of a plan are expanded at once. */
const MOST_RUNS = 10_000;

function countRuns({ arms, teachers = {}, seeds, overrides }: Plan): number {
  const names = 1 + Object.keys(teachers).length + Object.keys(arms).length;
  return names * seeds.length * (overrides === undefined ? 1 : Object.keys(overrides).length);
}

/** A plan as written: with an optional format. */
type WrittenPlan = Plan & { readonly format?: 'grok plan 1' };
/** The schema of a plan. */
export const planSchema: z.ZodType<Plan> = z
  .strictObject({
    format: z.literal('grok plan 1').exactOptional().describe('version of the format'),
    name: z.string().regex(/^\w[\w .+-]*$/, 'must be a name of letters, digits, spaces, . + - _'),
    summary: title,
    shared: part.exactOptional(),
    teacher: part,
    teachers: named('a teacher', part).exactOptional(),
    student: part,
    arms: named('an arm', arm),
    seeds: z
      .array(z.int().min(0))
      .min(1)
      .refine((seeds) => new Set(seeds).size === seeds.length, 'must differ'),
    overrides: named('an override', override).exactOptional(),
    family: z.array(z.string()).exactOptional(),
    hypotheses: hypothesesSchema.exactOptional(),
    changes: z.array(title).exactOptional(),
  } satisfies Shape<WrittenPlan>)
  .superRefine((plan, context) => {
    const count = countRuns(plan);
    if (count > MOST_RUNS) {
      const message = `a plan must have at most ${MOST_RUNS} runs, got ${count}; use fewer seeds`;
      context.addIssue({ code: 'custom', path: ['seeds'], message, params: { told: true } });
      return;
    }
    const teachers = new Set(['teacher', ...Object.keys(plan.teachers ?? {})]);
    const arms = new Map(Object.entries(plan.arms));
    if (Object.hasOwn(plan.teachers ?? {}, 'teacher'))
      tell(context, ['teachers', 'teacher'], 'a second teacher cannot be named "teacher"');
    for (const name of arms.keys())
      if (teachers.has(name))
        tell(context, ['arms', name], 'an arm cannot have the same name as a teacher');
    const names = [...teachers, ...arms.keys()];
    for (const [name, one] of arms) checkArmTeachers(context, ['arms', name], one, names);
    for (const [i, name] of (plan.family ?? []).entries())
      checkKnown(context, ['family', String(i)], 'arm', { name, known: [...arms.keys()] });
    checkHypotheses(context, plan);
  })
  .transform(({ format: _, ...plan }): Plan => plan);

type Refinement = Parameters<typeof tell>[0];

function checkArmTeachers(
  context: Refinement,
  path: readonly string[],
  { teacher, teachers = {} }: Plan['arms'][string],
  known: readonly string[],
): void {
  if (teacher !== undefined && Object.keys(teachers).length > 0)
    tell(context, [...path, 'teacher'], 'cannot be combined with "teachers"; give one of them');
  const teacherName = (use: ArmTeacher): string => (typeof use === 'string' ? use : use.name);
  if (teacher !== undefined)
    checkKnown(context, [...path, 'teacher'], 'teacher', { name: teacherName(teacher), known });
  for (const [as, use] of Object.entries(teachers))
    checkKnown(context, [...path, 'teachers', as], 'teacher', { name: teacherName(use), known });
}

/** Arms are named as in their runs' keys, without the seed. */
function checkHypotheses(context: Refinement, { hypotheses, arms, overrides }: Plan): void {
  const known = Object.keys(arms).flatMap((arm) =>
    overrides === undefined ? [arm] : Object.keys(overrides).map((name) => `${name}/${arm}`),
  );
  for (const [i, { arm, against }] of (hypotheses?.family ?? []).entries())
    for (const [key, name] of Object.entries({ arm, against }))
      checkKnown(context, ['hypotheses', 'family', String(i), key], 'arm', { name, known });
}

function checkKnown(
  context: Refinement,
  path: readonly string[],
  what: string,
  { name, known }: { name: string; known: readonly string[] },
): void {
  if (!known.includes(name))
    context.addIssue({
      code: 'custom',
      path: [...path],
      message: unknownName(what, name, known).message,
      params: { told: true },
    });
}

const PLAN: DocumentKind<Plan> = { schema: planSchema };

/** Parses a plan from bytes. @throws InputError that names the file, the line and the key. */
export function parsePlan(bytes: Uint8Array, where: string): Plan {
  return checkOrder(readDocument(bytes, where, PLAN), where);
}

/**
 * Validates a parsed plan; with the original `text`, errors name the line.
 * @throws InputError that names `what`, on unknown keys, names and wrong types.
 */
export function checkPlan(value: unknown, what: string, text?: string): Plan {
  return checkOrder(checkDocument(value, what, PLAN, text), what);
}

/** Returns the plan. @throws InputError when arms teach each other in a cycle. */
function checkOrder(plan: Plan, what: string): Plan {
  try {
    checkRuns(expandPlan(plan));
    return plan;
  } catch (error) {
    if (!isInputError(error)) throw error;
    throw new InputError(`${what}: ${error.message}`, { cause: error });
  }
}
