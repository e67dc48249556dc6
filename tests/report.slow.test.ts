/** `report.html` in Chromium, opened from disk: it shows every figure and makes no network request. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildReport } from '@grok/report';
import { chromium } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { findChromium } from '../scripts/chromium.mjs';
import { madeUp, paper } from './made-up-study.js';

const executablePath = findChromium();
const NAMES = ['teacher', 'none', 'logit', 'attention', 'feature'];

describe.skipIf(executablePath === undefined)('report.html (skipped without Chromium)', () => {
  // Catches: an empty drawing, the clip path of another figure, an external font or script.
  it('shows every figure and table, without errors or requests', async () => {
    const runs = NAMES.flatMap((name, i) =>
      [0, 1, 2].map((seed) => madeUp({ name, seed, crossing: 80 + 9 * i + 6 * seed })),
    );
    const analyses = [0, 1, 2].map((seed) => ({ seed, file: paper }));
    const about = { title: 'A study', summary: 'Made up.', command: 'grok report DIR' };
    const { files, figures } = await buildReport({ ...about, runs, analyses });
    const folder = mkdtempSync(join(tmpdir(), 'grok-report-'));
    const browser = await chromium.launch({ executablePath: executablePath! });
    try {
      const file = join(folder, 'report.html');
      writeFileSync(file, files['report.html']!);
      const page = await browser.newPage();
      const [said, requested]: [string[], string[]] = [[], []];
      page.on('console', (message) => said.push(message.text()));
      page.on('pageerror', (error) => said.push(error.message));
      page.on('request', (request) => requested.push(request.url()));
      await page.goto(pathToFileURL(file).href);
      const overflow = await page.evaluate(() =>
        [...document.querySelectorAll('figure')].map((figure) => {
          const { width, height } = figure.querySelector('svg')!.getBoundingClientRect();
          const texts = [...figure.querySelectorAll('svg text')].map((t) => t.textContent ?? '');
          const marks = figure.querySelectorAll('svg path[d]').length;
          const caption = figure.querySelector('figcaption')!.textContent ?? '';
          return { id: figure.id, width, height, texts, marks, caption };
        }),
      );
      expect(overflow.map(({ id }) => id)).toEqual(figures.map(({ name }) => name));
      for (const { width, height, marks, caption } of overflow) {
        expect(Math.min(width, height)).toBeGreaterThan(150);
        expect(marks).toBeGreaterThan(5);
        expect(caption).toContain('3 seeds');
      }
      const [, comparison, inside] = overflow;
      // The legend has a fixed order, and axes have units.
      expect(comparison?.texts.filter((text) => NAMES.includes(text))).toEqual(NAMES);
      expect(comparison?.texts).toEqual(
        expect.arrayContaining(['epoch', 'validation accuracy (%)']),
      );
      expect(inside?.texts).toEqual(expect.arrayContaining(['attention entropy (nats)']));
      const tables = await page.locator('table').evaluateAll((all) => all.map(({ id }) => id));
      const shown = ['4.2.1', '4.3.1', '4.3.2', '4.3.3', '4.3.4', '4.4.2', 'runs', 'folders'];
      expect(tables).toEqual(shown.map((name) => `table-${name}`));
      expect(said).toEqual([]);
      expect(requested.filter((url) => !/^(file|data):/.test(url))).toEqual([]);
      // On a phone, tables scroll, the page does not.
      await page.setViewportSize({ width: 390, height: 800 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(wide).toBeLessThanOrEqual(390);
    } finally {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
