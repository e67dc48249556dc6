/** Runs that move: through a pause and a reload, from the page to Node, and from Node to the page. */
import onnx from '@grok/backend-onnx';
import {
  createRegistry,
  evaluateRun,
  type Manifest,
  memoryStore,
  readManifest,
  readMetrics,
  type Store,
  startRun,
} from '@grok/core';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { downloadRuns, drop, openSite, type Site, unpacked, until, type Visit } from './site.js';

const experiment = {
  task: { use: 'div', options: { p: 13 } },
  model: { use: 'transformer', options: { dim: 16, depth: 2, heads: 1, dropout: 0.2 } },
  optimizer: { use: 'adamw', options: { learningRate: 1e-3, weightDecay: 1, warmup: 10 } },
  batch: 16,
  epochs: 60,
  seed: 42,
};
const spec = { name: 'spec.json', bytes: new TextEncoder().encode(JSON.stringify({ experiment })) };
const registry = createRegistry([data, model, optim, onnx]);

async function manifestPath(visit: Visit): Promise<Manifest> {
  return (await readManifest(await unpacked(await downloadRuns(visit.page))))!;
}

describe.skipIf(inject('chromium') === '')('runs that move (skipped without Chromium)', () => {
  let site: Site;
  let whole: { manifest: Manifest; store: Store };
  beforeAll(async () => {
    site = await openSite();
    const { page, url, close } = await site.visit();
    await page.goto(url);
    await drop(page, [spec]);
    await until(page, 'finished');
    const store = await unpacked(await downloadRuns(page));
    whole = { store, manifest: (await readManifest(store))! };
    await close();
  }, 300_000);
  afterAll(() => site?.close());

  // Catches: a stream, a batch or an optimizer's moment that a reload begins anew.
  it('ends in the same bits after a pause, a reload, and a tab that was closed while it trained', async () => {
    const visit = await site.visit();
    const { page, context, url, faults } = visit;
    await page.goto(url);
    await drop(page, [spec]);
    await until(page, 'training');
    await page.getByRole('button', { name: 'Pause' }).click();
    await until(page, 'paused');
    await page.reload();
    await until(page, 'paused');
    await page.getByRole('button', { name: 'Resume' }).click();
    await until(page, 'training');
    await page.waitForFunction(() => {
      const [epoch, of] = document.querySelector('[data-cell=epoch]')!.textContent!.split('/');
      return Number(epoch) > 10 && Number(epoch) < Number(of);
    });
    const closing = await context.newPage();
    await page.close();
    await closing.goto(url);
    await until(closing, 'paused');
    await closing.getByRole('button', { name: 'Resume' }).click();
    await until(closing, 'finished');
    const end = await manifestPath({ ...visit, page: closing });
    expect(end.paramsSha256).toBe(whole.manifest.paramsSha256);
    // Catches: a picture of the study that was opened, which sizes the pool of threads for what goes on.
    expect(end.device).toBe(whole.manifest.device);
    expect(faults).toEqual([]);
    await visit.close();
  });

  // Catches: a checkpoint, a hash or a number that Node reads otherwise than the browser wrote it.
  it('opens in Node as the page left it', async () => {
    const { store, manifest } = whole;
    expect(manifest).toMatchObject({ status: 'finished', epoch: 60, backend: 'onnx' });
    expect(manifest.device).toContain('onnxruntime-web');
    const last = (await readMetrics(store)).at(-1)!;
    const score = await evaluateRun({ registry, store }, 'validation', { threads: 1 });
    expect(score.accuracy).toBe(last.validation.accuracy);
    expect(score.loss).toBeCloseTo(last.validation.loss, 4);
  });

  // Catches: the other direction; and a trace that leaves Node's for another reason than rounding.
  it('goes on in the page from where Node stopped it, and learns as Node does', async () => {
    const stopped = memoryStore();
    const controller = new AbortController();
    const half = await startRun(
      { experiment, execution: { backend: 'onnx', threads: 1, checkpointEvery: 10 } },
      {
        registry,
        store: stopped,
        signal: controller.signal,
        listeners: [
          (event) => {
            if (event.type === 'epoch' && event.row.epoch === 20) controller.abort();
          },
        ],
      },
    );
    expect(half.status).toBe('interrupted');
    const files: Record<string, Uint8Array> = {};
    for (const folder of ['', 'checkpoints'])
      for (const name of await stopped.list(folder)) {
        const path = folder === '' ? name : `${folder}/${name}`;
        files[path] = (await stopped.read(path))!;
      }
    const { page, url, faults, close } = await site.visit();
    await page.goto(url);
    await drop(page, [{ name: 'run.zip', bytes: zipSync(files) }]);
    await until(page, 'paused');
    expect(await page.textContent('[data-cell=epoch]')).toBe('20 / 60');
    await page.getByRole('button', { name: 'Resume' }).click();
    await until(page, 'finished');
    const store = await unpacked(await downloadRuns(page));
    const rows = await readMetrics(store);
    expect(rows.map((row) => row.epoch)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    const own = await readMetrics(whole.store);
    // 5 steps an epoch: ten epochs are the first 50 steps.
    for (const [i, row] of half.history.slice(0, 10).entries())
      expect(Math.abs(row.train.loss / own[i]!.train.loss - 1)).toBeLessThan(1e-3);
    expect(faults).toEqual([]);
    await close();
  });
});
