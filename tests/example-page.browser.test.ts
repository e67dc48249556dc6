/** What the gallery's page does, in a browser. */
import { expect, test } from 'vitest';
import { teachAndLearn } from '../examples/gallery/plain.js';

test('a page teaches and learns (catches: an example that only Node can run)', async () => {
  const heard: string[] = [];
  const history = await teachAndLearn((line) => heard.push(line));
  expect(heard).toHaveLength(10);
  expect(history.at(-1)?.terms.logit).toBeLessThan(history[0]!.terms.logit!);
});
