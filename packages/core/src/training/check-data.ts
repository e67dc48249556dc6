/** Checks the training data once, when it is created: rows out of range would be read as zeros. */
import { InputError } from '../contracts/errors.js';
import type { SplitRows, Task } from '../contracts/types.js';
import { sizeOf } from '../tensors/params.js';
import { checkUpload, TYPED_ARRAYS } from '../tensors/program-io.js';

/**
 * Errors name the task `subject`.
 * @throws InputError when inputs do not fill their shape, a row has no label, or labels or tokens
 * are outside the vocabulary.
 */
export function checkTask(subject: string, { vocabulary, inputs, labels }: Task): void {
  const { data, shape, dtype } = inputs;
  if (!ArrayBuffer.isView(data) || !Array.isArray(shape) || !(dtype in TYPED_ARRAYS))
    throw new InputError(
      `${subject}: inputs must be { data, shape, dtype }: a typed array, a shape such as [rows, positions], int32 or float32`,
    );
  checkUpload(data, inputs, `${subject}: inputs`);
  checkUpload(labels, { shape: shape.slice(0, 1), dtype: 'int32' }, `${subject}: labels`);
  const check = (what: string, values: Int32Array, perRow: number): void => {
    const at = outside(values, vocabulary);
    if (at !== -1)
      throw new InputError(
        `${subject}: ${what}s must be from 0 to ${vocabulary - 1} (the vocabulary is ${vocabulary}), got ${values[at]} in row ${Math.floor(at / perRow)}`,
      );
  };
  check('label', labels, 1);
  if (data instanceof Int32Array) check('token', data, sizeOf(shape.slice(1)));
}

/** Errors name the split `subject`. @throws InputError when a part is empty, a row does not exist, or a row is in both parts. */
export function checkSplit(subject: string, split: SplitRows, rows: number): void {
  for (const what of ['train', 'validation'] as const) {
    const part = split[what];
    if (!(part instanceof Int32Array))
      throw new InputError(
        `${subject}: ${what} must be row numbers in an Int32Array, got ${(part as object | undefined)?.constructor.name}`,
      );
    if (part.length === 0)
      throw new InputError(
        `${subject}: none of the ${rows} rows are left for ${what}; change the fraction or the size of the task`,
      );
    const at = outside(part, rows);
    if (at !== -1)
      throw new InputError(
        `${subject}: ${what} rows must be from 0 to ${rows - 1} (the task has ${rows}), got ${part[at]}`,
      );
  }
  const trained = new Set(split.train);
  const leaked = split.validation.find((row) => trained.has(row));
  if (leaked !== undefined)
    throw new InputError(
      `${subject}: a row cannot be in both train and validation, got row ${leaked}; validation must be on unseen rows`,
    );
}

function outside(values: Int32Array, end: number): number {
  return values.findIndex((value) => !(value >= 0 && value < end));
}
