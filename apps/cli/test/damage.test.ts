/** A damaged item costs itself only, and runs that overrides share count in each: `grok report`, `analyze`, `verify`, `study`. */
import fs, {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { tinyPlan } from '../../../tests/tiny-plan.js';
import { bench, TINY } from './helpers.js';

// Nothing here is about numbers: the backend that compiles nothing is the fastest for two epochs.
const world = bench({ GROK_BACKEND: 'wasm' });
afterAll(() => world.remove());
const at = (...path: string[]): string => join(world.dir, ...path);
const text = (...path: string[]): string => readFileSync(at(...path), 'utf8');

const half = [
  { use: 'hard', weight: 0.5 },
  { use: 'logit', weight: 0.5 },
];
/** Two kinds of teachers, which share their control; names and seeds in an order that no sorting gives. */
const plan = {
  ...tinyPlan,
  arms: { zeta: { objective: half }, none: {} },
  seeds: [1, 0],
  overrides: {
    decayed: {},
    barely: { teacher: { optimizer: { options: { weightDecay: 0.1 } } } },
  },
};
const LABELS = ['decayed', 'barely'].flatMap((override) =>
  ['zeta', 'none'].map((arm) => `${override}/${arm}`),
);
const QUICK = ['--at', 'last', '--probe', 'score'] as const;
let folders: ReadonlyMap<string, string>;

beforeAll(async () => {
  writeFileSync(at('plan.json'), JSON.stringify(plan));
  const { code, json } = await world.grok(
    ...['study', 'run', 'plan.json', '--out', 'whole', '--json', '--quiet'],
  );
  expect(code).toBe(0);
  const { runs } = json<{ runs: { key: string; folder: string }[] }>();
  folders = new Map(runs.map(({ key, folder }) => [key, folder]));
}, 120_000);

const findFolder = (key: string): string => folders.get(key) ?? '';
/** A copy of the study with the first match in a file of a run replaced. */
function damage(key: string, file: string, from: string | RegExp, to: string): void {
  rmSync(at('bad'), { recursive: true, force: true });
  cpSync(at('whole'), at('bad'), { recursive: true });
  const path = at('bad', findFolder(key), file);
  const before = readFileSync(path, 'utf8');
  const after = before.replace(from, to);
  expect(after, `${file} holds ${from}`).not.toBe(before);
  writeFileSync(path, after);
}
const damageMetrics = (key: string): void => damage(key, 'metrics.jsonl', '"step"', '"stpe"');
/** The rows of a LaTeX table, by their first cell. */
const takeRows = (folder: string, table: string): readonly string[] =>
  [...text(folder, `tables/${table}.tex`).matchAll(/^([^\\\s].*?) & /gm)].map(
    ([, cell = '']) => cell,
  );

describe('a run that two overrides share', () => {
  it('stands under each, in the plan’s order (the control of the first override only)', async () => {
    expect(findFolder('decayed/none@1')).toBe(findFolder('barely/none@1'));
    expect(await world.grok('report', 'whole', '--out', 'report')).toMatchObject({
      code: 0,
      err: '',
    });
    expect(takeRows('report', 'table-4.2.1')).toEqual(LABELS);
    expect(text('report/tables/table-4.2.1.tex').match(/& Baseline/g)).toHaveLength(2);
    const inside = text('report/tables/table-4.3.1.tex');
    for (const label of LABELS) expect(inside).toContain(`\\textbf{${label}}`);
    expect(inside.match(/^Layer 0 & (.*) \\\\$/m)?.[1]).not.toContain('--');
    const bars = JSON.parse(text('report/figures/figure-2.vl.json')).hconcat[0].data.values;
    expect(bars.map(({ run }: { run: string }) => run)).toEqual(LABELS);
    expect(takeRows('report', 'table-runs').slice(0, 4)).toEqual([
      ...['decayed/teacher', 'decayed/teacher', 'decayed/zeta', 'decayed/zeta'],
    ]);
    expect(text('report/report.md')).toMatch(
      /^\| decayed\/none +\| +1 \|.*\n\| decayed\/none +\| +0 \|/m,
    );
    expect(text('report/report.html')).toContain('<li>runs: 10</li>');
  });

  it('is analyzed beside each of its teachers, under the override’s name', async () => {
    cpSync(at('whole'), at('looked'), { recursive: true });
    const { code, out, err } = await world.grok('analyze', 'looked', ...QUICK);
    expect([code, err]).toEqual([0, '']);
    for (const label of LABELS) expect(out).toContain(`${label}, seed 0: looked/`);
    const folder = at('looked', findFolder('barely/none@0'), 'analysis');
    const against = readdirSync(folder)
      .filter((name) => name.startsWith('analysis-end'))
      .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).against.run.slice(0, 10));
    const ids = ['barely', 'decayed'].map((name) => findFolder(`${name}/teacher@0`).slice(-10));
    expect(against.sort()).toEqual(ids.sort());
    await world.grok('report', 'looked');
    expect(takeRows('looked', 'table-states-cka').map((cell) => cell.split(',')[0])).toEqual(
      LABELS,
    );
  });

  it('is one run to a claim', async () => {
    const claims = {
      ...{ format: 'grok claims 1', paper: 'p', setting: {} },
      claims: [
        { id: 'n', source: '1', claim: 'c', quantity: { of: 'epochs', run: 'none' }, band: [1, 3] },
        {
          ...{ id: 'd', source: '1', claim: 'c', band: [-1, 1] },
          quantity: {
            of: 'difference',
            a: { of: 'epochs', run: 'zeta' },
            b: { of: 'epochs', run: 'none' },
          },
        },
      ],
    };
    writeFileSync(at('claims.json'), JSON.stringify(claims));
    const { json } = await world.grok('verify', 'claims.json', 'whole', 'whole', '--json');
    expect(json()).toMatchObject({ claims: [{ seeds: 2 }, { seeds: 4 }], leftOut: [] });
  });
});

