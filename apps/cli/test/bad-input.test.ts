/** Bad input: exit code 2, one clear line that says what to do, nothing written. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bench, TINY, TINY_PLAN } from './helpers.js';

const world = bench();
afterAll(() => world.remove());

beforeAll(async () => {
  const teacherRun = await world.grok('train', ...TINY, '--out', 'teacher');
  expect(teacherRun).toMatchObject({ code: 0, err: '' });
  const file = (name: string, text: string): void => writeFileSync(join(world.dir, name), text);
  file('half.json', '{ "experiment": ');
  file('list.json', '[1, 2]');
  file('null.json', 'null');
  file('typo.json', '{ "experimnt": {} }');
  file('a-file', 'text');
  mkdirSync(join(world.dir, 'foreign'));
  file('foreign/thesis.txt', 'do not touch');
  mkdirSync(join(world.dir, 'other-tool'));
  file('other-tool/config.json', '{ "name": "not ours" }');
  const experiment = {
    task: { use: 'div' },
    model: { use: 'transformer' },
    freeze: Array(1e5).fill(1),
  };
  const run = { ...experiment, optimizer: { use: 'adamw' }, batch: 4, epochs: 1, seed: 1 };
  file('spaces.json', JSON.stringify({ experiment: { [' '.repeat(1e5)]: 1 } }));
  file('faults.json', JSON.stringify({ experiment: run }));
  file('deep.json', `${'['.repeat(1e5)}${']'.repeat(1e5)}`);
  file(
    'late.mjs',
    `export default { name: 'late', version: '1.0.0', core: '*', components: [{ kind: 'strategy',
      name: 'late', summary: 'Late.', options: {}, create: async () => { throw new Error('late'); } }] };`,
  );
  file('broken-plugin.mjs', 'export const nothing = 1;');
});

const train = (...argv: string[]): string[] => ['train', ...TINY, '--out', 'new', ...argv];
const distill = (...argv: string[]): string[] => [
  ...['distill', '--teacher', 'teacher', '--epochs', '1', '--out', 'new'],
  ...argv,
];
const reproduce = (...argv: string[]): string[] => [
  ...['reproduce', ...TINY_PLAN, '--quiet', '--out', 'new'],
  ...argv,
];
const set = (text: string): string[] => train('--set', text);

// The same kinds of mistake on every way in; each line is a bug: the mistake accepted, or told badly.
const cases: readonly [string, readonly string[], RegExp][] = [
  ['p not prime for div', train('--p', '9'), /p must be prime.*got 9/],
  ['p < 2', train('--p', '1', '--op', 'add'), /p must be an integer from 2.*got 1/],
  ['p negative', train('--p', '-7'), /--p: must be an integer/],
  ['p not a number', train('--p', 'abc'), /--p: must be an integer ≥ 0, got "abc"/],
  [
    'unknown operation',
    train('--op', 'dvi'),
    /unknown task "dvi": did you mean "div"\? Known: add/,
  ],
  [
    'train fraction 0',
    train('--train-fraction', '0'),
    /split "numpy": option "trainFraction".*got 0/,
  ],
  ['train fraction 1', train('--train-fraction', '1'), /option "trainFraction".*got 1/],
  ['train fraction NaN', train('--train-fraction', 'NaN'), /--train-fraction: must be a number/],
  [
    'dim not divisible by heads',
    train('--heads', '3'),
    /heads must divide dim, got 3 heads for a dim of 8/,
  ],
  ['odd head width', train('--dim', '6', '--heads', '2'), /a head's width must be even, got 3/],
  ['dim 0', train('--dim', '0'), /--dim: must be an integer ≥ 1, got "0"/],
  ['epochs 0', train('--epochs', '0'), /--epochs: must be an integer ≥ 1, got "0"/],
  ['epochs 2.5', train('--epochs', '2.5'), /--epochs: must be an integer ≥ 1, got "2.5"/],
  ['epochs set to 2.5', set('epochs=2.5'), /"epochs".*got 2.5/],
  ['epochs set to text', set('epochs=abc'), /"epochs".*got "abc"/],
  ['negative learning rate', train('--lr', '-1e-3'), /option "learningRate".*got -0.001/],
  ['learning rate of letters', train('--lr', 'fast'), /--lr: must be a number, got "fast"/],
  ['empty learning rate', train('--lr', ''), /--lr: must be a number, got ""/],
  ['negative weight decay', train('--wd', '-1'), /option "weightDecay".*got -1/],
  [
    'a rate that is 0 as a number',
    train('--lr', '1e-400'),
    /--lr: 1e-400 is too small for a float64/,
  ],
  [
    'a rate that is 0 in float32',
    train('--lr', '1e-50'),
    /"optimizer.options.learningRate".*1.4e-45/,
  ],
  ['a decay beyond float32', train('--wd', '1e39'), /"optimizer.options.weightDecay".*got 1e\+39/],
  [
    'a weight that is 0 in float32',
    train('--set', 'objective=[{"use":"hard","weight":1e-60}]'),
    /"objective.0.weight".*float32/,
  ],
  ['an option too small', set('optimizer.options.eps=.5e-400'), /"eps".*got ".5e-400"/],
  ['a depth without end', train('--depth', '1000000000'), /option "depth": must be ≤ 1000/],
  ['a million wide', train('--dim', '1000000'), /at most 134,217,728 parameters.*got [\d,]{17,};/],
  ['wider than an int32', train('--dim', '2147483648'), /at most 134,217,728 parameters/],
  ['an MLP too wide', set('model.options.dMlp=1000000000'), /at most 134,217,728 parameters/],
  ['a batch beyond int32', train('--batch', '2147483648'), /"batch": must be ≤ 2147483647/],
  [
    'steps beyond int32',
    train('--epochs', '2147483647', '--batch', '4'),
    /at most 2,147,483,647 steps/,
  ],
  ['too many threads', train('--threads', '100000'), /"execution.threads": must be ≤ 512/],
  [
    'too many states',
    set('execution.record={"logSpaced":1000000000}'),
    /logSpaced": must be ≤ 10000/,
  ],
  [
    'a plan of too many runs',
    [...reproduce('--set', `seeds=[${Array.from({ length: 3000 }, (_, i) => i)}]`)],
    /at most 10000 runs, got 15000/,
  ],
  [
    'a key of 100,000 spaces',
    ['train', '--spec', 'spaces.json', '--out', 'new'],
    /^grok: spec spaces.json: line 1: experiment: unknown key " {200}…": known:.{0,400}\n$/,
  ],
  [
    'a spec of 100,000 faults',
    ['train', '--spec', 'faults.json', '--out', 'new'],
    /"experiment.freeze.9": must be a text, got 1; and 99990 more\n$/,
  ],
  [
    'a spec too deep',
    ['train', '--spec', 'deep.json', '--out', 'new'],
    /spec deep.json: must be nested at most 100 levels deep/,
  ],
  [
    'a name that moves the cursor',
    train('--op', '\x1b]0;title\x07\u202ediv'),
    /^grok: unknown task "\\u001b\]0;title\\u0007\\u202ediv"/,
  ],
  [
    'a strategy that is a promise',
    train('--plugin', 'late.mjs', '--set', 'objective=[{"use":"late"}]'),
    /strategy "late" of late 1.0.0: create\(\) must return its result, got a promise/,
  ],
  ['batch 0', train('--batch', '0'), /--batch: must be an integer ≥ 1, got "0"/],
  ['dropout 1', train('--dropout', '1'), /option "dropout".*got 1/],
  ['dropout negative', train('--dropout', '-0.1'), /option "dropout".*got -0.1/],
  ['threads 0', train('--threads', '0'), /--threads: must be an integer ≥ 1, got "0"/],
  ['threads set to 0', set('execution.threads=0'), /"execution.threads".*got 0/],
  ['seed negative', train('--seed', '-1'), /--seed: must be an integer ≥ 0/],
  ['unknown backend', train('--backend', 'onx'), /unknown backend "onx": did you mean "onnx"/],
  [
    'unknown option of a backend',
    train('--backend', 'onnx:thread=2'),
    /backend "onnx": unknown option "thread": did you mean "threads"/,
  ],
  [
    'a backend’s option without a value',
    train('--backend', 'onnx:x'),
    /--backend: "x" is not key=value/,
  ],
  ['a backend under a name', train('--backend', 'onnx:as=x'), /unknown option "as"/],
  ['unknown preset', train('--preset', 'papr'), /unknown preset "papr": did you mean "paper"/],
  ['unknown option', train('--learning-rate', '1'), /unknown option '--learning-rate'/],
  [
    'unknown option, nearly',
    train('--epoch', '1'),
    /unknown option '--epoch'.*Did you mean --epochs/,
  ],
  ['unknown key', set('optimize.use=adamw'), /unknown key "optimize": did you mean "optimizer"/],
  [
    'unknown option of a component',
    set('optimizer.options.learningrate=1'),
    /optimizer "adamw": unknown option "learningrate": did you mean "learningRate"/,
  ],
  [
    'unknown model',
    set('model.use=tranformer'),
    /unknown model "tranformer": did you mean "transformer"/,
  ],
  ['--set without =', set('epochs'), /--set: must be path=value/],
  [
    '--set through a number',
    set('epochs.x=1'),
    /--set experiment.epochs.x: 2 has no "x" inside it/,
  ],
  [
    'unknown command',
    ['trian'],
    /unknown command "trian": did you mean "train".*study, track, train/,
  ],
  [
    'help on an unknown command',
    ['help', 'trian'],
    /unknown command "trian": did you mean "train"/,
  ],
  [
    'unknown study command',
    ['study', 'statsu', 'x'],
    /study command "statsu": did you mean "status"/,
  ],
  [
    'help on an unknown study command',
    ['help', 'study', 'rnu'],
    /study command "rnu": did you mean/,
  ],
  ['too many arguments', train('again'), /too many arguments/],
  ['a flag without its value', ['train', '--out'], /--out: needs a value, got the option --json/],
  ['spec that is not JSON', ['train', '--spec', 'half.json'], /spec half.json: must be JSON/],
  [
    'spec that is a list',
    ['train', '--spec', 'list.json'],
    /spec list.json: line 1: must be an object, got \[1,2\]/,
  ],
  [
    'spec that is null',
    ['reproduce', '--spec', 'null.json'],
    /spec null.json: line 1: must be an object, got null/,
  ],
  [
    'spec with an unknown key',
    ['train', '--spec', 'typo.json'],
    /unknown key "experimnt": did you mean "experiment"/,
  ],
  ['missing spec', ['train', '--spec', 'nowhere.json'], /spec nowhere.json: no such file/],
  ['spec and preset', ['train', '--spec', 'typo.json', '--preset', 'paper'], /give one of them/],
  ['missing plugin', train('--plugin', './nowhere'), /plugin "\.\/nowhere": no file or folder/],
  ['a plugin that is none', train('--plugin', './broken-plugin.mjs'), /has no default export/],
  ['out without a name', train('--out', ''), /--out: needs the name of a folder/],
  ['out is a file', train('--out', 'a-file'), /--out a-file: is a file/],
  ['out is below a file', train('--out', 'a-file/x/y'), /--out a-file\/x\/y: cannot be written/],
  ['new is a file', ['new', 'probe', 'x', '--dir', 'a-file'], /a-file: is a file; give a folder/],
  [
    'new is below a file',
    ['new', 'probe', 'x', '--dir', 'a-file/x'],
    /a-file\/x: cannot be written/,
  ],
  ['report to a file', ['report', 'teacher', '--out', 'a-file'], /--out a-file: is a file/],
  [
    'out holds other files',
    train('--out', 'foreign'),
    /--out foreign: contains other files \(thesis.txt\)/,
  ],
  [
    'out holds another tool’s config',
    train('--out', 'other-tool'),
    /other-tool\/config.json: line 1: key "format": is missing \(must be "grok run 2"\); give the folder/,
  ],
  [
    'out contains another experiment',
    train('--out', 'teacher', '--seed', '1'),
    /teacher: contains another experiment/,
  ],
  ['missing run', ['resume', 'nowhere'], /nowhere: not a run folder/],
  ['foreign run', ['eval', 'foreign'], /foreign: not a run folder/],
  ['unknown rows', ['eval', 'teacher', '--on', 'test'], /Allowed choices are train, val, all/],
  [
    'unknown claims',
    ['verify', 'distiling-grokking', 'teacher'],
    /unknown claims .*"distiling-grokking": did you mean "distilling-grokking"\? Known: /,
  ],
  ['missing claims', ['verify', './c.json', 'teacher'], /claims .\/c.json: no such file/],
  ['missing folder of runs', ['runs', 'nowhere'], /no such folder: nowhere/],
  ['a file of runs', ['runs', 'a-file'], /a-file: is a file; give the folder of a run/],
  ['a file to analyze', ['analyze', 'a-file'], /a-file: is a file; give the folder of a run/],
  ['a file of plugins', ['plugins', '--search', 'a-file'], /--search a-file: no such folder/],

  ['no strategy', distill(), /--strategy is required.*known: attention, feature, logit, none/],
  [
    'unknown strategy',
    distill('--strategy', 'logti'),
    /unknown strategy "logti": did you mean "logit"/,
  ],
  [
    'strategy with an unknown option',
    distill('--strategy', 'logit:temprature=2'),
    /unknown option "temprature": did you mean "temperature"/,
  ],
  [
    'strategy with a bad value',
    distill('--strategy', 'logit:temperature=0'),
    /option "temperature".*got 0/,
  ],
  [
    'strategy with a bad weight',
    distill('--strategy', 'logit:weight=x'),
    /the weight must be a number ≥ 0/,
  ],
  [
    'one strategy twice',
    distill('--strategy', 'logit', '--strategy', 'logit'),
    /two terms named "logit"/,
  ],
  ['none with another', distill('--strategy', 'none', '--strategy', 'logit'), /--strategy none/],
  [
    'alpha above 1',
    distill('--strategy', 'logit', '--alpha', '1.5'),
    /--alpha: must be from 0 to 1, got 1.5/,
  ],
  ['alpha of letters', distill('--strategy', 'logit', '--alpha', 'x'), /--alpha: must be a number/],
  [
    'scale 0',
    distill('--strategy', 'logit', '--scale', '0'),
    /--scale: must be a number > 0, got 0/,
  ],
  [
    'scale to a fraction',
    distill('--strategy', 'logit', '--scale', '0.3'),
    /must be an integer ≥ 1/,
  ],
  ['no teacher', ['distill', '--strategy', 'logit'], /--teacher is required/],
  [
    'missing teacher',
    ['distill', '--teacher', 'nowhere', '--strategy', 'logit'],
    /nowhere: not a run folder/,
  ],
  [
    'teacher of another task',
    distill('--strategy', 'logit', '--p', '11'),
    /another task \(.*"p":7.*, this run's is .*"p":11/,
  ],
  [
    'teacher of another split',
    distill('--strategy', 'logit', '--split-seed', '1'),
    /another split.*--allow-leak/,
  ],

  [
    'a bad student in a plan',
    reproduce('--set', 'student.model.options.heads=3'),
    /paper, none: .*heads must divide dim/,
  ],
  [
    'a bad arm in a plan',
    reproduce('--set', 'arms.logit.objective.1.options.temperature=0'),
    /paper, logit: .*option "temperature"/,
  ],
  [
    'an unknown arm',
    reproduce('--set', 'arms.logti.epochs=3'),
    /unknown arm "logti": did you mean "logit"/,
  ],
  [
    'an unknown key in a plan',
    reproduce('--set', 'shared.epoch=3'),
    /unknown key "epoch": did you mean "epochs"/,
  ],
  [
    'epochs 0 in a plan',
    reproduce('--set', 'shared.epochs=0'),
    /preset "paper" with --set: key "shared.epochs": must be ≥ 1, got 0/,
  ],
  [
    'a leaking plan',
    reproduce('--set', 'student.splitSeed=1'),
    /paper, logit: teacher "teacher": was trained on another split .*allow the leak/,
  ],
  ['an unknown backend for a plan', reproduce('--backend', 'onx'), /unknown backend "onx"/],
  ['a plan over a run', reproduce('--out', 'teacher'), /--out teacher: contains other files/],
];

describe('bad input', () => {
  it.each(cases)('%s', async (_, argv, message) => {
    const before = world.files();
    const { code, out, err } = await world.grok(...argv, '--json');
    expect(err).toMatch(message);
    expect(err).toMatch(/^grok: [^\n]+\n$/);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(world.files()).toEqual(before);
  });
  it.skipIf(!existsSync('/proc/self'))(
    'a folder that the system makes for nobody (skipped without /proc)',
    async () => {
      // Catches: permission asked for and given, and a raw error when the folder is made.
      for (const argv of [train(), reproduce(), ['study', 'run', 'paper', '--out', 'new']]) {
        const words = argv.map((word) => (word === 'new' ? '/proc/new' : word));
        const { code, err } = await world.grok(...words);
        expect({ code, err }).toEqual({
          code: 2,
          err: expect.stringMatching(/^grok: --out \/proc\/new: cannot be written \(E[^\n]+\n$/),
        });
      }
    },
  );
});
