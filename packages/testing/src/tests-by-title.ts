/** Tests as data: functions of the subject by title, so that a suite is a list of them. */
import { it, type TestContext } from 'vitest';

/** The tests of a suite by title. */
export type Tests<T> = Readonly<
  Record<string, (subject: T, context: TestContext) => void | Promise<void>>
>;

/** Registers tests; the subject is requested when a test starts, after `beforeAll`. */
export function registerTests<T>(tests: Tests<T>, subject: () => T): void {
  for (const [title, test] of Object.entries(tests))
    it(title, (context) => test(subject(), context));
}
