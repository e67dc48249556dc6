/** `grok train`, `eval`, `runs`, `plugins`, `doctor`, on models that train in a moment. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRecord } from '@grok/study';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { bench, configIn, TINY } from './helpers.js';

const world = bench();
afterAll(() => world.remove());
const read = (file: string): string => readFileSync(join(world.dir, file), 'utf8');
const config = configIn(world);

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
  it('has a flag for every number and every yes or no of an experiment', async () => {
    // Catches: a key that only --set reaches.
    const teacherRun = await world.grok(
      ...['train', ...TINY, '--eval-every', '2', '--shuffle-labels', '--batch', 'full'],
      ...['--out', 'keys'],
    );
    expect(teacherRun).toMatchObject({ code: 0, err: '' });
    expect(config('keys').experiment).toMatchObject({
      ...{ evalEvery: 2, shuffleLabels: true, batch: 'full' },
    });
    expect(await world.grok('train', ...TINY, '--eval-every', '0')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--eval-every: must be an integer ≥ 1, got "0"'),
    });
  });
  it('takes a length in steps over a preset of epochs, and one in epochs over a file of steps', async () => {
    // Catches: `--steps` refused because a preset gives epochs, which no flag can take away.
    const small = ['--p', '7', '--dim', '8', '--quiet'];
    expect(await world.grok('train', ...small, '--steps', '3', '--out', 'steps')).toMatchObject({
      code: 0,
    });
    const { experiment } = config('steps');
    expect(experiment).toMatchObject({ steps: 3 });
    expect(experiment).not.toHaveProperty('epochs');
    writeFileSync(join(world.dir, 'steps.json'), JSON.stringify({ experiment }));
    const again = ['train', '--spec', 'steps.json', '--quiet'];
    expect(await world.grok(...again, '--set', 'epochs=2', '--out', 'epochs')).toMatchObject({
      code: 0,
    });
    expect(config('epochs').experiment).toMatchObject({ epochs: 2 });
    expect(config('epochs').experiment).not.toHaveProperty('steps');
    const both = await world.grok(
      'train',
      ...small,
      '--steps',
      '3',
      '--epochs',
      '2',
      '--out',
      'both',
    );
    expect(both).toMatchObject({
      code: 2,
      err: expect.stringContaining('"steps": cannot be combined with "epochs"'),
    });
  });
  it('takes a specification, and gives its run the same id as flags do', async () => {
    // Catches: defaults filled in or execution hashed, so that equal experiments differ.
    writeFileSync(
      join(world.dir, 'spec.json'),
      // Some editors begin a file with a byte order mark.
      `\uFEFF${JSON.stringify({ experiment: config('teacher').experiment, execution: { backend: 'wasm' } })}`,
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
    expect(shown.out.match(/epoch \d\/2 {2}ETA/g)).toHaveLength(2);
    const quiet = await world.grok('train', ...TINY, '--seed', '5', '--out', 'quiet');
    expect(quiet.out).not.toContain('loss');
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
  it('names a checkpoint that it passes over', async () => {
    // Catches: a score of an older state taken for the newest one's.
    await world.grok('train', ...TINY, '--seed', '8', '--out', 'torn', '--checkpoint-every', '1');
    const newest = join(world.dir, 'torn/checkpoints/step-000002.safetensors');
    writeFileSync(newest, readFileSync(newest).subarray(0, 999));
    const done = await world.grok('eval', 'torn', '--json');
    expect(done.code).toBe(0);
    expect(done.err).toMatch(
      /^grok: checkpoints\/step-000002.safetensors is skipped: [^\n]+\ntorn, epoch 1, /,
    );
  });
  it('lists the runs of a folder', async () => {
    const done = await world.grok('runs', '.', '--json');
    expect(done.json<{ runs: RunRecord[] }>().runs).toContainEqual(teacher);
    expect(done.err).toMatch(/^teacher +finished/m);
  });
  it('lists the others where a run is damaged, and says what is wrong with that one', async () => {
    // Catches: one bad file that hides every other run.
    const folder = bench();
    for (const out of ['good', 'bad']) await folder.grok('train', ...TINY, '--out', out);
    writeFileSync(join(folder.dir, 'bad/manifest.json'), '{"a":');
    const done = await folder.grok('runs', '.', '--json');
    expect(done.code).toBe(0);
    expect(done.err).toMatch(/^good +finished/m);
    expect(done.err).toMatch(/^bad: damaged: bad\/manifest.json: must be JSON/m);
    const { runs, damaged } = done.json<{ runs: RunRecord[]; damaged: object[] }>();
    expect(runs.map(({ out }) => out)).toEqual(['good']);
    expect(damaged).toMatchObject([
      { out: 'bad', error: expect.stringContaining('manifest.json') },
    ]);
    folder.remove();
  });
  it('says how to begin where there are none', async () => {
    const empty = bench();
    expect((await empty.grok('runs')).out).toBe('no runs in runs; start with: grok reproduce\n');
    empty.remove();
  });
  it('lists every kind with its options', async () => {
    const { plugins } = (await world.grok('plugins', '--json')).json<{
      plugins: { name: string; kind: string; package: string; options: object }[];
    }>();
    expect(new Set(plugins.map(({ kind }) => kind))).toEqual(
      new Set([
        ...['task', 'split', 'model', 'transform', 'strategy', 'optimizer', 'backend', 'probe'],
        ...['executor', 'exporter', 'store'],
      ]),
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
  it('tells whether onnxruntime sends telemetry', async () => {
    // Catches: a doctor that says off where the user has turned it on.
    const telemetryLine = async (variable: string): Promise<string> => {
      vi.stubEnv('ORT_DISABLE_TELEMETRY', variable);
      const { err, out } = await world.grok('doctor');
      vi.unstubAllEnvs();
      return /telemetry of onnxruntime: .*/.exec(err + out)?.[0] ?? '';
    };
    expect(await telemetryLine('1')).toBe('telemetry of onnxruntime: off');
    expect(await telemetryLine('0')).toMatch(/: on, because ORT_DISABLE_TELEMETRY/);
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
    // Catches: words after `help` that are ignored, a usage that asks for a command twice.
    const same: readonly (readonly string[])[] = [
      ['help', 'study', 'run'],
      ['study', 'help', 'run'],
      ['study', 'run', '--help'],
    ];
    for (const words of same)
      expect((await world.grok(...words)).out).toMatch(
        /^Usage: grok study run \[options\] <plan>\n/,
      );
    for (const words of [
      ['study', 'help'],
      ['help', 'study'],
    ])
      expect((await world.grok(...words)).out).toMatch(
        /^Usage: grok study \[options\] \[command\]\n/,
      );
    expect((await world.grok('help')).out).toBe(help.out);
    expect(await world.grok('--version')).toMatchObject({ code: 0, out: '0.1.0\n' });
  });
  it('shows a stack only when asked', async () => {
    expect((await world.grok('eval', 'nowhere')).err).not.toContain('    at ');
    expect((await world.grok('eval', 'nowhere', '--debug')).err).toContain('    at ');
  });
});
