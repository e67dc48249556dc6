/** Loss and accuracy from logits, in float64. */
import { type HostArray, InputError, type Score } from '@grok/core';

/**
 * Mean cross-entropy (nats) and share of rows whose largest logit is the label's (0–1).
 * @param logits `[rows, classes]`
 * @param labels class of each row
 * @throws InputError when the numbers of rows differ or there are none.
 */
export function score(logits: HostArray, labels: ArrayLike<number>): Score {
  const [rows = 0, classes = 0] = logits.shape;
  if (rows === 0 || rows !== labels.length)
    throw new InputError(`score: logits have ${rows} rows, labels ${labels.length}; give as many`);
  let loss = 0;
  let right = 0;
  for (let i = 0; i < rows; i++) {
    const row = Float64Array.from(logits.data.subarray(i * classes, (i + 1) * classes));
    const label = labels[i]!;
    const best = row.indexOf(Math.max(...row));
    let sum = 0;
    for (const value of row) sum += Math.exp(value - row[best]!);
    loss += Math.log(sum) + row[best]! - row[label]!;
    if (best === label) right++;
  }
  return { loss: loss / rows, accuracy: right / rows };
}
