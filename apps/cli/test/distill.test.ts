/** `grok distill`: what a student inherits, how strategies are weighed, plugins, leaks. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRecord } from '@grok/study';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bench, configIn, root, TINY } from './helpers.js';

const world = bench({ GROK_BACKEND: 'wasm' });
afterAll(() => world.remove());
const config = configIn(world);

let teacher: RunRecord;
beforeAll(async () => {
  teacher = (await world.grok('train', ...TINY, '--out', 'teacher', '--json')).json();
});

describe('distill', () => {
  it('inherits nothing of what made its teacher a control', async () => {
    // Catches: a student trained on shuffled labels, or stopped where its teacher was.
    const memorized = ['--set', 'shuffleLabels=true', '--set', 'stop={"trainAccuracy":0.99}'];
    const held = ['--set', 'require={"validationAccuracy":{"atMost":1}}'];
    await world.grok('train', ...TINY, ...memorized, ...held, '--out', 'control');
    const to = ['--teacher', 'control', '--strategy', 'logit', '--out', 'of-control'];
    const done = await world.grok('distill', ...to, '--epochs', '1', '--quiet');
    expect(done).toMatchObject({ code: 0 });
    expect(config('control').experiment).toHaveProperty('stop');
    expect(Object.keys(config('of-control').experiment)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(shuffleLabels|stop|require)$/)]),
    );
  });
  it('weighs several strategies with alpha, on half the teacher', async () => {
    // Catches: alpha given to the teacher's side, a weight that was given overridden by alpha.
    const done = await world.grok(
      ...['distill', '--teacher', 'teacher', '--strategy', 'logit:temperature=4,weight=0.7'],
      ...['--strategy', 'attention:weight=0.5', '--alpha', '0.3', '--scale', '0.5'],
      ...['--epochs', '2', '--out', 'student', '--quiet', '--json'],
    );
    expect(done).toMatchObject({ code: 0, err: expect.not.stringContaining('grok:') });
    expect(config('student')).toMatchObject({
      experiment: {
        task: { use: 'div', options: { p: 7 } },
        split: { use: 'numpy' },
        model: { use: 'transformer', options: { dim: 4, depth: 2, dropout: 0.2 } },
        objective: [
          { use: 'hard', weight: 0.3 },
          { use: 'logit', weight: 0.7, options: { temperature: 4 } },
          { use: 'attention', weight: 0.5 },
        ],
        optimizer: { use: 'adamw', options: { learningRate: 1e-3, weightDecay: 1 } },
        teachers: { teacher: { run: teacher.run, paramsSha256: teacher.paramsSha256 } },
        seed: 42,
      },
      execution: { teachers: { teacher: '../teacher' } },
    });
    expect(JSON.stringify(config('student'))).not.toContain('warmup');
    expect(done.json<RunRecord>().splitHash).toBe(teacher.splitHash);
  });
  it('gives logit the rest of alpha, other strategies weight 1', async () => {
    await world.grok(
      ...['distill', '--teacher', 'teacher', '--strategy', 'logit', '--strategy', 'feature'],
      ...['--alpha', '0.7', '--epochs', '1', '--out', 'rest', '--quiet'],
    );
    expect(config('rest').experiment.objective).toEqual([
      { use: 'hard', weight: 0.7 },
      { use: 'logit', weight: 0.3 },
      { use: 'feature', weight: 1 },
    ]);
  });
  it('takes a path that is there for one, whatever its name has in it', async () => {
    // Catches: `lr=0.01,wd=1/teach` read as a teacher named "lr"; a teacher named like a member of every object.
    cpSync(join(world.dir, 'teacher'), join(world.dir, 'lr=0.01,wd=1/teach'), { recursive: true });
    const student = ['--strategy', 'logit', '--epochs', '1', '--quiet'];
    const by = (teacher: string, out: string) =>
      world.grok('distill', '--teacher', teacher, ...student, '--out', out);
    expect(await by('lr=0.01,wd=1/teach', 'by-path')).toMatchObject({ code: 0, err: '' });
    expect(Object.keys(config('by-path').experiment.teachers ?? {})).toEqual(['teacher']);
    expect((await by('constructor=teacher', 'by-name')).err).toContain(
      'needs a teacher named "teacher", the run has constructor',
    );
  });
  it('makes the control without a teacher', async () => {
    // Catches: a control whose id depends on a teacher that it never reads.
    await world.grok(
      'distill',
      '--teacher',
      'teacher',
      '--strategy',
      'none',
      '--epochs',
      '1',
      '--out',
      'none',
      '--quiet',
    );
    expect(config('none').experiment).toMatchObject({ objective: [{ use: 'hard' }] });
    expect(config('none').experiment.teachers).toBeUndefined();
  });
  it('keeps the teacher’s split when the seed is another', async () => {
    // Catches: --seed that silently leaks the teacher's training rows into validation.
    const done = await world.grok(
      'distill',
      '--teacher',
      'teacher',
      '--strategy',
      'logit',
      '--seed',
      '9',
      '--epochs',
      '1',
      '--out',
      'reseeded',
      '--quiet',
      '--json',
    );
    expect(done.json()).toMatchObject({ seed: 9, splitHash: teacher.splitHash, leaked: false });
  });
  it('takes epochs, rate and dropout from a preset that is named', async () => {
    await world.grok(
      'distill',
      '--teacher',
      'teacher',
      '--preset',
      'paper-text',
      '--strategy',
      'attention',
      '--set',
      'epochs=1',
      '--scale',
      '1',
      '--out',
      'text',
      '--quiet',
    );
    expect(config('text').experiment).toMatchObject({
      model: { options: { dim: 8 } },
      optimizer: { options: { learningRate: 5e-4 } },
    });
  });
  it('labels a leak, everywhere', async () => {
    // Catches: a leaked run that looks like any other in a table or in JSON.
    const done = await world.grok(
      'distill',
      '--teacher',
      'teacher',
      '--strategy',
      'logit',
      '--split-seed',
      '1',
      '--allow-leak',
      '--epochs',
      '1',
      '--out',
      'leaked',
      '--quiet',
      '--json',
    );
    expect(done.json()).toMatchObject({ leaked: true });
    expect(done.err).toContain('logit (leaked)');
    expect((await world.grok('runs', '.')).out).toContain('leaked (leaked)');
  });
  it('takes a strategy from a plugin, in and outside the checkout', async () => {
    // Catches: a plugin that only loads where the workspace's packages resolve.
    cpSync(join(root, 'examples/plugin-cosine'), join(world.dir, 'copied'), {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    });
    for (const [i, plugin] of [join(root, 'examples/plugin-cosine'), './copied'].entries()) {
      const done = await world.grok(
        'distill',
        '--teacher',
        'teacher',
        '--plugin',
        plugin,
        '--strategy',
        'cosine',
        '--epochs',
        '1',
        '--out',
        `cosine${i}`,
        '--quiet',
        '--json',
      );
      expect(done).toMatchObject({ code: 0 });
    }
    const forgotten = await world.grok('eval', 'cosine1', '--backend', 'wasm');
    expect(forgotten).toMatchObject({ code: 0 });
    const listed = await world.grok('plugins', '--plugin', './copied', '--json');
    expect(listed.json<{ plugins: object[] }>().plugins).toContainEqual(
      expect.objectContaining({ name: 'cosine', kind: 'strategy' }),
    );
  });
});
