/**
 * Ends a vitest run with one plain line, `N passed, N failed` (and `, N skipped` if there are any).
 * Files that fail to load, and errors outside tests, count as failures.
 */
export default class PlainReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const line = plainLine(modules, unhandledErrors);
    // Other reporters are still writing their summaries, and this line must come last.
    process.once('exit', () => process.stdout.write(`${line}\n`));
  }
}

/** The line for a run's modules, as vitest hands them to reporters. */
export function plainLine(modules, unhandledErrors = []) {
  const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
  for (const module of modules) {
    for (const test of module.children.allTests()) count[test.result().state]++;
    for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
    count.failed += module.errors().length;
  }
  // A test that never finished did not pass.
  const line = `${count.passed} passed, ${count.failed + count.pending} failed`;
  return count.skipped === 0 ? line : `${line}, ${count.skipped} skipped`;
}
