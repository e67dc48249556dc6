/**
 * The paper's control grokking in Node and in the page: `npm run test:slow -- band` (ten minutes; one
 * thread each).
 */
import { readFileSync } from 'node:fs';
import onnx from '@grok/backend-onnx';
import { createRegistry, memoryStore, startRun } from '@grok/core';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';
import type { Plan } from '@grok/study';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { drop, openSite, type Site } from './site.js';

const NODE_SEEDS = [0, 1, 2, 3, 4];
// One of Node’s: what is compared is where it trains, not how its seed draws.
const PAGE_SEED = 0;
/** Where all seeds have been at 99 %; a run ends as soon as it is there. */
const EPOCHS = 300;
/** Epochs that the page may be outside of Node's seeds. */
const BESIDE = 10;

const paper = JSON.parse(
  readFileSync(new URL('../../cli/presets/paper.json', import.meta.url), 'utf8'),
) as Plan;
const controlExperiment = (seed: number) => ({
  ...(paper.shared as object),
  ...(paper.student as object),
  ...(paper.arms.none as object),
  epochs: EPOCHS,
  seed,
});

/** First epoch at 99 % validation accuracy in Node, on one thread. */
async function epochsInNode(seed: number): Promise<number | undefined> {
  const there = new AbortController();
  let found: number | undefined;
  await startRun(
    { experiment: controlExperiment(seed), execution: { backend: 'onnx', threads: 1 } },
    {
      registry: createRegistry([data, model, optim, onnx]),
      store: memoryStore(),
      signal: there.signal,
      listeners: [
        (event) => {
          if (event.type !== 'epoch' || event.row.validation.accuracy < 0.99) return;
          found ??= event.row.epoch;
          there.abort();
        },
      ],
    },
  );
  return found;
}

describe.skipIf(inject('chromium') === '')('the same training (skipped without Chromium)', () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite();
  }, 120_000);
  afterAll(() => site?.close());

  // Catches: a page that trains otherwise than Node: masks, an order, an optimizer or a kernel of its own.
  it('takes the page as many epochs to 99 % as Node’s seeds take', async () => {
    const { page, url, faults, close } = await site.visit();
    await page.goto(url);
    const spec = JSON.stringify({ experiment: controlExperiment(PAGE_SEED) });
    await drop(page, [{ name: 'spec.json', bytes: new TextEncoder().encode(spec) }]);
    const cell = page.locator('[data-cell=to99]');
    await expect
      .poll(() => cell.textContent(), { timeout: 900_000, interval: 500 })
      .toMatch(/^\d+$/);
    const inPage = Number(await cell.textContent());
    expect(faults).toEqual([]);
    await close();

    const inNode: (number | undefined)[] = [];
    for (const seed of NODE_SEEDS) inNode.push(await epochsInNode(seed));
    console.info(`epochs to 99 %: page ${inPage} (seed ${PAGE_SEED}), Node ${inNode.join(', ')}`);
    expect(inNode).not.toContain(undefined);
    expect(inPage).toBeGreaterThanOrEqual(Math.min(...(inNode as number[])) - BESIDE);
    expect(inPage).toBeLessThanOrEqual(Math.max(...(inNode as number[])) + BESIDE);
  });
});
