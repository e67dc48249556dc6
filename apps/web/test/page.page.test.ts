/** The page in Chromium, as a visitor meets it: from an empty one to students that have learned. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { drop, keptFiles, openSite, overwrite, type Site, until } from './site.js';

const screens = fileURLToPath(new URL('../../../docs/screens/', import.meta.url));
/** Keeps a picture where pictures were asked for: `GROK_SCREENS=1`. */
async function picture(page: Page, name: string): Promise<void> {
  if (!process.env.GROK_SCREENS) return;
  mkdirSync(screens, { recursive: true });
  await page.screenshot({ path: `${screens}${name}.png`, fullPage: true });
}
const cell = async (page: Page, run: string, what: string): Promise<string> =>
  (await page.locator(`[data-run=${run}] [data-cell=${what}]`).textContent())!;
const epoch = async (page: Page, run: string): Promise<number> =>
  Number.parseInt(await cell(page, run, 'epoch'), 10);
/** Waits for an epoch to be over. */
const reach = (page: Page, run: string, wanted: number): Promise<unknown> =>
  page.waitForFunction(
    ([name, at]) =>
      Number.parseInt(
        document.querySelector(`[data-run=${name}] [data-cell=epoch]`)!.textContent!,
        10,
      ) >= Number(at),
    [run, wanted] as const,
    { timeout: 600_000 },
  );
/** How many pixels of a chart are not empty. */
const inked = (page: Page, chart: string): Promise<number> =>
  page.locator(`[data-chart=${chart}] canvas`).evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i]! > 0) count++;
    return count;
  });

/** Labels in pictures that are smaller than 11 px on the screen. */
const smallLabels = (page: Page): Promise<readonly string[]> =>
  page.locator('.inside svg text').evaluateAll((labels) =>
    labels.flatMap((label) => {
      if (!(label instanceof SVGGraphicsElement)) return [];
      const size = Number.parseFloat(getComputedStyle(label).fontSize);
      const pixels = size * (label.getScreenCTM()?.a ?? 0);
      return pixels < 11 ? [`${label.textContent}: ${pixels}`] : [];
    }),
  );
/** True for what can be seen without scrolling. */
const isOnScreen = async (what: Locator): Promise<boolean> => {
  const box = await what.boundingBox();
  const height = what.page().viewportSize()?.height ?? 0;
  return box !== null && box.y >= 0 && box.y + box.height <= height;
};
/** True where all images have loaded. */
const areDrawn = (images: Element[]): boolean =>
  images.every((image) => image instanceof HTMLImageElement && image.naturalWidth > 100);

