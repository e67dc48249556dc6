/** A warning or error on the console fails the test that caused it, except for tfjs's start-up notices. */
import { afterAll, afterEach } from 'vitest';

/** Notices that tfjs prints once at start-up, unrelated to the code under test. */
const NOTICES: readonly RegExp[] = [
  /Hi, looks like you are running TensorFlow\.js in Node\.js/,
  /^Platform node has already been set/,
  /backend was already registered\. Reusing existing backend factory/,
  /^The kernel '.+' for backend '.+' is already registered/,
];

const heard: string[] = [];
const { warn, error } = console;
const originals = { warn, error };
for (const level of ['warn', 'error'] as const) {
  const write = originals[level].bind(console);
  console[level] = (...parts: unknown[]): void => {
    const text = parts.map(String).join(' ').trim();
    if (NOTICES.some((notice) => notice.test(text))) return;
    heard.push(`console.${level}: ${text}`);
    write(...parts);
  };
}

function failOnWords(): void {
  const words = heard.splice(0);
  if (words.length > 0)
    throw new Error(
      `${words.join('\n')}\nA test must be silent: mend the cause, or expect it with vi.spyOn(console, 'warn').mockImplementation(…).`,
    );
}
afterEach(failOnWords);
// Output outside any test, such as during loading. The next file shares this console.
afterAll(() => {
  Object.assign(console, originals);
  failOnWords();
});
