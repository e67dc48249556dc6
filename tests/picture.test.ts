/** The README's picture is drawn from the committed study, and its medians match the README's table. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { drawPicture, PICTURE } from '../scripts/readme-picture.mjs';
import { root } from '../scripts/release/packages.mjs';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test('the picture is up to date with npm run results:picture', () => {
  expect(read(PICTURE)).toBe(drawPicture(JSON.parse(read('docs/results/study.json'))));
  expect(read('README.md')).toContain(`](${PICTURE})`);
});

test('its medians match the table', () => {
  const medians = [...read(PICTURE).matchAll(/>99 %: (?:later than )?(\d+)</g)].map(([, n]) => n);
  const rows = read('README.md').match(/^\| (?:teacher|student|…).*$/gm) ?? [];
  expect(medians).toHaveLength(5);
  expect(rows.map((row) => row.split('|')[2]?.match(/\d+/)?.[0])).toEqual(medians);
});