/** Writes a claims file: that each kind of run was trained for two epochs. */
function claimEpochs(...runs: readonly string[]): void {
  const claims = runs.map((run) => ({
    ...{ id: run, source: '1', claim: 'c', value: 2, band: 0.5 },
    quantity: { of: 'epochs', run },
  }));
  const file = { format: 'grok claims 1', paper: 'p', setting: {}, claims };
  writeFileSync(at('claims.json'), JSON.stringify(file));
}

describe('a damaged run of a study', () => {
  const message =
    /^grok: barely\/zeta@1 is damaged and skipped: bad\/\S+\/metrics\.jsonl: line 1: unknown key "stpe": did you mean "step"\?[^\n]*$/m;

  it('is named and left out of the report, and by verify (exit code 1, and nothing told)', async () => {
    damageMetrics('barely/zeta@1');
    const report = await world.grok('report', 'bad', '--json');
    expect([report.code, report.err]).toEqual([0, expect.stringMatching(message)]);
    const { leftOut } = report.json<{ leftOut: string[] }>();
    expect(leftOut).toEqual([expect.stringMatching(/^barely\/zeta@1 is damaged and skipped: /)]);
    for (const page of ['report.html', 'report.md']) {
      expect(text('bad', page)).toContain('Left out');
      expect(text('bad', page)).toContain('barely/zeta@1 is damaged and skipped: ');
    }
    expect(takeRows('bad', 'table-4.2.1')).toEqual(LABELS);
    expect(text('bad/tables/table-4.2.1.tex')).toMatch(/^barely\/zeta & 2 & never &/m);
    expect(text('bad/tables/table-4.2.1.tex')).toMatch(/^decayed\/zeta & 2 & never \(0\/2\) &/m);
    claimEpochs('zeta');
    const verified = await world.grok('verify', 'claims.json', 'bad', '--json');
    expect([verified.code, verified.err]).toEqual([0, expect.stringMatching(message)]);
    expect(verified.json()).toMatchObject({ claims: [{ seeds: 3 }], leftOut });
  });

  it('is named by analyze, as is one whose checkpoints are damaged', async () => {
    damageMetrics('barely/zeta@1');
    const checkpoints = at('bad', findFolder('decayed/zeta@0'), 'checkpoints');
    for (const name of readdirSync(checkpoints))
      if (name.endsWith('.safetensors')) writeFileSync(join(checkpoints, name), 'x');
    // Without any checkpoint of its teacher, it cannot be replayed either.
    rmSync(at('bad', findFolder('decayed/teacher@0'), 'checkpoints'), { recursive: true });
    const { code, err, json } = await world.grok('analyze', 'bad', ...QUICK, '--json');
    expect([code, err]).toEqual([0, expect.stringMatching(message)]);
    expect(err).toMatch(/^grok: decayed\/zeta, seed 0: skipped: /m);
    expect(json()).toMatchObject({ runs: 9 });
    expect(existsSync(at('bad/analysis/barely/seed-0'))).toBe(true);
  });

  it.each([
    ['metrics.jsonl', '"step"', '"stpe"'],
    ['manifest.json', '"finished"', '"done"'],
    ['config.json', '"batch": 8', '"batch": 0'],
  ])('that teaches does not take its students along (%s)', async (file, from, to) => {
    damage('decayed/teacher@1', file, from, to);
    claimEpochs('teacher', 'zeta', 'none');
    const verified = await world.grok('verify', 'claims.json', 'bad', '--json');
    expect([verified.code, verified.err]).toEqual([
      0,
      expect.stringMatching(/^grok: decayed\/teacher@1 is damaged and skipped: [^\n]+$/m),
    ]);
    expect(verified.json()).toMatchObject({ claims: [{ seeds: 3 }, { seeds: 4 }, { seeds: 2 }] });
    const status = await world.grok('study', 'status', 'bad');
    expect(status.code).toBe(0);
    expect(status.out).toMatch(/^decayed\/teacher@1 +damaged /m);
    expect(status.out).toMatch(/^decayed\/zeta@1 +finished /m);
    expect(status.out).not.toContain('blocked');
  });

  it('alone in its folder is an error', async () => {
    expect(await world.grok('train', ...TINY, '--out', 'one')).toMatchObject({ code: 0 });
    writeFileSync(at('one/metrics.jsonl'), '{}\n');
    for (const command of ['report', 'analyze'])
      expect(await world.grok(command, 'one')).toMatchObject({
        code: 1,
        err: expect.stringMatching(/^grok: one\/metrics\.jsonl: line 1: [^\n]+\n$/),
      });
  });
});

