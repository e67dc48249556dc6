/**
 * Compares rows by what they ask: a task gives each row a key (`question`) that is equal for equal
 * questions in any format. This finds validation rows of a student among a teacher's training rows,
 * and maps rows to those of a teacher of another task.
 */
import { InputError } from '../contracts/errors.js';
import { splitHash, taskHash } from '../contracts/hash.js';
import type { Experiment, HostArray, SplitRows, Task, Use } from '../contracts/types.js';
import { sizeOf } from '../tensors/params.js';
import { takeRows } from '../tensors/rows.js';

/** Keys of the given rows; a task without `question` is compared by its inputs. */
export function readQuestions(task: Task, rows: ArrayLike<number>): readonly string[] {
  const { inputs } = task;
  const size = sizeOf(inputs.shape.slice(1));
  return Array.from(rows, (row) =>
    task.question === undefined
      ? inputs.data.subarray(row * size, (row + 1) * size).join(' ')
      : task.question(row),
  );
}

/** Number of a student's validation rows that ask what its teacher was trained on. */
export function countSharedQuestions(
  teacher: { readonly task: Task; readonly train: Int32Array },
  student: { readonly task: Task; readonly validation: Int32Array },
): number {
  const seen = new Set(readQuestions(teacher.task, teacher.train));
  return readQuestions(student.task, student.validation).filter((it) => seen.has(it)).length;
}

/**
 * All rows of a student's task as inputs for a teacher of another task: the teacher's rows with the
 * same questions if it has all of them, otherwise the student's rows as they are. Errors name the
 * teacher `subject`.
 * @throws InputError when these differ in shape or type, or have tokens that the teacher does not
 * know.
 */
export function readInputsForTeacher(subject: string, student: Task, teacher: Task): HostArray {
  const rowByQuestion = new Map(
    readQuestions(teacher, [...teacher.labels.keys()]).map((it, row) => [it, row]),
  );
  const rows = readQuestions(student, [...student.labels.keys()]).map((it) =>
    rowByQuestion.get(it),
  );
  const known = rows.filter((row) => row !== undefined);
  if (known.length === rows.length) return takeRows(teacher.inputs, known);
  const [own, theirs] = [student.inputs, teacher.inputs].map(
    ({ dtype, shape }) => `${dtype} [${shape.slice(1)}]`,
  );
  const missing = `${rows.length - known.length} of this run's ${rows.length} rows are not in its own task`;
  if (own !== theirs)
    throw new InputError(
      `${subject}: ${missing}, and it cannot read them: its inputs are ${theirs}, a row here is ${own}; give the student's task the teacher's format`,
    );
  const { data } = student.inputs;
  const unknown = data instanceof Int32Array && data.find((token) => token >= teacher.vocabulary);
  if (typeof unknown === 'number')
    throw new InputError(
      `${subject}: ${missing}, and it cannot read them: token ${unknown} is outside its vocabulary of ${teacher.vocabulary}; choose a task with the same tokens`,
    );
  return student.inputs;
}

/** A task as specified, by name and options, and its split. */
export interface TaughtData {
  readonly use: Use;
  readonly written: Task;
  readonly split: SplitRows;
}

/**
 * Compares a student's data with its teacher's. Returns the rows as the teacher reads them, if it
 * is of another task, and whether it was trained on the student's validation rows. Errors name the
 * teacher `subject`.
 * @throws InputError on another task without `allowOtherTask`, rows that it cannot read, and a leak
 * without `allowLeak`.
 */
export function compareTaughtData(
  subject: string,
  teacher: TaughtData,
  student: TaughtData,
  leave: Pick<Experiment, 'allowLeak' | 'allowOtherTask'>,
): { readonly inputs?: HostArray; readonly leaked: boolean } {
  const sameTask = taskHash(teacher.written) === taskHash(student.written);
  if (!sameTask && leave.allowOtherTask !== true)
    throw new InputError(
      `${subject}: was trained on another task (${JSON.stringify(teacher.use)}, this run's is ${JSON.stringify(student.use)}); both must have the same rows and labels, unless "allowOtherTask" is true`,
    );
  const sameSplit = sameTask && splitHash(teacher.split) === splitHash(student.split);
  const shared = sameSplit
    ? 0
    : countSharedQuestions(
        { task: teacher.written, train: teacher.split.train },
        { task: student.written, validation: student.split.validation },
      );
  if (shared > 0 && leave.allowLeak !== true)
    throw new InputError(
      `${subject}: was trained on another split (on ${shared} of this run's ${student.split.validation.length} validation rows); use its split seed, or allow the leak (--allow-leak)`,
    );
  if (sameTask) return { leaked: shared > 0 };
  const inputs = readInputsForTeacher(subject, student.written, teacher.written);
  return { inputs, leaked: shared > 0 };
}
