/** The example page in a browser. */
import { expect, test } from 'vitest';
import { teachAndLearn } from '../examples/gallery/plain.js';

test('a page trains a teacher and a student (catches: an example that only runs in Node)', async () => {
  const heard: string[] = [];
  const history = await teachAndLearn((line) => heard.push(line));
  expect(heard).toHaveLength(10);
  expect(history.at(-1)?.terms.logit).toBeLessThan(history[0]!.terms.logit!);
});
