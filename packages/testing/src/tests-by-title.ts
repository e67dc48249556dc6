/** Tests as data: by title, each a function of what is tested, so that a suite is a list of them. */
import { it, type TestContext } from 'vitest';

/** What a suite tests, by the tests' titles. */
export type Tests<T> = Readonly<
  Record<string, (subject: T, context: TestContext) => void | Promise<void>>
>;

/** Registers tests; the subject is asked for when a test begins, after `beforeAll`. */
export function registerTests<T>(tests: Tests<T>, subject: () => T): void {
  for (const [title, test] of Object.entries(tests))
    it(title, (context) => test(subject(), context));
}
