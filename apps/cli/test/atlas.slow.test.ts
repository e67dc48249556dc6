/** `atlas.html` in Chromium, opened from the disk: every figure is drawn from its data, and nothing is asked of a network. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium } from '../../../scripts/chromium.mjs';
import { atlasPlan, type Bench, bench } from './helpers.js';

const executablePath = findChromium();

describe.skipIf(executablePath === undefined)('atlas.html (skipped without Chromium)', () => {
  let world: Bench;
  let browser: Browser;
  let ids: readonly string[];
  beforeAll(async () => {
    world = bench({ GROK_BACKEND: 'wasm' });
    writeFileSync(join(world.dir, 'plan.json'), JSON.stringify({ ...atlasPlan, seeds: [0, 1] }));
    const flags = ['--out', 'study', '--quiet', '--executor', 'inline'];
    expect(await world.grok('study', 'run', 'plan.json', ...flags)).toMatchObject({ code: 0 });
    const { figures } = (await world.grok('atlas', 'study', '--json', '--quiet')).json<{
      figures: { id: string }[];
    }>();
    ids = figures.map(({ id }) => id);
    browser = await chromium.launch(executablePath === undefined ? {} : { executablePath });
  }, 600_000);
  afterAll(async () => {
    await browser.close();
    world.remove();
  });

  /** The page as it is when every figure is drawn, and what it said and asked for. */
  async function open(colorScheme: 'light' | 'dark', width: number): Promise<[Page, string[]]> {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
    const faults: string[] = [];
    page.on('console', (message) => faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (!/^(file|data):/.test(request.url())) faults.push(request.url());
    });
    await page.goto(pathToFileURL(join(world.dir, 'study/atlas.html')).href);
    await page.waitForFunction(() =>
      [...document.querySelectorAll('figure')].every(({ dataset }) => dataset.drawn === 'true'),
    );
    return [page, faults];
  }

  it.each([
    ['light', 1200],
    ['dark', 390],
  ] as const)('shows every figure, %s and %i pixels wide', async (colorScheme, width) => {
    // Catches: an empty drawing, a style or script from elsewhere, a page that scrolls sideways.
    const [page, faults] = await open(colorScheme, width);
    const drawn = await page.evaluate(() =>
      [...document.querySelectorAll('figure')].map((figure) => ({
        id: figure.id,
        marks: figure.querySelectorAll('svg .role-mark path, canvas').length,
        height: figure.querySelector('.view')?.getBoundingClientRect().height ?? 0,
      })),
    );
    expect(drawn.map(({ id }) => id)).toEqual(ids);
    for (const { id, marks, height } of drawn) {
      expect(marks, id).toBeGreaterThan(0);
      expect(height, id).toBeGreaterThan(80);
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(width);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('reads cells by pointing and by keys, and draws what is chosen', async () => {
    const [page, faults] = await open('light', 1200);
    const figure = page.locator('#activation-patching');
    await figure.locator('svg .mark-rect path').first().hover();
    await expect.poll(() => figure.locator('output').textContent()).toContain('restored: ');
    await page.locator('#cka .view').focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('#cka output').textContent()).toMatch(/hidden state: .*chance: /);
    const slider = page.locator('#weight-histograms input[type=range]');
    const before = await page.locator('#weight-histograms svg').innerHTML();
    await slider.focus();
    await page.keyboard.press('Home');
    await expect.poll(() => page.locator('#weight-histograms svg').innerHTML()).not.toBe(before);
    expect(faults).toEqual([]);
    await page.close();
  });
});
