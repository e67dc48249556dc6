/** The flags that commands share; the short ones are sugar for paths of an experiment, and those of its own keys come of its schema. */
import type { Json } from '@grok/core';
import { SCALAR_KEYS } from '@grok/core/internal';
import { type Command, Option } from 'commander';
import { numberOf, wholeOf } from './parse.js';
import type { Change } from './set.js';

/** Flags of everything that prints a result. */
export interface OutputFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
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
  /** Values of the sugar flags, by commander's names for them. */
  readonly [sugar: string]: unknown;
}

const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [
  ...earlier,
  value,
];
const whole =
  (flag: string, least = 0) =>
  (text: string): number =>
    wholeOf(flag, text, least);

/** Adds `--json` and `--quiet`. */
export function outputFlags(command: Command): Command {
  return command
    .option('--json', 'print one JSON object as the last line; all else goes to stderr')
    .option('--quiet', 'print no progress');
}

/** Adds plugins to load. */
export function pluginFlag(command: Command): Command {
  return command.option(
    '--plugin <entry>',
    'load a plugin: package, folder or file (repeatable)',
    collect,
    [],
  );
}

/** Adds where to compute, and plugins. */
export function computeFlags(command: Command): Command {
  const computing = outputFlags(command)
    .option(
      '--backend <name[:key=value,…]>',
      'onnx, wasm, node-gpu or a plugin’s (default: GROK_BACKEND, else onnx)',
    )
    .option('--threads <n>', 'threads of the backend (default: all cores)', whole('--threads', 1));
  return pluginFlag(computing);
}

/** Adds who follows the run. */
export function trackFlags(command: Command): Command {
  return command.option(
    '--track <tracker>',
    'let a plugin’s tracker follow it: name or name:key=value,… (repeatable; none: nobody)',
    collect,
  );
}

/** Adds what a run is made of. */
export function runFlags(command: Command): Command {
  return trackFlags(computeFlags(command))
    .option('--preset <name>', 'start from a preset (see grok plugins)')
    .option('--spec <file>', 'start from a JSON file')
    .option('--set <path=value>', 'replace one value (repeatable)', collect, [])
    .option('--seed <n>', 'seed of everything random', whole('--seed'))
    .option('--split-seed <n>', 'seed of the split (default: the seed)', whole('--split-seed'))
    .option('--out <dir>', 'folder to write to (default: one under runs/)')
    .option('--checkpoint-every <n>', 'epochs between checkpoints', whole('--checkpoint-every', 1))
    .option('--allow-leak', 'let a teacher come from another split; every table says so');
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
  return (text) => numberOf(flag, text);
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
            read: (text) => (words.includes(text) ? text : wholeOf(flag, text, least)),
          };
    },
  ),
];

/** Adds the sugar flags. */
export function sugarFlags(command: Command): Command {
  for (const { flag, help, path, read } of SUGAR) {
    const option = new Option(flag, `${help} (${path})`);
    command.addOption(read === undefined ? option : option.argParser(read));
  }
  return command;
}

/** What the sugar flags change of an experiment. */
export function sugarOf(flags: RunFlags): readonly Change[] {
  return SUGAR.filter(({ key }) => flags[key] !== undefined).map(({ key, path }) => ({
    path: path.split('.'),
    value: flags[key] as Json,
  }));
}
