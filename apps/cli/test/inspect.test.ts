/** `grok inspect`, `grok diff`, and `train --branch`, on models that train in a moment. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InspectedRun, RunDiff } from '../src/inspect.js';
import { bench, TINY } from './helpers.js';

const world = bench();
afterAll(() => world.remove());
const four = [...TINY, '--epochs', '4', '--checkpoint-every', '1'];
beforeAll(async () => {
  await world.grok('train', ...four, '--out', 'whole');
  await world.grok('train', ...four, '--seed', '3', '--out', 'other');
}, 120_000);
const inspect = async (folder: string): Promise<InspectedRun> =>
  (await world.grok('inspect', folder, '--json')).json<never>();
const diff = async (a: string, b: string): Promise<RunDiff> =>
  (await world.grok('diff', a, b, '--json')).json<never>();

describe('inspect', () => {
  it('names every parameter and site with its shape, and checks the hash', async () => {
    const found = await inspect('whole');
    const total = found.parameters.reduce((sum, { size }) => sum + size, 0);
    // Catches: extras counted as parameters; a shape that is not the array's.
    expect(total).toBe(found.manifest.parameters);
    expect(found.parameters).toContainEqual({ name: 'embed.W_E', shape: [9, 8], size: 72 });
    expect(found.sites).toContainEqual({
      ...{ name: 'blocks.0.hook_resid_mid', shape: [4, 8], size: 32, axes: ['pos', 'd_model'] },
    });
    expect(found.checkpoint).toMatchObject({ epoch: 4, isRecorded: true });
    expect(found.checkpoint?.paramsSha256).toBe(found.manifest.paramsSha256);
    const files = readdirSync(join(world.dir, 'whole'), { recursive: true, withFileTypes: true });
    expect(found.files).toHaveLength(files.filter((entry) => entry.isFile()).length);
    const { out } = await world.grok('inspect', 'whole');
    for (const text of [found.run, 'embed.W_E', 'blocks.0.hook_resid_mid', 'config.json'])
      expect(out).toContain(text);
  });
  it('says which checkpoint it passes over, and that another hash was recorded', async () => {
    await world.grok('train', ...four, '--out', 'damaged');
    const folder = join(world.dir, 'damaged/checkpoints');
    const newest = readdirSync(folder).sort().at(-1) ?? '';
    writeFileSync(join(folder, newest), readFileSync(join(folder, newest)).subarray(0, 100));
    const { code, out, err } = await world.grok('inspect', 'damaged');
    expect(code).toBe(0);
    expect(err).toContain(`${newest} is skipped`);
    expect(out).toContain('not the one in');
  });
});

describe('diff', () => {
  it('names what differs, and nothing else', async () => {
    const found = await diff('whole', 'other');
    expect(found.experiment).toEqual([{ what: 'seed', a: '42', b: '3' }]);
    expect(found).toMatchObject({ sameRun: false, sameSplit: false, sameUntilEpoch: 0 });
    expect(found.execution).toEqual([]);
  });
  it('knows two runs of one experiment', async () => {
    await world.grok('train', ...four, '--out', 'again');
    expect(await diff('whole', 'again')).toMatchObject({
      ...{ experiment: [], sameRun: true, sameSplit: true, sameParameters: true },
      sameUntilEpoch: 4,
    });
  });
});

describe('train --branch', () => {
  it('goes on from a checkpoint, the same up to there and another run from there on', async () => {
    const parent = await inspect('whole');
    const step = Number(/step-0*(\d+)/.exec(parent.files.map(({ name }) => name).join())?.[1]);
    const { code, err } = await world.grok(
      ...['train', '--branch', `whole@${step}`, '--wd', '0', '--out', 'branch', '--quiet'],
    );
    expect([code, err]).toEqual([0, '']);
    const found = await diff('whole', 'branch');
    // Catches: a branch that starts anew, or without what was changed.
    expect(found.sameUntilEpoch).toBeGreaterThan(0);
    expect(found.sameUntilEpoch).toBeLessThan(4);
    expect(found.sameParameters).toBe(false);
    expect(found.experiment.map(({ what }) => what)).toEqual([
      ...['optimizer.options.weightDecay', 'parent.run', 'parent.paramsSha256', 'parent.step'],
    ]);
    expect((await world.grok('resume', 'branch')).code).toBe(0);
  });
  it.each([
    [['--branch', 'whole'], 'needs RUN@STEP, such as runs/teacher@900, got "whole"'],
    [['--branch', 'whole@999'], 'no checkpoint of step 999; there are'],
    [['--branch', 'none@3'], 'not a run folder'],
    [['--branch', 'whole@2', '--preset', 'paper'], 'cannot be used with'],
  ])('refuses %j and writes nothing', async (words, message) => {
    const before = world.files();
    const { code, err } = await world.grok('train', ...words);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
    expect(world.files()).toEqual(before);
  });
});
