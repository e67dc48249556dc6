/** Two tabs on one study, and a browser that keeps no files. */
import { readManifest, readMetrics } from '@grok/core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { downloadRuns, drop, openSite, type Site, unpacked, until } from './site.js';

const experiment = {
  task: { use: 'div', options: { p: 13 } },
  model: { use: 'transformer', options: { dim: 16, depth: 2, heads: 1, dropout: 0.2 } },
  optimizer: { use: 'adamw', options: { learningRate: 1e-3, weightDecay: 1, warmup: 10 } },
  batch: 16,
  epochs: 60,
  seed: 42,
};
const spec = { name: 'spec.json', bytes: new TextEncoder().encode(JSON.stringify({ experiment })) };

describe.skipIf(inject('chromium') === '')('tabs (skipped without Chromium)', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
  }, 120_000);
  afterAll(() => site?.close());

  // Catches: rows that two tabs write beside each other, and a study that nobody goes on with.
  it('train a study once: the second watches, and goes on when the first is closed', async () => {
    const { page, context, url, faults, close } = await site.visit();
    await page.goto(url);
    await drop(page, [spec]);
    await until(page, 'training');
    const second = await context.newPage();
    second.on('pageerror', (error) => faults.push(error.message));
    await second.goto(url);
    await until(second, 'watching');
    expect(await second.textContent('.status')).toMatch(/^Another tab is training this\. /);
    expect(await second.getByRole('button', { name: 'Pause' }).count()).toBe(0);
    const epoch = () =>
      second.evaluate(() =>
        Number.parseInt(document.querySelector('[data-cell=epoch]')?.textContent ?? '0', 10),
      );
    const before = await epoch();
    await expect.poll(epoch, { timeout: 60_000 }).toBeGreaterThan(before + 1);
    // What another tab trains cannot be taken from under it.
    await second.getByRole('button', { name: 'Stop' }).click();
    second.on('dialog', (dialog) => void dialog.accept());
    await second.getByRole('button', { name: /^Delete/ }).click();
    await expect
      .poll(() => second.getByRole('alert').textContent())
      .toMatch(/another tab is training it/);
    await second.locator('.kept li button').first().click();
    await until(second, 'watching');
    await page.close();
    await until(second, 'training');
    await until(second, 'finished');
    const store = await unpacked(await downloadRuns(second));
    const rows = await readMetrics(store);
    expect(rows.map((row) => row.epoch)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    const moved = await readManifest(store);

    const alone = await site.visit();
    await alone.page.goto(alone.url);
    await drop(alone.page, [spec]);
    await until(alone.page, 'finished');
    const whole = await readManifest(await unpacked(await downloadRuns(alone.page)));
    expect(moved?.paramsSha256).toBe(whole?.paramsSha256);
    expect(moved?.device).toBe(whole?.device);
    expect(faults).toEqual([]);
    await alone.close();
    await close();
  });

  // Catches: a tab that goes on with what a person paused in the other.
  it('pause together', async () => {
    const { page, context, url, close } = await site.visit();
    await page.goto(url);
    await drop(page, [spec]);
    await until(page, 'training');
    const second = await context.newPage();
    await second.goto(url);
    await until(second, 'watching');
    await page.getByRole('button', { name: 'Pause' }).click();
    await until(page, 'paused');
    await until(second, 'paused');
    await second.getByRole('button', { name: 'Resume' }).click();
    await until(second, 'training');
    await page.getByRole('button', { name: 'Resume' }).click();
    await until(page, 'watching');
    await close();
  });
});

describe.skipIf(inject('chromium') === '')(
  'a browser that keeps no files (skipped without Chromium)',
  () => {
    let site: Site;
    beforeAll(async () => {
      site = await openSite();
    }, 120_000);
    afterAll(() => site?.close());

    // Catches: "createWritable is not a function", and a run that seems to be kept.
    it('trains in memory, says that nothing is kept, and hands the run out', async () => {
      const { page, context, url, faults, close } = await site.visit();
      // As in older Safari. The worker is the site's own file: it is told before its first line.
      await context.route(/assets\/worker-.*\.js$/, async (route) => {
        const answer = await route.fetch();
        const body = `FileSystemFileHandle.prototype.createWritable = undefined;\n${await answer.text()}`;
        await route.fulfill({ response: answer, body });
      });
      await page.goto(url);
      await expect
        .poll(() => page.getByRole('note').textContent())
        .toMatch(/^Nothing is saved: .*this browser can only read files here/);
      await drop(page, [spec]);
      await until(page, 'finished');
      const store = await unpacked(await downloadRuns(page));
      expect(await readMetrics(store)).toHaveLength(60);
      expect(await readManifest(store)).toMatchObject({ status: 'finished' });
      await page.reload();
      await page.getByRole('note').waitFor();
      expect(await page.locator('.kept').count()).toBe(0);
      expect(faults).toEqual([]);
      await close();
    });
  },
);
