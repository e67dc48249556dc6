/** Every command in a terminal of 80 columns: no line of an ordinary output or of a help text wraps. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyPlan } from '../../../tests/tiny-plan.js';
import { PAPER } from '../src/flags.js';
import { trainDraft } from '../src/spec.js';
import { bench, TINY } from './helpers.js';

const COLUMNS = 80;
const world = bench({ GROK_BACKEND: 'wasm' });
afterAll(() => world.remove());
const loud = TINY.filter((word) => word !== '--quiet');
const file = (name: string, value: object): void =>
  writeFileSync(join(world.dir, name), JSON.stringify(value));

beforeAll(async () => {
  const arms = { none: {}, attention: { objective: [{ use: 'hard' }, { use: 'attention' }] } };
  // Three seeds, so that the study's table has all its columns.
  file('plan.json', { ...tinyPlan, arms, seeds: [0, 1, 2] });
  file('short.json', { ...tinyPlan, arms });
  await world.grok('train', ...TINY, '--out', 'runs/teacher');
  await world.grok('train', ...TINY, '--wd', '0', '--out', 'runs/other');
  await world.grok('study', 'run', 'plan.json', '--out', 'runs/study', '--quiet');
  await world.grok('reproduce', '--spec', 'short.json', '--out', 'runs/pair', '--quiet');
  await world.grok('export', 'huggingface', 'runs/other', '--quiet');
}, 300_000);

/** An ordinary call of every command, by its name. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  reproduce: ['--spec', 'short.json', '--out', 'again'],
  train: [...loud, '--seed', '1'],
  distill: ['--teacher', 'runs/teacher', '--strategy', 'logit', '--strategy', 'attention'],
  resume: ['runs/teacher', '--epochs', '4'],
  eval: ['runs/teacher'],
  analyze: ['runs/teacher'],
  report: ['runs/pair'],
  atlas: ['runs/teacher'],
  export: ['csv', 'runs/study'],
  import: ['runs/other/export/huggingface/model.safetensors', ...loud, '--out', 'imported'],
  'track sync': ['runs/teacher'],
  verify: ['distilling-grokking', 'runs/study'],
  runs: [],
  inspect: ['runs/teacher'],
  diff: ['runs/teacher', 'runs/other'],
  'study run': ['plan.json', '--out', 'more', '--only', 'attention@0'],
  'study resume': ['runs/study'],
  'study record': ['runs/study', 'records'],
  'study status': ['runs/study'],
  'study table': ['runs/study'],
  plugins: [],
  new: ['strategy', 'relational-knowledge-distillation'],
  completion: ['bash'],
  doctor: [],
};
/** Commands that need a server: only their help texts are read here. */
const SERVED = ['worker'];

/** Names of the commands that a help text lists. */
function listed(help: string): readonly string[] {
  const names = [...help.matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, name]) => name ?? '');
  return names.filter((name) => name !== 'help');
}
/** A command, or the commands of a group. */
async function withChildren(name: string): Promise<readonly string[]> {
  if (name !== 'study' && name !== 'track') return [name];
  const { out } = await world.grok(name, '--help');
  return listed(out).map((child) => `${name} ${child}`);
}
const tooLong = (text: string): readonly string[] =>
  text.split('\n').filter((line) => line.length > COLUMNS);

describe('80 columns', () => {
  it.each(Object.entries(CALLS))(
    'hold what grok %s prints',
    async (name, words) => {
      // Catches: a table or a sentence that a terminal breaks wherever it comes to its edge.
      const { code, out, err } = await world.grok(...name.split(' '), ...words);
      expect([code, name === 'verify' ? 1 : 0]).toContain(code);
      expect(out + err).not.toBe('');
      // What `completion` prints is read by a shell.
      expect(tooLong(name === 'completion' ? err : out + err)).toEqual([]);
    },
    120_000,
  );

  it('hold every help text, with two examples that fit', async () => {
    const root = (await world.grok('--help')).out;
    const all = (await Promise.all(listed(root).map(withChildren))).flat();
    // Catches: a command without a row above.
    expect([...all].sort()).toEqual([...Object.keys(CALLS), ...SERVED].sort());
    for (const name of ['', 'study', 'track', ...all]) {
      const { out } = await world.grok(...name.split(' ').filter(Boolean), '--help');
      expect(tooLong(out), name).toEqual([]);
      const [, examples = ''] = out.split('\nExamples:\n');
      const lines = examples.split('\n').filter((line) => line.startsWith('  $ grok '));
      expect(lines, name).toHaveLength(2);
      if (name !== '')
        for (const line of lines) expect(line, name).toContain(`$ grok ${name.split(' ')[0]}`);
    }
  });

  it('say what they leave out, and --wide leaves nothing out', async () => {
    const [narrow, wide] = [await world.grok('plugins'), await world.grok('plugins', '--wide')];
    expect(narrow.out).toContain('not shown: ');
    expect(wide.out).not.toContain('not shown: ');
    expect(tooLong(wide.out).length).toBeGreaterThan(0);
  });
});

it.each([
  ['runs', 'run,parameters,epochs,', ['runs', 'runs/study']],
  ['runs of a study', 'key,name,role,seed,', ['study', 'table', 'runs/study', '--no-times']],
  ['claims', 'id,', ['verify', 'distilling-grokking', 'runs/study']],
  ['what can be named', 'kind,name,', ['plugins']],
])('--csv prints %s as records alone', async (_, head, words) => {
  // Catches: a table or a sentence among the records, a line with more cells than the head.
  const { out, err } = await world.grok(...words, '--csv');
  expect(out.startsWith(head)).toBe(true);
  const cells = out
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/"(?:[^"]|"")*"/g, 'quoted').split(',').length);
  expect(new Set(cells).size).toBe(1);
  expect(cells.length).toBeGreaterThan(3);
  expect(err).not.toContain('---');
  expect((await world.grok(...words, '--csv', '--json')).code).toBe(2);
});

it('the help names what the paper’s teacher has', () => {
  // Catches: a default in a help text that the preset no longer has.
  const io = { ...{ out: { write() {} }, err: { write() {} }, env: {}, cwd: world.dir } };
  const { signal } = new AbortController();
  const { experiment } = trainDraft({ plugin: [], set: [] }, { ...io, signal });
  expect(experiment).toMatchObject({
    task: { use: PAPER.op, options: { p: Number(PAPER.p) } },
    split: { options: { trainFraction: Number(PAPER.trainFraction) } },
    model: {
      options: {
        ...{ dim: Number(PAPER.dim), depth: Number(PAPER.depth) },
        ...{ heads: Number(PAPER.heads), dropout: Number(PAPER.dropout) },
      },
    },
    optimizer: {
      options: {
        ...{ learningRate: Number(PAPER.lr), weightDecay: Number(PAPER.wd) },
        ...{ warmup: Number(PAPER.warmup) },
      },
    },
    ...{ batch: Number(PAPER.batch), epochs: Number(PAPER.epochs) },
  });
});
