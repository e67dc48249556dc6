/** The command line as a function: arguments and surroundings in, exit code out. */
import { inspect } from 'node:util';
import { InputError, isInputError, isRunError, unknownName } from '@grok/core';
import { own, truncate } from '@grok/core/internal';
import { Command, CommanderError } from 'commander';
import { color, writePieces } from './colors.js';
import { examples, GROUP } from './flags.js';
import { EXIT, terminalWidth } from './host.js';
import type { Io, Sink } from './io.js';
import { printableSink } from './printable-sink.js';
import { version } from './version.js';

type AddCommand = (program: Command, io: Io, done: (code: number) => void) => void;
/** The commands in the order of the help; only the one that is named is loaded. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  reproduce: async () => (await import('./commands/reproduce.js')).reproduce,
  train: async () => (await import('./commands/train.js')).trainRun,
  distill: async () => (await import('./commands/distill.js')).distill,
  resume: async () => (await import('./commands/resume.js')).resume,
  eval: async () => (await import('./commands/eval.js')).evaluate,
  analyze: async () => (await import('./commands/analyze.js')).analyze,
  report: async () => (await import('./commands/report.js')).report,
  atlas: async () => (await import('./commands/atlas.js')).atlas,
  verify: async () => (await import('./commands/verify.js')).verifyClaims,
  export: async () => (await import('./commands/export.js')).exportRun,
  import: async () => (await import('./commands/import.js')).importModel,
  runs: async () => (await import('./commands/runs.js')).runs,
  inspect: async () => (await import('./commands/inspect.js')).inspect,
  diff: async () => (await import('./commands/diff.js')).diff,
  study: async () => (await import('./commands/study.js')).study,
  worker: async () => (await import('./commands/worker.js')).worker,
  track: async () => (await import('./commands/track.js')).track,
  plugins: async () => (await import('./commands/plugins.js')).plugins,
  new: async () => (await import('./commands/new.js')).newPlugin,
  completion: async () => (await import('./commands/completion.js')).completion,
  doctor: async () => (await import('./commands/doctor.js')).doctor,
  'study-worker': async () => (await import('./commands/study-worker.js')).studyWorker,
};

/** Runs `grok` with arguments (without node and script) and gives its exit code; it never throws. */
export async function main(argv: readonly string[], surroundings: Io): Promise<number> {
  const { out, err } = surroundings;
  const io: Io = {
    ...surroundings,
    out: printableSink(out, surroundings.env),
    err: printableSink(err, surroundings.env),
  };
  const debug = argv.includes('--debug');
  try {
    let code: number = EXIT.ok;
    const done = (result: number): void => {
      code = result;
    };
    const program = createProgram(io, out);
    const words = argv.filter((word) => word !== '--debug');
    for (const add of await loadCommands(words[0])) add(program, io, done);
    for (const command of program.commands) addHelp(command);
    await program.parseAsync(commandWords(words, program), { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.ok;
      writeError(io, error.message.replace(/^error: /, ''));
      return EXIT.badInput;
    }
    writeError(io, (error as Error).message);
    if (debug) io.err.write(`${inspect(error)}\n`); // with the stacks of its causes
    if (isInputError(error)) return EXIT.badInput;
    if (!isRunError(error) && !debug)
      io.err.write('grok: this is a bug; run again with --debug for a stack trace\n');
    return EXIT.failed;
  }
}

/** The one line of an error. */
function writeError({ err }: Io, message: string): void {
  writePieces(err, [['red', 'grok:'], ` ${oneLine(message)}\n`]);
}

/** The command of a name; all of them where there is none of it, and where they are what is asked for. */
function loadCommands(name: string | undefined): Promise<readonly AddCommand[]> {
  const named = name === undefined || name === 'completion' ? undefined : own(COMMANDS, name);
  return Promise.all(
    (named === undefined ? Object.values(COMMANDS) : [named]).map((load) => load()),
  );
}

/**
 * Checks the commands among words, since a mistyped one would be an argument of the default one, and
 * says `help study run` as `study run --help`. @throws InputError on an unknown or a missing one.
 */
function commandWords(words: readonly string[], parent: Command): readonly string[] {
  const [word, ...rest] = words;
  if (parent.commands.length === 0 || word?.startsWith('-')) return words;
  if (word === 'help') return commandWords([...rest, '--help'], parent);
  const isRoot = parent.parent === null;
  const visible = parent.createHelp().visibleCommands(parent);
  const known = visible.map((command) => command.name());
  if (word === undefined) {
    if (isRoot) return words;
    throw new InputError(`${parent.name()}: needs a command: ${known.join(', ')}`);
  }
  const command = parent.commands.find((item) => item.name() === word);
  if (command === undefined)
    throw unknownName(isRoot ? 'command' : `${parent.name()} command`, word, known);
  return [word, ...commandWords(rest, command)];
}

/** `--out --json` is a value forgotten, not a folder named `--json`. */
function checkValues(command: Command): void {
  for (const [key, value] of Object.entries(command.opts()))
    for (const text of [value].flat())
      if (typeof text === 'string' && text.startsWith('--')) {
        const option = command.options.find((item) => item.attributeName() === key);
        throw new InputError(`${option?.long ?? key}: needs a value, got the option ${text}`);
      }
}

/** The text of a help is the program's own: it may have colors. */
function createProgram(io: Io, raw: Sink): Command {
  const program = new Command('grok')
    .description('Train, distil and compare grokking transformers.')
    .version(version)
    .hook('preAction', (_, command) => checkValues(command))
    .showHelpAfterError(false)
    .showSuggestionAfterError(true)
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command');
  examples(program, 'reproduce --preset paper --seed 42', 'train --help').addHelpText(
    'after',
    '\nWithout a command, grok runs the first one.',
  );
  return tame(program, io, raw);
}

/** Adds the options that every command has, after its own. */
function addHelp(command: Command): void {
  command
    .optionsGroup(GROUP.help)
    .option('--debug', 'show stack traces of errors')
    .helpOption('-h, --help', 'show this help');
  for (const child of command.commands) addHelp(child);
}

const styleTitle = (text: string): string => color('bold', text);

/** Throws where commander would exit, and leaves its errors to `main`. */
function tame(command: Command, io: Io, raw: Sink): Command {
  return command
    .exitOverride()
    .configureHelp({ styleTitle })
    .configureOutput({
      writeOut: (text) => void raw.write(text),
      getOutHelpWidth: () => terminalWidth(io.out, io),
      getOutHasColors: () => io.out.writeStyled !== undefined,
      writeErr: () => {},
      outputError: () => {},
    });
}

/** A message in one line; of a very long one, the beginning. */
function oneLine(text: string): string {
  const lines = truncate(text, 4000).split('\n');
  return lines
    .map((line) => line.trim())
    .filter(Boolean)
    .join(' ');
}
