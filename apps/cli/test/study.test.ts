/** `grok study`: from a plan's file to its table, called as a function, so that runs take place here. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StudyJson } from '@grok/study';
import { afterAll, describe, expect, it } from 'vitest';
import { tinyPlan } from '../../../tests/tiny-plan.js';
import { type Bench, bench } from './helpers.js';

const plan = {
  ...tinyPlan,
  arms: { none: {}, attention: { objective: [{ use: 'hard' }, { use: 'attention' }] } },
  seeds: [0, 1],
};
const withPlan = (): Bench => {
  const world = bench({ GROK_BACKEND: 'wasm' });
  writeFileSync(join(world.dir, 'tiny.json'), JSON.stringify(plan));
  return world;
};
const world = withPlan();
const kept = withPlan();
afterAll(() => {
  world.remove();
  kept.remove();
});

describe('how a study is carried out', () => {
  const started = withPlan();
  afterAll(() => started.remove());
  const configs = (): readonly { backend?: string; threads?: number }[] =>
    readdirSync(join(started.dir, 's'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(started.dir, 's', name, 'config.json'))
      .filter(existsSync)
      .map((file) => JSON.parse(readFileSync(file, 'utf8')).execution);

  it('is kept when it goes on (the rest of a study on another backend, without a word)', async () => {
    const begun = await started.grok(
      ...['study', 'run', 'tiny.json', '--out', 's', '--backend', 'wasm', '--threads', '1'],
      ...['--only', 'teacher@0'],
    );
    expect(begun).toMatchObject({ code: 0, err: '' });
    expect(configs()).toMatchObject([{ backend: 'wasm', threads: 1 }]);
    expect(await started.grok('resume', 's')).toMatchObject({ code: 0 });
    expect(configs()).toHaveLength(6);
    for (const execution of configs())
      expect(execution).toMatchObject({ backend: 'wasm', threads: 1 });
  });

  it.each([
    ['--backend', 'onnx', 'backend=wasm; resuming with backend=onnx', '--backend wasm'],
    ['--threads', '2', 'threads=1; resuming with threads=2', '--threads 1'],
  ])('is not contradicted by %s %s', async (flag, value, reason, remedy) => {
    const before = started.files();
    for (const command of [
      ['study', 'resume', 's'],
      ['resume', 's'],
      ['study', 'run', 's', '--dry-run'],
    ])
      expect(await started.grok(...command, flag, value)).toMatchObject({
        code: 2,
        err: `grok: s: study was started with ${reason} would not be bit-exact; use ${remedy}, or use a new --out folder\n`,
      });
    expect(started.files()).toEqual(before);
  });
});

describe('a study', () => {
  it('runs to its table', async () => {
    const done = await world.grok('study', 'run', 'tiny.json', '--out', 's');
    expect(done).toMatchObject({ code: 0, err: '' });
    // Catches: progress that counts wrongly, a table that is not printed at the end.
    expect(done.out).toContain('tiny: 6 runs, 0 already finished');
    expect(done.out).toContain('[6/6] attention@1: finished at epoch 2');
    expect(done.out).toContain('6 of 6 runs finished');
  });
  it('is not done twice, and says so', async () => {
    for (const again of [
      ['run', 'tiny.json', '--out', 's'],
      ['run', 's'],
      ['resume', 's'],
    ]) {
      const done = await world.grok('study', ...again, '--json');
      expect(done).toMatchObject({ code: 0 });
      expect(done.err).toContain('nothing to do: all 6 runs are finished');
      expect(done.json()).toMatchObject({ status: 'finished', begun: 0, out: 's' });
    }
  });
  it('tells show the state of every run', async () => {
    const done = await world.grok('study', 'status', 's', '--json');
    const { runs } = done.json<StudyJson & Record<string, never>>();
    expect(runs.map(({ key, state }) => `${key} ${state}`)).toEqual([
      ...['teacher@0', 'none@0', 'attention@0', 'teacher@1', 'none@1', 'attention@1'].map(
        (key) => `${key} finished`,
      ),
    ]);
    for (const { run, folder } of runs) {
      const config = JSON.parse(readFileSync(join(world.dir, 's', folder!, 'config.json'), 'utf8'));
      expect(config.run).toBe(run); // a run's id is its experiment's hash
    }
  });
  it('prints its table as text, Markdown and JSON, without times where they are not wanted', async () => {
    const text = await world.grok('study', 'table', 's');
    expect(text.out).toMatch(/^attention − none +2 /m);
    expect(text.out).toContain('s/epoch');
    const bare = await world.grok('study', 'table', 's', '--markdown', '--no-times');
    expect(bare.out).toContain('## Exploratory: uncorrected');
    expect(bare.out).not.toContain('s/epoch');
    const json = (await world.grok('study', 'table', 's', '--json', '--no-times')).out;
    expect(json).not.toContain('seconds');
  });
});

it('a dry run lists the runs, estimates their time and writes nothing', async () => {
  const done = await kept.grok('study', 'run', 'tiny.json', '--dry-run', '--out', 's', '--json');
  expect(done).toMatchObject({ code: 0 });
  expect(done.err).toContain('6 of 6 runs to do, 1 in parallel: about 0:');
  const { runs, seconds } = done.json<
    { runs: { needs: string[] }[]; seconds: number } & Record<string, never>
  >();
  expect(runs.map(({ needs }) => needs.join())).toEqual(['', '', 'teacher@0', '', '', 'teacher@1']);
  expect(seconds).toBeGreaterThan(0);
  expect(kept.files()).toEqual(['tiny.json']);
});

it('stopped, it says how to go on, and does', async () => {
  // Catches: the seeds after the first forgotten, an interrupted study called finished.
  const stopped = await kept.stopped(
    (text) => text.includes('none@0: finished'),
    'study',
    'run',
    'tiny.json',
    '--out',
    'cut',
  );
  expect(stopped).toMatchObject({
    code: 130,
    err: expect.stringContaining('continue with: grok study resume cut'),
  });
  const { code, out } = await kept.grok('study', 'resume', 'cut');
  expect([code, out]).toEqual([0, expect.stringContaining('6 runs, 2 already finished')]);
  const tables = await Promise.all([
    kept.grok('study', 'table', 'cut', '--no-times'),
    world.grok('study', 'table', 's', '--no-times'),
  ]);
  expect(tables[0]?.out).toBe(tables[1]!.out);
});

it('goes on beside a run whose folder is damaged, and names it', async () => {
  // Catches: one bad file that hides every other run, or stops them.
  const { runs } = (await kept.grok('study', 'status', 'cut', '--json')).json<
    StudyJson & Record<string, never>
  >();
  const manifestPath = (key: string): string =>
    join(kept.dir, 'cut', runs.find((run) => run.key === key)!.folder!, 'manifest.json');
  for (const key of ['none@0', 'teacher@1']) writeFileSync(manifestPath(key), '{"a":');
  const status = await kept.grok('study', 'status', 'cut');
  expect(status.code).toBe(0);
  expect(status.out).toMatch(/^none@0 +damaged /m);
  expect(status.out).toMatch(/^none@0: .*manifest\.json: must be JSON/m);
  expect(status.out).toMatch(/^attention@0 +finished /m);
  // Its teacher's damage costs a student nothing that it has finished.
  expect(status.out).toMatch(/^attention@1 +finished /m);
  const again = await kept.grok('study', 'run', 'cut');
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('none@0 is damaged: ')]);
  expect(again.out).toContain('4 of 6 runs finished, 2 damaged');
  // Without its manifest a run goes on from its last checkpoint.
  for (const key of ['none@0', 'teacher@1']) rmSync(manifestPath(key));
  expect(await kept.grok('study', 'resume', 'cut')).toMatchObject({ code: 0, err: '' });
  const table = async (bench: Bench, folder: string): Promise<string> =>
    (await bench.grok('study', 'table', folder, '--no-times')).out;
  expect(await table(kept, 'cut')).toBe(await table(world, 's'));
});

it('a run that fails what it must be is reported, with those it would have taught', async () => {
  const must = 'teacher.require={"validationAccuracy":{"atLeast":1}}';
  const done = await kept.grok(
    ...['study', 'run', 'tiny.json', '--set', must, '--out', 'failing', '--wide'],
  );
  expect(done.code).toBe(1);
  expect(done.out).toContain('; retrying');
  expect(done.err).toMatch(
    /teacher@0 failed twice: last epoch \(2\): validation accuracy .* must be at least 1/,
  );
  const hint = 'grok: to retry failed runs: grok study resume failing --retry-failed\n';
  expect(done.err.endsWith(hint)).toBe(true);
  expect(done.out).toContain('attention@1: its teacher teacher@1 failed');
  expect(done.out).toContain('2 of 6 runs finished, 2 failed, 2 blocked');
  const again = await kept.grok('study', 'run', 'failing');
  expect(again.code).toBe(1);
  expect(again.out).toContain('nothing to do: 2 of 6 runs are finished, the others failed');
  // Nothing was tried: the hint would be a second word for the same.
  expect(again.err).not.toContain('--retry-failed');
  // Catches: a study taken for a reproduction, which stops at the first run that fails.
  const { json: _, ...reason } = again;
  expect(await kept.grok('resume', 'failing')).toMatchObject(reason);
});

it('stopped before its first run, it is a study all the same', async () => {
  // Catches: a folder that only a run which was begun makes a study's.
  const stop = (text: string): boolean => text.includes('0 already finished');
  const stopped = await kept.stopped(stop, 'study', 'run', 'tiny.json', '--out', 'early');
  expect(stopped.code).toBe(130);
  const resumed = await kept.stopped(stop, 'resume', 'early');
  expect([resumed.code, resumed.err]).toEqual([130, stopped.err]);
});

it('a journal that is damaged is bad input to what writes it, and named by what reads it', async () => {
  // Catches: exit code 1, as if a run had failed.
  const file = join(kept.dir, 'cut/journal.jsonl');
  writeFileSync(file, `garbage\n${readFileSync(file, 'utf8')}`);
  const done = await kept.grok('study', 'resume', 'cut');
  expect([done.code, done.err]).toEqual([
    2,
    expect.stringMatching(/^grok: cut\/journal.jsonl: line 1 is not JSON; [^\n]+\n$/),
  ]);
  const status = await kept.grok('study', 'status', 'cut');
  expect([status.code, status.err]).toEqual([
    0,
    expect.stringMatching(
      /^grok: the journal is damaged and skipped: cut\/journal.jsonl: line 1 is not JSON; [^\n]+\n$/,
    ),
  ]);
});

describe('bad input', () => {
  it.each<[string[], string]>([
    [[], 'study: needs a command: run, resume, record, status, table'],
    [['rn'], 'unknown study command "rn": did you mean "run"?'],
    [['run'], "missing required argument 'plan'"],
    [['run', 'stdy'], 'unknown plan (neither a file nor a preset) "stdy": did you mean "study"?'],
    [['run', './no.json'], 'plan ./no.json: no such file'],
    [['run', 'tiny.json', '--only', 'atention', '--out', 'x'], 'did you mean "attention"?'],
    [['run', 'tiny.json', '--jobs', '0', '--out', 'x'], '--jobs: must be an integer ≥ 1'],
    [
      ['run', 'tiny.json', '--set', 'seeds=[]', '--out', 'x'],
      'tiny.json with --set: key "seeds": must not be empty',
    ],
    [
      ['run', 'tiny.json', '--set', 'arms.none.epochs=0', '--out', 'x'],
      'tiny.json with --set: key "arms.none.epochs": must be ≥ 1, got 0',
    ],
    [['run', 'tiny.json', '--backend', 'cuda', '--out', 'x'], 'unknown backend "cuda"'],
    [['table', '.'], 'not a study folder (plan.json missing)'],
    [['resume', 'nowhere'], 'no such folder'],
  ])('grok study %j', async (args, message) => {
    const before = kept.files().length;
    const done = await kept.grok('study', ...args);
    expect(done).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    expect(done.err.trim().split('\n')).toHaveLength(1);
    expect(kept.files()).toHaveLength(before);
    expect(existsSync(join(kept.dir, 'x'))).toBe(false);
  });
});
