/** The page stays responsive while it trains. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openSite, type Site, until } from './site.js';
import { mainThreadTasks } from './tasks.js';

/** What a visitor notices begins here, in milliseconds (https://www.w3.org/TR/longtasks-1/). */
const LONG = 50;

describe.skipIf(inject('chromium') === '')(
  'the page’s main thread (skipped without Chromium)',
  () => {
    let site: Site;
    beforeAll(async () => {
      site = await openSite();
    }, 120_000);
    afterAll(() => site?.close());

    // Catches: charts drawn for every message, rows that are copied over and over, pictures of 97 circles
    // drawn at once. `small` is seen from its start to its end; `paper` has the largest pictures.
    it.each([
      { preset: 'small', ends: 'finished' as const, seconds: 0 },
      { preset: 'paper', ends: 'training' as const, seconds: 15 },
    ])(
      'has no task of 50 ms while $preset trains',
      { timeout: 900_000 },
      async ({ preset, ends, seconds }) => {
        const { page, url, faults, close } = await site.visit();
        await page.goto(url);
        await page.selectOption('select[name=preset]', preset);
        if (preset === 'small')
          for (const arm of ['logit', 'attention']) await page.uncheck(`[name=arm-${arm}]`);
        // The main thread has a core of its own.
        if (await page.locator('[name=threads]').isEnabled())
          await page.fill('[name=threads]', '1');
        await page.evaluate(() => document.fonts.ready);
        const tasks = await mainThreadTasks(site.browser, page, async () => {
          await page.getByRole('button', { name: 'Start' }).click();
          await until(page, ends);
          await page.waitForTimeout(1e3 * seconds);
        });
        const worst = [...tasks].sort((a, b) => b.worked - a.worked);
        const clock = tasks.filter(({ took }) => took >= LONG).length;
        console.info(
          [
            `${preset}: ${tasks.length} tasks, ${clock} of ${LONG} ms by the clock; the longest`,
            ...worst
              .slice(0, 6)
              .map(
                ({ worked, took, parts, at }) =>
                  `  ${worked.toFixed(1)} ms (${took.toFixed(1)} by the clock) at ${at.toFixed(1)} s: ${parts}`,
              ),
          ].join('\n'),
        );
        expect(tasks.length).toBeGreaterThan(100);
        expect(worst[0]?.worked).toBeGreaterThan(0);
        expect(worst.filter(({ worked }) => worked >= LONG)).toEqual([]);
        expect(faults).toEqual([]);
        await close();
      },
    );
  },
);
