/** The code uses the field's terms: lists of names, phrases and allowed uses. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/release/packages.mjs';
import { findBadNames, findBadPhrases, words } from './words.js';

const SCRIPT = /\.[cm]?[jt]sx?$/;
const TEXT = /\.([cm]?[jt]sx?|py|html|md)$/;
/** Lists of words, generated and temporary files, and records of what was said then. */
const OTHER = /^tests\/words\/|^docs\/(api|decisions)\/|\/fixtures\/|\.timestamp-/;

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && !OTHER.test(path) && existsSync(join(root, path)))
  .filter((path) => TEXT.test(path))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

test('names are the field’s', () => {
  const code = files.filter(({ path }) => SCRIPT.test(path));
  expect(code.length).toBeGreaterThan(400);
  expect(code.some(({ path }) => path.startsWith('bench/'))).toBe(true);
  expect(code.flatMap(({ path, text }) => findBadNames(path, text))).toEqual([]);
});

test('phrases are plain', () => {
  expect(files.flatMap(({ path, text }) => findBadPhrases(path, text))).toEqual([]);
});

test('every allowed use in the list exists, with a reason', () => {
  // Catches: a list entry that outlives its use and so allows the next one.
  const without = { ...words, allowed: [] };
  for (const { name, in: places, why } of words.allowed) {
    expect(why.length, name).toBeGreaterThan(5);
    for (const place of places) {
      const own = files.filter(({ path }) => path.startsWith(place) && SCRIPT.test(path));
      const found = own.flatMap(({ path, text }) => findBadNames(path, text, without));
      expect(
        found.filter((fault) => fault.includes(`"${name}"`)),
        `${name} in ${place}`,
      ).not.toEqual([]);
    }
  }
});

test('declarations count, uses do not', () => {
  const faults = (text: string): number => findBadNames('packages/x/src/a.ts', text).length;
  expect(faults('const told = 1;')).toBe(1);
  expect(faults('function f({ a: { made } }: X, [asked = 2]: Y) {}')).toBe(2);
  expect(faults('interface A { patience: number; keep(): void }')).toBe(2);
  expect(faults('class How {}')).toBe(1);
  expect(faults('const lengthOf = (x: string) => x.length;')).toBe(1);
  expect(faults('tf.keep(tf.gather(x, y)); call({ fresh: 1 }); const partOf = 3;')).toBe(0);
  expect(findBadPhrases('a.md', 'p must be a whole number')).toHaveLength(1);
});
