/** The flags that commands share; the short ones are sugar for paths of an experiment, and those of its own keys come of its schema. */
import type { Json } from '@grok/core';
import { own, SCALAR_KEYS } from '@grok/core/internal';
import { type Command, Option } from 'commander';
import { parseInteger, parseNumber } from './parse.js';
import type { Change } from './set.js';

/** Flags of everything that prints a result. */
export interface OutputFlags {
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly quiet?: boolean;
  readonly wide?: boolean;
}
/** Flags of everything that computes. */
export interface ComputeFlags extends OutputFlags {
  readonly backend?: string;
  readonly threads?: number;
  readonly plugin: readonly string[];
  readonly track?: readonly string[];
}
/** Flags of everything that makes a run. */
export interface RunFlags extends ComputeFlags {
  readonly preset?: string;
  readonly spec?: string;
  readonly set: readonly string[];
  readonly seed?: number;
  readonly splitSeed?: number;
  readonly out?: string;
  readonly checkpointEvery?: number;
  readonly allowLeak?: boolean;
  readonly branch?: string;
  /** Values of the sugar flags, by commander's names for them. */
  readonly [sugar: string]: unknown;
}

/** Groups of options, in the order of a help text. */
export const GROUP = {
  start: 'Start from:',
  experiment: 'Experiment:',
  distillation: 'Distillation:',
  study: 'Which runs:',
  look: 'What to analyze:',
  compute: 'Compute:',
  files: 'Files:',
  output: 'Output:',
  help: 'Help:',
} as const;

const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [
  ...earlier,
  value,
];
const whole =
  (flag: string, least = 0) =>
  (text: string): number =>
    parseInteger(flag, text, least);

/** An option that may be given several times; the help calls an empty list `without`. */
export function repeatableOption(flags: string, description: string, without = 'none'): Option {
  return new Option(flags, `${description} (repeatable)`).argParser(collect).default([], without);
}

/** Adds examples of a command to its help, as they are typed but for `grok`. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText(
    'after',
    `\nExamples:${lines.map((line) => `\n  $ grok ${line}`).join('')}`,
  );
}

/** Adds `--json`, `--quiet` and `--wide`, after everything else. */
export function outputFlags(command: Command): Command {
  return command
    .optionsGroup(GROUP.output)
    .option('--json', 'print one JSON object as the last line; everything else goes to stderr')
    .option('--wide', 'print full tables and lines (default: fit the terminal)')
    .option('--quiet', 'print no progress');
}

/** Adds `--csv` to what prints a table of records. */
export function csvFlag(command: Command, records: string): Command {
  return command.addOption(
    new Option('--csv', `print ${records} as CSV; everything else goes to stderr`)
      .helpGroup(GROUP.output)
      .conflicts('json'),
  );
}

/** Adds plugins to load. */
export function pluginFlag(command: Command): Command {
  return command.addOption(
    repeatableOption('--plugin <entry>', 'load a plugin: package, folder or file').helpGroup(
      GROUP.compute,
    ),
  );
}

/** Adds the backend to compute on. */
export function backendFlag(command: Command): Command {
  return command.addOption(
    new Option(
      '--backend <name[:key=value,…]>',
      'onnx, wasm, node-gpu or a plugin’s (default: GROK_BACKEND, else onnx or, without it, wasm)',
    ).helpGroup(GROUP.compute),
  );
}

/** Adds where to compute, and plugins. */
export function computeFlags(command: Command): Command {
  return pluginFlag(
    backendFlag(command).addOption(
      new Option('--threads <n>', 'threads of the backend (default: all cores)')
        .argParser(whole('--threads', 1))
        .helpGroup(GROUP.compute),
    ),
  );
}

/** Adds who follows the run. */
export function trackFlags(command: Command): Command {
  return command.addOption(
    new Option(
      '--track <tracker>',
      'tracker from a plugin: name or name:key=value,… (repeatable; none: no tracker)',
    )
      .argParser(collect)
      .helpGroup(GROUP.files),
  );
}

/** Adds values to replace. */
export function setFlag(command: Command, description = 'replace one value'): Command {
  return command.addOption(
    repeatableOption('--set <path=value>', description).helpGroup(GROUP.start),
  );
}

