/** A failing suite must say what was expected and why, so every expectation has a message. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor } from 'oxc-parser';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('../src/', import.meta.url));

/** Lines of `expect(value)` without a message. */
function silentLines(file: string): readonly string[] {
  const text = readFileSync(folder + file, 'utf8');
  const { program } = parseSync(file, text);
  const found: string[] = [];
  new Visitor({
    CallExpression({ callee, arguments: given, start }) {
      if (callee.type !== 'Identifier' || callee.name !== 'expect' || given.length > 1) return;
      found.push(`${file}:${text.slice(0, start).split('\n').length}`);
    },
  }).visit(program);
  return found;
}

test('every expectation of a suite has a message', () => {
  // Catches: a bare `expected false to be true`, which makes an author read the suite's source.
  const files = readdirSync(folder).filter((name) => /^[\w-]+\.ts$/.test(name));
  expect(files).toContain('strategy-suite.ts');
  expect(files.flatMap(silentLines)).toEqual([]);
});
