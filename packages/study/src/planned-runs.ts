/** Planned runs: what each one trains and which runs are its teachers. They come from a plan or from a program. */
import { type Experiment, InputError, unknownName } from '@grok/core';
import { quote, type TrainingPoint } from '@grok/core/internal';

/** A required teacher: the key of its run, and the point of its training. */
export interface TeacherNeed {
  readonly key: string;
  readonly at: TrainingPoint;
}
/**
 * A run of a study. It is identified by its key until its teachers are finished, since its hash depends on
 * their parameters.
 */
export interface PlannedRun {
  /** `logit@3`, or `low-wd/logit@3` with an override. */
  readonly key: string;
  /** Name of the teacher (`"teacher"` for the first) or of the arm. */
  readonly name: string;
  readonly role: 'teacher' | 'student' | 'control';
  readonly seed: number;
  /** Name of the override, in plans with overrides. */
  readonly override?: string;
  /** Its `teachers` are filled in once their runs are finished. */
  readonly experiment: Experiment;
  /** Teachers by their names in the experiment. */
  readonly needs: Readonly<Record<string, TeacherNeed>>;
}
/** The minimal description of a planned run. */
export type RunDraft = Pick<PlannedRun, 'key' | 'experiment'> &
  Partial<Pick<PlannedRun, 'needs' | 'name' | 'role'>>;

/** Makes planned runs without a plan. @throws InputError as `checkRuns`. */
export function planRuns(drafts: readonly RunDraft[]): readonly PlannedRun[] {
  const taught = new Set(
    drafts.flatMap(({ needs = {} }) => Object.values(needs).map(({ key }) => key)),
  );
  const runs = drafts.map(({ needs = {}, ...draft }): PlannedRun => {
    const { key, experiment, name = key } = draft;
    const learns = Object.keys(needs).length > 0;
    const role = learns ? 'student' : taught.has(key) ? 'teacher' : 'control';
    return { role, ...draft, name, seed: experiment.seed, needs };
  });
  checkRuns(runs);
  return runs;
}

/**
 * Checks keys and teachers of planned runs.
 * @throws InputError on a duplicate key, a teacher that is not a run, or a cycle of teachers.
 */
export function checkRuns(runs: readonly PlannedRun[]): void {
  orderByTeachers(runs);
}

/**
 * Sorts runs so that teachers come before their students, otherwise in the given order.
 * @throws InputError as `checkRuns`.
 */
export function orderByTeachers<R extends Pick<PlannedRun, 'key' | 'needs'>>(
  runs: readonly R[],
): readonly R[] {
  const byKey = new Map(runs.map((run) => [run.key, run]));
  const ordered = new Set<R>();
  for (const run of runs) {
    if (byKey.get(run.key) !== run)
      throw new InputError(`run ${quote(run.key)}: two runs have this key; rename one of them`);
    visit(run, byKey, ordered);
  }
  return [...ordered];
}

type Linked = Pick<PlannedRun, 'key' | 'needs'>;

/** Adds a run after all of its teachers; it keeps the path in an array, since recursion would overflow the stack. */
function visit<R extends Linked>(first: R, byKey: ReadonlyMap<string, R>, ordered: Set<R>): void {
  if (ordered.has(first)) return;
  const path = [{ run: first, teachers: listTeachers(first, byKey) }];
  const open = new Set([first]);
  for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
    const { value: teacher } = last.teachers.next();
    if (teacher === undefined) {
      ordered.add(last.run);
      open.delete(last.run);
      path.pop();
    } else if (open.has(teacher)) {
      const keys = path.map(({ run }) => run.key);
      const circle = [...keys.slice(keys.indexOf(teacher.key)), teacher.key].join(' → ');
      throw new InputError(`run ${quote(teacher.key)}: its teachers form a cycle (${circle})`);
    } else if (!ordered.has(teacher)) {
      path.push({ run: teacher, teachers: listTeachers(teacher, byKey) });
      open.add(teacher);
    }
  }
}

/** The teachers of a run. @throws InputError on a teacher that is not among the runs. */
function* listTeachers<R extends Linked>(
  { key: own, needs }: R,
  byKey: ReadonlyMap<string, R>,
): Generator<R, undefined> {
  for (const [as, { key }] of Object.entries(needs)) {
    const teacher = byKey.get(key);
    if (teacher === undefined) {
      const { message } = unknownName('run', key, byKey.keys());
      throw new InputError(`run ${quote(own)}, teacher ${quote(as)}: ${message}`);
    }
    yield teacher;
  }
  return undefined;
}
