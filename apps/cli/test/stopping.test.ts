/** Runs that stop: by Ctrl-C, by a loss that is not finite. */
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { holdStore } from '@grok/core/internal';
import { fileStore } from '@grok/core/node';
import type { RunRecord } from '@grok/study';
import { afterAll, describe, expect, it } from 'vitest';
import { bench, root, TINY } from './helpers.js';

const world = bench();
afterAll(() => world.remove());
const read = (file: string): string => readFileSync(join(world.dir, file), 'utf8');

describe('a run that stops', () => {
  const run = ['train', '--p', '7', '--dim', '8', '--epochs', '4'];
  it('exits 130 at Ctrl-C, and comes to the same parameters when resumed', async () => {
    // Catches: a stop that loses the epoch begun, or a resume that draws other numbers.
    const whole = await world.grok(...run, '--seed', '6', '--out', 'whole', '--quiet', '--json');
    const stopped = await world.stopped(
      (text) => text.includes('epoch 2/4'),
      ...run,
      '--seed',
      '6',
      '--out',
      'cut',
      '--json',
    );
    expect(stopped.code).toBe(130);
    expect(stopped.err).toContain('grok: interrupted; continue with: grok resume cut\n');
    expect(stopped.json()).toMatchObject({ status: 'interrupted', epochs: 2 });
    const other = await world.grok('resume', 'cut', '--backend', 'wasm');
    expect(other).toMatchObject({
      code: 2,
      err: expect.stringContaining('run was started with backend=onnx'),
    });
    const resumed = await world.grok('resume', 'cut', '--json');
    expect(resumed).toMatchObject({ code: 0 });
    expect(resumed.json<RunRecord>().paramsSha256).toBe(whole.json<RunRecord>().paramsSha256);
  });
  it('goes on when the same command is given again', async () => {
    // Catches: a default of this machine (threads) that contradicts what the run began with.
    const stop = (text: string): boolean => text.includes('epoch 1/4');
    const command = [...run, '--seed', '7', '--out', 'same'];
    expect(await world.stopped(stop, ...command, '--threads', '1')).toMatchObject({ code: 130 });
    expect(await world.grok(...command)).toMatchObject({ code: 0 });
  });
  it('is left alone while another process works in its folder', async () => {
    // Catches: two processes that write one history.
    await world.grok(...run, '--seed', '8', '--out', 'held');
    const hold = await holdStore(fileStore(join(world.dir, 'held')));
    const two = `held: in use by process ${process.pid}; wait until it ends or stop it`;
    for (const command of [
      ['resume', 'held'],
      [...run, '--seed', '8', '--out', 'held'],
    ]) {
      const refused = await world.grok(...command);
      expect(refused).toMatchObject({ code: 1, err: expect.stringContaining(two) });
    }
    await hold.release();
    expect(await world.grok('resume', 'held')).toMatchObject({ code: 0 });
    expect(readdirSync(join(world.dir, 'held')).filter((name) => /lease/.test(name))).toEqual([]);
  });
  it('finds its teacher when both were moved', async () => {
    // Catches: absolute paths in a run's folder.
    const stop = (text: string): boolean => text.includes('epoch 1/4');
    await world.grok('train', ...TINY, '--out', 'here/teacher');
    const student = [
      'distill',
      '--teacher',
      'here/teacher',
      '--strategy',
      'logit',
      '--epochs',
      '4',
    ];
    expect(await world.stopped(stop, ...student, '--out', 'here/student')).toMatchObject({
      code: 130,
    });
    cpSync(join(world.dir, 'here'), join(world.dir, 'there'), { recursive: true });
    expect(await world.grok('resume', 'there/student')).toMatchObject({ code: 0 });
  });
  it('loads no plugin that only the run’s folder names', async () => {
    // Catches: code of a downloaded run executed; an error that does not say what is missing.
    const stop = (text: string): boolean => text.includes('epoch 1/4');
    const plugin = join(root, 'examples/plugin-cosine');
    await world.grok('train', ...TINY, '--out', 'for-cosine');
    const student = ['distill', '--teacher', 'for-cosine', '--strategy', 'cosine', '--epochs', '4'];
    const named = ['--plugin', plugin];
    const stopped = await world.stopped(stop, ...student, ...named, '--out', 'cosine');
    expect(stopped).toMatchObject({ code: 130 });
    const forgotten = await world.grok('resume', 'cosine');
    expect(forgotten).toMatchObject({
      code: 2,
      err: expect.stringContaining(`the run was started with --plugin ${plugin}: pass it again`),
    });
    expect(await world.grok('resume', 'cosine', ...named)).toMatchObject({ code: 0 });
  });
  it('exits 1 when its loss is not finite, and says at which step', async () => {
    // Catches: NaN trained on to the end; exit code 0 or 2 for a run that failed.
    const done = await world.grok(
      ...run,
      '--lr',
      '1e30',
      '--warmup',
      '0',
      '--out',
      'nan',
      '--quiet',
      '--json',
    );
    expect(done).toMatchObject({ code: 1, out: '' });
    expect(done.err).toMatch(/^grok: step \d+: the validation loss is [^\n]+\n$/);
    expect(JSON.parse(read('nan/manifest.json'))).toMatchObject({ status: 'failed' });
  });
});
