/** Loss and accuracy from logits, in float64. */
import { type HostArray, InputError } from '@grok/core';
import type { Score } from '@grok/core/internal';

/**
 * Mean cross-entropy (nats) and accuracy (0–1). @param logits `[rows, classes]` @param labels class of each row
 * @throws InputError if the numbers of rows differ or are 0.
 */
export function scoreLogits(logits: HostArray, labels: ArrayLike<number>): Score {
  const [rows = 0, classes = 0] = logits.shape;
  if (rows === 0 || rows !== labels.length)
    throw new InputError(
      `score: logits have ${rows} rows, labels ${labels.length}; both numbers must be equal`,
    );
  let loss = 0;
  let right = 0;
  for (let i = 0; i < rows; i++) {
    const row = Float64Array.from(logits.data.subarray(i * classes, (i + 1) * classes));
    const label = labels[i]!;
    const most = Math.max(...row);
    const sum = row.reduce((total, value) => total + Math.exp(value - most), 0);
    loss += Math.log(sum) + most - row[label]!;
    if (row.indexOf(most) === label) right++;
  }
  return { loss: loss / rows, accuracy: right / rows };
}
