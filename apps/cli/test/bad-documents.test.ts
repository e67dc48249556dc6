/** Documents that are damaged: one line that names the file, the line and the key, and exit code 2. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyPlan as plan } from '../../../tests/tiny-plan.js';
import { bench, TINY } from './helpers.js';

const world = bench();
afterAll(() => world.remove());

const at = (...path: string[]): string => join(world.dir, ...path);

beforeAll(async () => {
  writeFileSync(at('plan.json'), JSON.stringify(plan, null, 2));
  expect(await world.grok('study', 'run', 'plan.json', '--out', 'whole')).toMatchObject({
    code: 0,
  });
  expect(await world.grok('train', ...TINY, '--out', 'run')).toMatchObject({ code: 0 });
});

/** A copy of a folder with one text in one of its files replaced. */
function damage(folder: string, file: string, from: string | RegExp, to: string): void {
  rmSync(at('bad'), { recursive: true, force: true });
  cpSync(at(folder), at('bad'), { recursive: true });
  const path = at('bad', file);
  const text = readFileSync(path, 'utf8');
  const changed = text.replace(from, to);
  expect(changed, `${file} holds ${from}`).not.toBe(text);
  writeFileSync(path, changed);
}

describe('a damaged file of a run', () => {
  // Each was a TypeError, "this is a bug", or a wrong number in a table.
  it.each<[file: string, from: string | RegExp, to: string, message: RegExp]>([
    [
      'config.json',
      '"batch": 512',
      '"batch": 0',
      /config\.json: line \d+: key "experiment\.batch": must be ≥ 1, got 0; /,
    ],
    [
      'config.json',
      '"seed"',
      '"sede"',
      /config\.json: line \d+: experiment: unknown key "sede": did you mean "seed"\?/,
    ],
    ['config.json', '{', '', /config\.json: must be JSON \(/],
    [
      'manifest.json',
      '"finished"',
      '"done"',
      /manifest\.json: line \d+: key "status": must be "running", "finished", "interrupted" or "failed", got "done"; restore it/,
    ],
    [
      'manifest.json',
      /"epoch": \d+/,
      '"epoch": null',
      /manifest\.json: line \d+: key "epoch": must be a number, got null/,
    ],
    [
      'manifest.json',
      '"grok manifest 1"',
      '"grok manifest 9"',
      /manifest\.json: line 2: key "format": must be "grok manifest 1", got "grok manifest 9"/,
    ],
  ])('%s with %s as %s', async (file, from, to, message) => {
    damage('run', file, from, to);
    const { code, err } = await world.grok('resume', 'bad');
    expect(err).toMatch(message);
    expect(err).toMatch(/^grok: [^\n]+\n$/);
    expect(code).toBe(2);
  });

  it.each<[from: string | RegExp, to: string, message: RegExp]>([
    [
      /"accuracy":[\d.e-]+/,
      '"accuracy":100003',
      /line 1: key "train\.accuracy": must be ≤ 1, got 100003/,
    ],
    [/"step":\d+/, '"step":"x"', /line 1: key "step": must be a number, got "x"/],
    [/\n.*\n/, '\n{"epoch":\n', /line 2 is not JSON/],
    [/^(.*\n)/, '$1$1', /line 2: epoch 1 must come after epoch 1/],
  ])('metrics.jsonl with %s as %s', async (from, to, message) => {
    damage('run', 'metrics.jsonl', from, to);
    const { err } = await world.grok('resume', 'bad');
    expect(err).toMatch(message);
    expect(err).toMatch(
      /^grok: bad\/metrics\.jsonl: [^\n]+; restore the file, or truncate it before that line and resume\n$/,
    );
  });
});

describe('a damaged file of a study', () => {
  it.each<[file: string, from: string | RegExp, to: string, message: RegExp]>([
    [
      'plan.json',
      '"batch": 8',
      '"batch": "8"',
      /plan\.json: line \d+: key "shared\.batch": must be a number or "full", got "8"/,
    ],
    [
      'plan.json',
      '"none": {}',
      '"none": { "objective": { "use": "logit" } }',
      /plan\.json: line \d+: key "arms\.none\.objective": must be a list, got \{"use":"logit"\}/,
    ],
    [
      'plan.json',
      '"none": {}',
      '"2": {}',
      /key "arms\.2": the name of an arm must not be an integer/,
    ],
    [
      'journal.jsonl',
      '"begin"',
      '"start"',
      /journal\.jsonl: line 1: key "type": must be "begin", "end" or "forgive", got "start"; restore the file/,
    ],
    [
      'journal.jsonl',
      '"key"',
      '"kye"',
      /journal\.jsonl: line 1: unknown key "kye": did you mean "key"\?/,
    ],
    [
      'study.json',
      '"execution": {',
      '"execution": { "thread": 1,',
      /study\.json: line \d+: execution: unknown key "thread": did you mean "threads"\?/,
    ],
  ])('%s with %s as %s', async (file, from, to, message) => {
    damage('whole', file, from, to);
    const { code, err } = await world.grok('study', 'resume', 'bad');
    expect(err).toMatch(message);
    expect(err).toMatch(/^grok: [^\n]+\n$/);
    expect(code).toBe(2);
  });

  it('a run of it is named, and the others are told all the same', async () => {
    rmSync(at('bad'), { recursive: true, force: true });
    cpSync(at('whole'), at('bad'), { recursive: true });
    const [folder = ''] = readdirSync(at('bad')).filter((name) => name.startsWith('div5'));
    writeFileSync(at('bad', folder, 'metrics.jsonl'), '{"epoch":1}\n');
    const { code, out } = await world.grok('study', 'status', 'bad');
    expect(code).toBe(0);
    expect(out).toMatch(/damaged/);
    expect(out.replaceAll(/\s+/g, ' ')).toContain(
      `${folder}/metrics.jsonl: line 1: key "step": is missing`,
    );
  });
});

describe('a file that a person wrote', () => {
  it.each<[string, unknown, readonly string[], RegExp]>([
    [
      'a plan whose objective is no list',
      { ...plan, arms: { logit: { objective: { use: 'logit' } } } },
      ['study', 'run'],
      /plan odd\.json: line \d+: key "arms\.logit\.objective": must be a list/,
    ],
    [
      'a plan whose name leads elsewhere',
      { ...plan, name: 'study/../../escaped' },
      ['study', 'run'],
      /plan odd\.json: line 2: key "name": must be a name of letters/,
    ],
    [
      'an arm called constructor, in an unknown family',
      { ...plan, arms: { constructor: {} }, family: ['valueOf'] },
      ['study', 'run'],
      /key "family\.0": unknown arm "valueOf": known: constructor/,
    ],
    [
      'a spec',
      { experiment: { ...plan.shared, model: { use: 3 }, seed: 1 } },
      ['train', '--spec'],
      /spec odd\.json: line \d+: key "experiment\.model\.use": must be a text, got 3/,
    ],
    ['claims of another format', { format: 'grok claims 9' }, ['verify', '--out', 'x'], /format/],
  ])('%s', async (_, document, argv, message) => {
    writeFileSync(at('odd.json'), JSON.stringify(document, null, 2));
    const more = argv[0] === 'verify' ? ['./odd.json', 'run'] : ['odd.json'];
    const words = argv[0] === 'verify' ? ['verify'] : argv;
    const { code, err } = await world.grok(...words, ...more);
    expect(err).toMatch(message);
    expect(err).toMatch(/^grok: [^\n]+\n$/);
    expect(code).toBe(2);
  });

  it.each<[string, RegExp]>([
    ['[]', /grok\.config\.json: line 1: must be an object, got \[\]/],
    [
      '{ "plugin": [] }',
      /grok\.config\.json: line 1: unknown key "plugin": did you mean "plugins"\?/,
    ],
    [
      '{\n "plugins": ["./x", 3] }',
      /grok\.config\.json: line 2: key "plugins\.1": must be a text, got 3/,
    ],
  ])('grok.config.json: %s', async (text, message) => {
    writeFileSync(at('grok.config.json'), text);
    const { code, err } = await world.grok('plugins');
    rmSync(at('grok.config.json'));
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });
});
