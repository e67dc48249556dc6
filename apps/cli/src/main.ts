/** The command line as a function: arguments and surroundings in, exit code out. */
import { inspect } from 'node:util';
import { InputError, isInputError, isRunError, unknownName } from '@grok/core';
import { cut } from '@grok/core/internal';
import { Command, CommanderError } from 'commander';
import { analyze } from './commands/analyze.js';
import { distill } from './commands/distill.js';
import { doctor } from './commands/doctor.js';
import { evaluate } from './commands/eval.js';
import { newPlugin } from './commands/new.js';
import { plugins } from './commands/plugins.js';
import { report } from './commands/report.js';
import { reproduce } from './commands/reproduce.js';
import { resume } from './commands/resume.js';
import { runs } from './commands/runs.js';
import { study } from './commands/study.js';
import { studyWorker } from './commands/study-worker.js';
import { trainRun } from './commands/train.js';
import { verifyClaims } from './commands/verify.js';
import { EXIT } from './host.js';
import type { Io } from './io.js';
import { printableSink } from './printable-sink.js';
import { version } from './version.js';

/** Runs `grok` with arguments (without node and script) and gives its exit code; it never throws. */
export async function main(argv: readonly string[], surroundings: Io): Promise<number> {
  const { out, err } = surroundings;
  const io: Io = { ...surroundings, out: printableSink(out), err: printableSink(err) };
  const debug = argv.includes('--debug');
  try {
    let code: number = EXIT.ok;
    const done = (result: number): void => {
      code = result;
    };
    const program = programOf(io);
    for (const add of [
      ...[reproduce, trainRun, distill, resume, evaluate, analyze, report, verifyClaims],
      ...[runs, study, plugins, newPlugin, doctor],
    ])
      add(program, io, done);
    studyWorker(program, io);
    for (const command of program.commands) tame(command, io).option('--debug', 'show stacks');
    const words = argv.filter((word) => word !== '--debug');
    await program.parseAsync(commandWords(words, program), { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.ok;
      io.err.write(`grok: ${oneLine(error.message.replace(/^error: /, ''))}\n`);
      return EXIT.badInput;
    }
    io.err.write(`grok: ${oneLine((error as Error).message)}\n`);
    if (debug) io.err.write(`${inspect(error)}\n`); // with the stacks of its causes
    if (isInputError(error)) return EXIT.badInput;
    if (!isRunError(error) && !debug) io.err.write('grok: this is a bug; --debug shows where\n');
    return EXIT.failed;
  }
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
        throw new InputError(`${option?.long ?? key}: needs a value, got the flag ${text}`);
      }
}

function programOf(io: Io): Command {
  const program = new Command('grok')
    .description('Train, distil and compare grokking transformers.')
    .version(version)
    .hook('preAction', (_, command) => checkValues(command))
    .showHelpAfterError(false)
    .showSuggestionAfterError(true)
    .addHelpText('after', '\nWithout a command: grok reproduce --preset paper --seed 42');
  return tame(program, io);
}

/** Throws where commander would exit, and leaves its errors to `main`. */
function tame(command: Command, io: Io): Command {
  return command.exitOverride().configureOutput({
    writeOut: (text) => void io.out.write(text),
    writeErr: () => {},
    outputError: () => {},
  });
}

/** A message in one line; of a very long one, the beginning. */
function oneLine(text: string): string {
  const lines = cut(text, 4000).split('\n');
  return lines
    .map((line) => line.trim())
    .filter(Boolean)
    .join(' ');
}