describe.skipIf(inject('chromium') === '')('the page (skipped without Chromium)', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
  }, 120_000);
  afterAll(() => site?.close());

  const sizes = [
    { name: 'desktop', width: 1280, height: 900, dark: false },
    { name: 'phone', width: 390, height: 844, dark: true },
  ];
  // Catches: a page that shows nothing, curves without data, pictures that never come, a foreign host.
  it.each(sizes)(
    'shows a student grok ($name)',
    { timeout: 900_000 },
    async ({ name, ...size }) => {
      const { page, url, faults, close } = await site.visit(size);
      await page.goto(url);
      await page.waitForSelector('select[name=backend] option:nth-child(2)', { state: 'attached' });
      expect(await page.locator('h1').textContent()).toBe('Watch it grok');
      expect(await page.locator('.controls').count()).toBe(0);
      expect(await page.locator('tbody tr').count()).toBe(5);
      expect(await cell(page, 'feature', 'validation')).toBe('–');
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0);
      const empty = await inked(page, 'accuracy');
      await picture(page, `before-${name}`);

      for (const arm of ['none', 'logit', 'attention']) await page.uncheck(`[name=arm-${arm}]`);
      expect(await page.inputValue('[name=teacherEpochs]')).toBe('150');
      expect(await page.inputValue('[name=studentEpochs]')).toBe('250');
      await page.getByRole('button', { name: 'Start' }).click();
      // What goes on is said at once, and the bar moves.
      await page.waitForSelector('[data-status=starting]');
      expect(await page.locator('progress').getAttribute('value')).toBeNull();
      await until(page, 'training');
      expect(await page.locator('tbody tr').count()).toBe(2);
      expect(await epoch(page, 'teacher')).toBe(150);
      await reach(page, 'feature', 40);
      await page.waitForSelector('[data-picture=embedding] svg[data-points="23"]');
      expect(await page.locator('[data-picture=spectrum] svg').getAttribute('data-bars')).toBe(
        '11',
      );
      expect(await page.locator('[data-picture=attention] svg[data-cells="16"]').count()).toBe(2);
      expect(await page.locator('[data-status]').textContent()).toMatch(
        /^Training the feature student: epoch \d+ of 250$/,
      );
      expect(await inked(page, 'accuracy')).toBeGreaterThan(empty + 200);
      expect(await inked(page, 'loss')).toBeGreaterThan(200);
      const small = await smallLabels(page);
      expect(small).toEqual([]);
      await picture(page, `while-${name}`);

      await until(page, 'finished');
      expect(await epoch(page, 'feature')).toBe(250);
      expect(Number(await cell(page, 'feature', 'validation'))).toBeGreaterThan(90);
      expect(Number(await cell(page, 'feature', 'to99'))).toBeGreaterThan(1);
      await page.waitForFunction(() =>
        document.querySelector('.inside .muted')!.textContent!.endsWith(' 250'),
      );
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0);
      // The figures of the report, in place of the live charts.
      await page.waitForSelector('[data-figure=figure-1] img');
      expect(await page.locator('[data-figure] img').evaluateAll(areDrawn)).toBe(true);
      expect(await page.locator('[data-chart]').count()).toBe(0);
      await picture(page, `after-${name}`);
      // Catches: a teacher that was trained before, and waits for its second epoch for ever.
      await page.locator('[data-run=teacher] input').click();
      await page.waitForFunction(() =>
        document.querySelector('.inside .muted')!.textContent!.endsWith('as of epoch 150'),
      );
      await page.waitForSelector('[data-picture=embedding] svg[data-points="23"]');
      expect(faults).toEqual([]);
      await close();
    },
  );

  // Catches: a library that creeps into what everybody loads, and a runtime that loads unasked.
  it('shows itself in less than 1 MB', async () => {
    const { page, url, sent, close } = await site.visit();
    await page.addInitScript(() =>
      Object.defineProperty(navigator, 'serviceWorker', { value: undefined }),
    );
    await page.goto(url);
    await page.waitForSelector('select[name=backend] option:nth-child(2)', { state: 'attached' });
    const total = [...sent.values()].reduce((sum, bytes) => sum + bytes, 0);
    expect(total).toBeLessThan(1e6);
    expect([...sent.keys()].filter((path) => /wasm|ort/.test(path))).toEqual([]);
    await page.getByRole('button', { name: 'Start' }).click();
    await until(page, 'training');
    expect([...sent.keys()].some((path) => path.endsWith('.wasm'))).toBe(true);
    if (process.env.GROK_SCREENS)
      console.info(
        `first sight ${total} bytes\n${[...sent].map((entry) => entry.join(' ')).join('\n')}`,
      );
    await close();
  });

  // Catches: a form that only a mouse can use, and a key that types into it.
  it('can be used with a keyboard alone', async () => {
    const { page, url, close } = await site.visit();
    await page.goto(url);
    await page.locator('select[name=preset]').focus();
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate(() => document.activeElement?.textContent)) === 'Start') break;
    }
    await page.keyboard.press('Enter');
    await until(page, 'training');
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.press('Space');
    await until(page, 'paused');
    await page.keyboard.press('Space');
    await until(page, 'training');
    await close();
  });

  // Catches: bad input that is swallowed, or that leaves a study behind.
  it('says what is wrong with what is dropped on it', async () => {
    const { page, url, faults, close } = await site.visit();
    await page.goto(url);
    const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
    const alert = page.getByRole('alert');
    await drop(page, [{ name: 'x.json', bytes: new TextEncoder().encode('{') }]);
    await expect.poll(() => alert.textContent()).toMatch(/^x\.json: must be JSON/);
    await drop(page, [{ name: 'x.json', bytes: bytes({ a: 1 }) }]);
    await expect.poll(() => alert.textContent()).toMatch(/^x\.json: .*unknown key "a"/);
    const experiment = {
      task: { use: 'dvi' },
      model: { use: 'transformer' },
      optimizer: { use: 'adamw' },
    };
    await drop(page, [
      {
        name: 'x.json',
        bytes: bytes({ experiment: { ...experiment, batch: 8, epochs: 1, seed: 0 } }),
      },
    ]);
    await expect.poll(() => alert.textContent()).toMatch(/"dvi".*div/);
    expect(await page.locator('.kept').count()).toBe(0);
    expect(faults).toEqual([]);
    await close();
  });

  // Catches: a message above the window, fields that are locked by what could not be started.
  it('says beside the form what cannot be started, and leaves it free', async () => {
    const { page, url, faults, close } = await site.visit();
    await page.goto(url);
    await page.selectOption('[name=op]', 'div');
    await page.fill('[name=p]', '12');
    await page.getByRole('button', { name: 'Start' }).click();
    const alert = page.locator('.setup').getByRole('alert');
    await expect.poll(() => alert.textContent()).toMatch(/prime.*12/);
    expect(await isOnScreen(alert)).toBe(true);
    expect(await page.locator('fieldset:disabled').count()).toBe(0);
    expect(await page.locator('.kept').count()).toBe(0);
    await page.fill('[name=p]', '13');
    await page.fill('[name=teacherEpochs]', '2');
    await page.getByRole('button', { name: 'Start' }).click();
    await until(page, 'training');
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(faults).toEqual([]);
    await close();
  });

  // Catches: one bad line that empties the list, and a run that is lost without a word.
  it('names what is damaged, and shows the rest', async () => {
    const { page, url, faults, close } = await site.visit();
    await page.goto(url);
    const specs = [7, 11].map((p) => ({
      experiment: {
        task: { use: 'add', options: { p } },
        model: { use: 'transformer', options: { dim: 8, depth: 1, heads: 1 } },
        optimizer: { use: 'adamw' },
        ...{ batch: 16, epochs: 2, seed: 1 },
      },
    }));
    for (const spec of specs) {
      const bytes = new TextEncoder().encode(JSON.stringify(spec));
      await drop(page, [{ name: 'spec.json', bytes }]);
      await until(page, 'finished');
      await page.getByRole('button', { name: 'New' }).click();
    }
    const files = await keptFiles(page);
    const metrics = files.find((path) => /^add7-.*metrics\.jsonl$/.test(path))!;
    for (const path of [metrics, 'other/plan.json']) await overwrite(page, path, '{}\n');
    await page.reload();
    const kept = page.locator('.kept li');
    await expect.poll(() => kept.count()).toBe(3);
    const readText = async (part: string) => kept.filter({ hasText: part }).first().textContent();
    expect(await readText('add11-')).toMatch(/finished/);
    expect(await readText('add7-')).toMatch(/metrics\.jsonl: line 1: /);
    expect(await readText('other')).toMatch(/cannot be read.*other\/plan\.json: /);
    await kept.filter({ hasText: 'add7-' }).getByRole('button').first().click();
    await expect
      .poll(() => page.locator('.runs .damage').textContent())
      .toMatch(/metrics\.jsonl: line 1: /);
    await kept.filter({ hasText: 'add11-' }).getByRole('button').first().click();
    await until(page, 'finished');
    await page.waitForSelector('[data-figure=figure-1-teacher] img');
    expect(faults).toEqual([]);
    await close();
  });

  // Catches: a run that fails without a word, or stops the page.
  it('names a run that failed, and tries it again when asked', async () => {
    const { page, url, faults, close } = await site.visit();
    await page.goto(url);
    const experiment = {
      task: { use: 'add', options: { p: 7 } },
      model: { use: 'transformer', options: { dim: 8, depth: 1, heads: 1 } },
      optimizer: { use: 'adamw', options: { learningRate: 1e30 } },
      ...{ batch: 16, epochs: 4, seed: 1 },
    };
    const bytes = new TextEncoder().encode(JSON.stringify({ experiment }));
    await drop(page, [{ name: 'spec.json', bytes }]);
    await until(page, 'failed');
    expect(await page.textContent('.runs .damage')).toMatch(/lower learning rate/);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.waitForSelector('[data-status=starting]');
    await until(page, 'failed');
    expect(faults).toEqual([]);
    await close();
  });

  // Catches: a policy that is absent, that lets text run as code, or lets the page ask elsewhere.
  it('runs nothing and loads nothing that is not the site’s own', async () => {
    const { page, url, close } = await site.visit();
    await page.goto(url);
    const refused = await page.evaluate(async () => {
      const events: string[] = [];
      addEventListener('securitypolicyviolation', (event) => events.push(event.effectiveDirective));
      const script = document.createElement('script');
      script.textContent = 'document.title = "run"';
      document.body.append(script);
      document.body.insertAdjacentHTML('beforeend', '<b style="color:red">x</b>');
      await fetch('https://example.invalid/').catch(() => undefined);
      await new Promise((done) => setTimeout(done, 100));
      return { events: events.sort(), title: document.title };
    });
    expect(refused).toEqual({
      events: ['connect-src', 'script-src-elem', 'style-src-attr'],
      title: 'Watch it grok',
    });
    await close();
  });

  // Catches: a file that the service worker forgot, such as the runtime's binary.
  it('works without a network after the first visit', async () => {
    const { page, context, url, faults, close } = await site.visit();
    await page.goto(url);
    const missing = () =>
      page.evaluate(async () => {
        const cache = await caches.open('grok');
        const list = (await (await fetch('offline.json')).json()) as string[];
        const kept = await Promise.all(list.map((file) => cache.match(file)));
        return list.filter((_, i) => kept[i] === undefined);
      });
    await expect.poll(missing, { timeout: 60_000 }).toEqual([]);
    await context.setOffline(true);
    await page.reload();
    await page.getByRole('button', { name: 'Start' }).click();
    await until(page, 'training');
    expect(faults.filter((fault) => !fault.includes('ERR_INTERNET_DISCONNECTED'))).toEqual([]);
    await close();
  });

  // Catches: a host without headers that leaves the page on one thread for ever, or without a backend.
  it('needs no headers, and isolates itself from the second visit on', async () => {
    const { page, url, close } = await site.visit({ isolated: false });
    await page.goto(url);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    await page.getByRole('button', { name: 'Start' }).click();
    await until(page, 'training');
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await page.reload();
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await close();
  });
});