it('a damaged journal costs what it says of failures, and is named', async () => {
  rmSync(at('bad'), { recursive: true, force: true });
  cpSync(at('whole'), at('bad'), { recursive: true });
  writeFileSync(at('bad/journal.jsonl'), '{"type":"began"}\n');
  for (const argv of [
    ['study', 'status', 'bad'],
    ['study', 'table', 'bad'],
  ])
    expect(await world.grok(...argv)).toMatchObject({
      code: 0,
      err: expect.stringMatching(
        /^grok: the journal is damaged and skipped: bad\/journal\.jsonl: line 1: [^\n]+\n$/,
      ),
    });
});

it('a damaged analysis costs its row, and is named', async () => {
  rmSync(at('bad'), { recursive: true, force: true });
  cpSync(at('looked'), at('bad'), { recursive: true });
  const file = at('bad', findFolder('decayed/zeta@0'), 'analysis/analysis-end.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"step"', '"stpe"'));
  const { code, err } = await world.grok('report', 'bad');
  expect([code, err]).toEqual([
    0,
    expect.stringMatching(
      /^grok: an analysis is damaged and skipped: bad\/\S+\/analysis-end\.json: line \d+: unknown key "stpe"[^\n]+\n$/,
    ),
  ]);
  expect(text('bad/tables/table-states-cka.tex')).toContain('\ndecayed/zeta, last step (1) & ');
  expect(text('bad/report.md')).toContain('- an analysis is damaged and skipped: ');
});

