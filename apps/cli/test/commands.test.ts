/** Every command, on models that train in a moment. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRecord } from '@grok/study';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bench, root, TINY, TINY_PLAN } from './helpers.js';

const world = bench();
afterAll(() => world.remove());
const read = (file: string): string => readFileSync(join(world.dir, file), 'utf8');
interface Config {
  experiment: Record<string, unknown>;
  execution: Record<string, unknown>;
}
const config = (folder: string): Config => JSON.parse(read(`${folder}/config.json`));

let teacher: RunRecord;
beforeAll(async () => {
  const done = await world.grok('train', ...TINY, '--out', 'teacher', '--json');
  expect(done.err).not.toContain('grok:');
  teacher = done.json();
});

describe('train', () => {
  it('prints the record as one JSON object, and nothing else on stdout', async () => {
    // Catches: a table in the stream that a script parses; a missing or renamed field.
    const done = await world.grok('train', ...TINY, '--seed', '3', '--json');
    expect(done.code).toBe(0);
    expect(done.out.trim().split('\n')).toHaveLength(1);
    expect(done.json()).toMatchObject({
      run: expect.stringMatching(/^[0-9a-f]{64}$/),
      parameters: 2232,
      epochs: 2,
      epochsTo: { 0.5: null, 0.9: null, 0.95: null, 0.99: null, 0.999: null },
      finalValAccuracy: expect.any(Number),
      bestOfLast10: expect.any(Number),
      finalValLoss: expect.any(Number),
      seconds: expect.any(Number),
      secondsPerEpoch: expect.any(Number),
      peakMemoryBytes: expect.any(Number),
      splitHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      paramsSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      backend: 'onnx',
      out: expect.stringMatching(/^runs\/div7-transformer8-hard-s3-[0-9a-f]{10}$/),
    });
  });
  it('starts from the paper’s teacher, sugar on it, --set last', async () => {
    // Catches: --set overridden by sugar, the preset's warm-up lost.
    await world.grok(
      ...['train', ...TINY, '--lr', '5e-4', '--wd', '.5', '--batch', '16', '--out', 'sugar'],
      ...['--set', 'optimizer.options.learningRate=2e-3', '--set', 'execution.checkpointEvery=1'],
    );
    expect(config('sugar')).toMatchObject({
      experiment: {
        task: { use: 'div', options: { p: 7 } },
        model: { use: 'transformer', options: { dim: 8, depth: 2, heads: 1, dropout: 0.2 } },
        optimizer: { options: { learningRate: 2e-3, weightDecay: 0.5, warmup: 10 } },
        batch: 16,
        epochs: 2,
        seed: 42,
      },
      execution: { checkpointEvery: 1 },
    });
  });
  it('takes a specification, and gives its run the same id as flags do', async () => {
    // Catches: defaults filled in or execution hashed, so that equal experiments differ.
    writeFileSync(
      join(world.dir, 'spec.json'),
      JSON.stringify({ experiment: config('teacher').experiment, execution: { backend: 'wasm' } }),
    );
    const done = await world.grok(
      'train',
      '--spec',
      'spec.json',
      '--backend',
      'onnx',
      '--quiet',
      '--json',
      '--out',
      'again',
    );
    const { run, paramsSha256, backend } = done.json<RunRecord>();
    expect({ run, paramsSha256, backend }).toEqual({
      run: teacher.run,
      paramsSha256: teacher.paramsSha256,
      backend: 'onnx',
    });
  });
  it('prints the record of a run that is finished, and trains nothing', async () => {
    // Catches: a finished run trained again over its own files.
    const before = read('teacher/metrics.jsonl');
    const done = await world.grok('train', ...TINY, '--out', 'teacher', '--json');
    expect(done.code).toBe(0);
    expect(done.json()).toEqual(teacher);
    expect(read('teacher/metrics.jsonl')).toBe(before);
  });
  it('takes the backend from the flag, then GROK_BACKEND, then the specification', async () => {
    // Catches: an environment that overrides what was typed.
    const other = bench({ GROK_BACKEND: 'wasm' });
    try {
      const byEnv = await other.grok(
        'train',
        ...TINY,
        '--out',
        'env',
        '--json',
        '--set',
        'execution.backend=onnx',
      );
      const byFlag = await other.grok(
        'train',
        ...TINY,
        '--out',
        'flag',
        '--json',
        '--backend',
        'onnx',
      );
      expect([byEnv.json<RunRecord>().backend, byFlag.json<RunRecord>().backend]).toEqual([
        'wasm',
        'onnx',
      ]);
    } finally {
      other.remove();
    }
  });
  it('shows a line an epoch where there is no terminal, and none when quiet', async () => {
    const shown = await world.grok('train', ...TINY.slice(0, -1), '--seed', '4', '--out', 'shown');
    expect(shown.out.match(/epoch \d\/2 {2}loss/g)).toHaveLength(2);
    const quiet = await world.grok('train', ...TINY, '--seed', '5', '--out', 'quiet');
    expect(quiet.out).not.toContain('loss');
  });
});

describe('distill', () => {
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
    const listed = await world.grok('plugins', '--plugin', './copied', '--json');
    expect(listed.json<{ plugins: object[] }>().plugins).toContainEqual(
      expect.objectContaining({ name: 'cosine', kind: 'strategy' }),
    );
  });
});

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
    expect(stopped.err).toContain('grok: interrupted; go on with: grok resume cut\n');
    expect(stopped.json()).toMatchObject({ status: 'interrupted', epochs: 2 });
    const other = await world.grok('resume', 'cut', '--backend', 'wasm');
    expect(other).toMatchObject({
      code: 2,
      err: expect.stringContaining('began with backend onnx'),
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
    expect(done.err).toMatch(/^grok: step \d+: the loss is [^\n]+\n$/);
    expect(JSON.parse(read('nan/manifest.json'))).toMatchObject({ status: 'failed' });
  });
  it('exits 1 when its folder cannot be made', async () => {
    // Catches: a full disk or a read-only folder told as bad input, or as a stack.
    const done = await world.grok('train', ...TINY, '--out', 'spec.json/run');
    expect(done).toMatchObject({ code: 1 });
    expect(done.err).toMatch(/^grok: cannot write [^\n]+\n$/);
  });
});

describe('eval, runs, plugins, doctor', () => {
  it('evaluates on the rows asked for', async () => {
    // Catches: training rows scored as validation rows.
    const rows = async (on: string): Promise<number> =>
      (await world.grok('eval', 'teacher', '--on', on, '--json')).json<{ rows: number }>().rows;
    expect([await rows('train'), await rows('val'), await rows('all')]).toEqual([21, 21, 42]);
    const done = await world.grok('eval', 'teacher', '--on', 'val', '--json');
    expect(done.json<{ accuracy: number }>().accuracy).toBeCloseTo(teacher.finalValAccuracy!, 6);
    expect(done.json<{ loss: number }>().loss).toBeCloseTo(teacher.finalValLoss!, 4);
  });
  it('lists the runs of a folder', async () => {
    const done = await world.grok('runs', '.', '--json');
    expect(done.json<{ runs: RunRecord[] }>().runs).toContainEqual(teacher);
    expect(done.err).toMatch(/^teacher +finished/m);
  });
  it('says how to begin where there are none', async () => {
    const empty = bench();
    expect((await empty.grok('runs')).out).toBe('no runs in runs; begin with: grok reproduce\n');
    empty.remove();
  });
  it('lists every kind with its options', async () => {
    const { plugins } = (await world.grok('plugins', '--json')).json<{
      plugins: { name: string; kind: string; package: string; options: object }[];
    }>();
    expect(new Set(plugins.map(({ kind }) => kind))).toEqual(
      new Set(['task', 'split', 'model', 'strategy', 'optimizer', 'backend', 'probe']),
    );
    expect(plugins.find(({ name }) => name === 'logit')).toMatchObject({
      kind: 'strategy',
      package: '@grok/distill-logit',
      version: expect.any(String),
      summary: expect.any(String),
      options: { properties: { temperature: { default: 2 } } },
    });
  });
  it('tells what the machine has, and how to get what is missing', async () => {
    // Catches: an absent optional backend taken for a failure, or told without a remedy.
    const done = await world.grok('doctor', '--json');
    const { backends } = done.json<{
      backends: { name: string; available: boolean; missing?: string }[];
    }>();
    expect(done.code).toBe(0);
    expect(backends.map(({ name }) => name)).toEqual(['onnx', 'wasm', 'node-gpu']);
    for (const { available, missing } of backends)
      expect(available || missing!.includes('npm install')).toBe(true);
  });
  it('shows help and version', async () => {
    const help = await world.grok('--help');
    expect(help).toMatchObject({ code: 0, err: '' });
    for (const word of [
      'reproduce',
      'train',
      'distill',
      'resume',
      'eval',
      'runs',
      'plugins',
      'doctor',
    ])
      expect(help.out).toContain(word);
    expect(await world.grok('--version')).toMatchObject({ code: 0, out: '0.1.0\n' });
  });
  it('shows a stack only when asked', async () => {
    expect((await world.grok('eval', 'nowhere')).err).not.toContain('    at ');
    expect((await world.grok('eval', 'nowhere', '--debug')).err).toContain('    at ');
  });
});

describe('reproduce', () => {
  it('trains five runs on one split and reports them', async () => {
    // Catches: a student on another split, a report without its figure, a run missing from the table.
    const done = await world.grok(
      'reproduce',
      ...TINY_PLAN,
      '--seed',
      '7',
      '--out',
      'study',
      '--quiet',
      '--json',
    );
    expect(done).toMatchObject({ code: 0 });
    const result = done.json<{ teacher: RunRecord; students: Record<string, RunRecord> }>();
    expect(Object.keys(result.students)).toEqual(['none', 'logit', 'attention', 'feature']);
    const all = [result.teacher, ...Object.values(result.students)];
    expect(new Set(all.map(({ splitHash }) => splitHash)).size).toBe(1);
    expect(new Set(all.map(({ seed }) => seed))).toEqual(new Set([7]));
    for (const record of all) expect(record.out).toMatch(/^study\/div7-.*-s7-[0-9a-f]{10}$/);
    expect(done.err).toMatch(/^attention +604/m);
    expect(read('study/report.md')).toContain('| attention |');
    expect(read('study/curves.svg')).toContain('<svg');
    expect(JSON.parse(read('study/curves.vl.json')).$schema).toContain('vega-lite');
  });
  it('does nothing twice, and writes the same table', async () => {
    // Catches: finished runs trained again.
    const table = read('study/report.md');
    const done = await world.grok('reproduce', ...TINY_PLAN, '--seed', '7', '--out', 'study');
    expect(done).toMatchObject({ code: 0 });
    expect(done.out).not.toContain('loss');
    expect(read('study/report.md')).toBe(table);
  });
  it('refuses a folder of another plan', async () => {
    const done = await world.grok('reproduce', ...TINY_PLAN, '--seed', '8', '--out', 'study');
    expect(done).toMatchObject({ code: 2, err: expect.stringContaining('holds another plan') });
  });
  it('goes on where it was stopped', async () => {
    // Catches: a stopped reproduction that begins anew, or forgets its students.
    const command = ['reproduce', ...TINY_PLAN, '--seed', '7', '--out', 'stopped'];
    const stop = (text: string): boolean => text.includes('[3/5] logit  epoch 1/2');
    const stopped = await world.stopped(stop, ...command, '--json');
    expect(stopped).toMatchObject({ code: 130 });
    const resumed = await world.grok('resume', 'stopped', '--json');
    expect(resumed).toMatchObject({ code: 0 });
    expect(resumed.err).not.toContain('[1/5] teacher  epoch');
    const hashes = async (folder: string): Promise<unknown> => {
      const { runs } = (await world.grok('runs', folder, '--json')).json<{ runs: RunRecord[] }>();
      return runs.map(({ run, paramsSha256 }) => [run, paramsSha256]);
    };
    expect(await hashes('stopped')).toEqual(await hashes('study'));
  });
  it('labels every student of the leaked preset', async () => {
    const done = await world.grok(
      'reproduce',
      '--preset',
      'paper-leaked',
      ...TINY_PLAN,
      '--out',
      'leak',
      '--quiet',
      '--json',
    );
    const { teacher: own, students } = done.json<{
      teacher: RunRecord;
      students: Record<string, RunRecord>;
    }>();
    expect(own.leaked).toBe(false);
    expect(Object.values(students).map(({ leaked }) => leaked)).toEqual([false, true, true, true]);
    expect(read('leak/report.md')).toContain('feature (leaked)');
  });
});