/** Adds all that makes a run: with the sugar flags where their defaults are given. */
export function runFlags(command: Command, sugar?: Readonly<Record<string, string>>): Command {
  command
    .optionsGroup(GROUP.start)
    .option('--preset <name>', 'start from a preset, see grok plugins (default: paper)')
    .option('--spec <file>', 'start from a JSON file');
  setFlag(command)
    .option('--seed <n>', 'random seed (default: the preset’s)', whole('--seed'))
    .option(
      '--split-seed <n>',
      'random seed of the split (default: the seed)',
      whole('--split-seed'),
    )
    .option('--allow-leak', 'allow a teacher from another split; every table marks such runs');
  if (sugar !== undefined) sugarFlags(command, sugar);
  computeFlags(command)
    .optionsGroup(GROUP.files)
    .option('--out <dir>', 'folder to write to (default: one under runs/)');
  return outputFlags(trackFlags(checkpointFlag(command)));
}

/** Adds how often a run is saved. */
export function checkpointFlag(command: Command): Command {
  return command.addOption(
    new Option('--checkpoint-every <n>', 'epochs between checkpoints (default: 10)')
      .argParser(whole('--checkpoint-every', 1))
      .helpGroup(GROUP.files),
  );
}

interface Sugar {
  readonly flag: string;
  readonly key: string;
  readonly path: string;
  readonly help: string;
  readonly read?: (text: string) => Json;
}
const PATHS: readonly Sugar[] = [
  { flag: '--op <name>', key: 'op', path: 'task.use', help: 'task, such as div' },
  { flag: '--p <n>', key: 'p', path: 'task.options.p', help: 'modulus', read: whole('--p') },
  {
    flag: '--dim <n>',
    key: 'dim',
    path: 'model.options.dim',
    help: 'width of the model',
    read: whole('--dim', 1),
  },
  {
    flag: '--depth <n>',
    key: 'depth',
    path: 'model.options.depth',
    help: 'number of blocks',
    read: whole('--depth', 1),
  },
  {
    flag: '--heads <n>',
    key: 'heads',
    path: 'model.options.heads',
    help: 'attention heads',
    read: whole('--heads', 1),
  },
  {
    flag: '--dropout <rate>',
    key: 'dropout',
    path: 'model.options.dropout',
    help: 'in [0, 1)',
    read: real('--dropout'),
  },
  {
    flag: '--lr <rate>',
    key: 'lr',
    path: 'optimizer.options.learningRate',
    help: 'learning rate',
    read: real('--lr'),
  },
  {
    flag: '--wd <rate>',
    key: 'wd',
    path: 'optimizer.options.weightDecay',
    help: 'weight decay',
    read: real('--wd'),
  },
  {
    flag: '--warmup <steps>',
    key: 'warmup',
    path: 'optimizer.options.warmup',
    help: 'steps of warm-up',
    read: whole('--warmup'),
  },
  {
    flag: '--train-fraction <share>',
    key: 'trainFraction',
    path: 'split.options.trainFraction',
    help: 'in (0, 1)',
    read: real('--train-fraction'),
  },
];

function real(flag: string): (text: string) => number {
  return (text) => parseNumber(flag, text);
}

/** Keys of an experiment that `runFlags` has a flag for already. */
const OWN_FLAGS: readonly string[] = ['seed', 'splitSeed', 'allowLeak'];
const SUGAR: readonly Sugar[] = [
  ...PATHS,
  ...SCALAR_KEYS.filter(({ key }) => !OWN_FLAGS.includes(key)).map(
    ({ key, type, least, words, description }): Sugar => {
      const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      const common = { key, path: key, help: description };
      return type === 'boolean'
        ? { ...common, flag }
        : {
            ...common,
            flag: `${flag} <n>`,
            read: (text) => (words.includes(text) ? text : parseInteger(flag, text, least)),
          };
    },
  ),
];

/** What the flags are without them, in the teacher of the preset `paper`. */
export const PAPER: Readonly<Record<string, string>> = {
  ...{ op: 'div', p: '97', dim: '128', depth: '2', heads: '1', dropout: '0.2' },
  ...{ lr: '0.001', wd: '1', warmup: '10', trainFraction: '0.5', batch: '512', epochs: '150' },
};

/** Adds the sugar flags, each with its path and what it is without it. */
function sugarFlags(command: Command, defaults: Readonly<Record<string, string>>): void {
  for (const { flag, key, help, path, read } of SUGAR) {
    const without = own(defaults, key);
    const text = `${help}${path === key ? '' : `; ${path}`}`;
    const option = new Option(flag, without === undefined ? text : `${text} (default: ${without})`);
    option.helpGroup(GROUP.experiment);
    command.addOption(read === undefined ? option : option.argParser(read));
  }
}

/** What the sugar flags change of an experiment. */
export function expandFlags(flags: RunFlags): readonly Change[] {
  return SUGAR.filter(({ key }) => flags[key] !== undefined).map(({ key, path }) => ({
    path: path.split('.'),
    value: flags[key] as Json,
  }));
}