it('a run that a link leads to is followed, once (left out without a word)', async () => {
  rmSync(at('bad'), { recursive: true, force: true });
  cpSync(at('whole'), at('bad'), { recursive: true });
  const folder = findFolder('decayed/zeta@1');
  renameSync(at('bad', folder), at('elsewhere'));
  symlinkSync(at('elsewhere'), at('bad', folder));
  symlinkSync(at('bad', findFolder('decayed/zeta@0')), at('bad/again'));
  symlinkSync(at('nowhere'), at('bad/dangling'));
  const { code, json } = await world.grok('runs', 'bad', '--json');
  expect(code).toBe(0);
  const found = json<{ runs: { out: string }[] }>().runs.map(({ out }) => out);
  expect(found).toEqual([...new Set(folders.values())].map((name) => join('bad', name)).sort());
  claimEpochs('zeta');
  const verified = await world.grok('verify', 'claims.json', 'bad', '--json');
  expect(verified.json()).toMatchObject({ claims: [{ seeds: 4 }], leftOut: [] });
});

it('a student taught at a crossing of a damaged teacher is named (left out without a word)', async () => {
  const early = { objective: half, teacher: { name: 'teacher', at: { validationAccuracy: 0.1 } } };
  const written = { ...tinyPlan, arms: { early, none: {} }, seeds: [3] };
  writeFileSync(at('early.json'), JSON.stringify(written));
  const study = await world.grok(
    ...['study', 'run', 'early.json', '--out', 'early', '--json', '--quiet'],
  );
  expect(study).toMatchObject({ code: 0 });
  const { runs } = study.json<{ runs: { key: string; folder: string }[] }>();
  const folderIn = (key: string): string => runs.find((run) => run.key === key)?.folder ?? '';
  writeFileSync(at('early', folderIn('teacher@3'), 'metrics.jsonl'), '{}\n');
  const student = join('early', folderIn('early@3'));
  const notices = `${student} is skipped: its teacher teacher@3 is damaged, so its name in the plan is unknown`;
  claimEpochs('none');
  const { code, err, json } = await world.grok('verify', 'claims.json', 'early', '--json');
  expect([code, err]).toEqual([0, expect.stringContaining(`grok: ${notices}\n`)]);
  expect(json<{ leftOut: string[] }>().leftOut).toContain(notices);
});

it('a folder that may not be read costs itself only, and is named (an error of the system)', async () => {
  rmSync(at('bad'), { recursive: true, force: true });
  cpSync(at('whole'), at('bad'), { recursive: true });
  fs.mkdirSync(at('bad/closed'));
  symlinkSync('round', at('bad/round'));
  // Whoever runs the tests may be allowed to read everything.
  const { readdirSync: read } = fs;
  const spy = vi.spyOn(fs, 'readdirSync').mockImplementation((path, options) => {
    if (String(path).endsWith('closed'))
      throw new Error(`EACCES: permission denied, scandir '${path}'`);
    return read(path, options);
  });
  syncBuiltinESMExports();
  try {
    const notices = /^grok: \S+closed cannot be read and is skipped: EACCES: [^\n]+$/m;
    const listed = await world.grok('runs', 'bad');
    expect([listed.code, listed.err]).toEqual([0, expect.stringMatching(notices)]);
    expect(listed.out.match(/^bad\//gm)).toHaveLength(new Set(folders.values()).size);
    const report = await world.grok('report', 'bad', '--json');
    expect([report.code, report.err]).toEqual([0, expect.stringMatching(notices)]);
    expect(report.json()).toMatchObject({ leftOut: [expect.stringContaining('closed')] });
    expect(await world.grok('runs', 'bad/closed')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^grok: \S+closed: cannot be read: EACCES: [^\n]+\n$/),
    });
  } finally {
    spy.mockRestore();
    syncBuiltinESMExports();
  }
});
