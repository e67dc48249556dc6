/** Checks command lines in the documentation against the programs' own help texts. */
import type { Block } from './markdown.js';

/** The programs that may be called. */
export interface Programs {
  /** Scripts in the root's package.json. */
  readonly scripts: readonly string[];
  /** The `--help` output of a grok subcommand (also `study run`), or of grok itself for ''. */
  help(subcommand: string): string;
  exists(path: string): boolean;
}

/** The commands of a shell block as words, with comments and line continuations resolved. */
export function parseCommands(text: string): string[][] {
  return text
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) =>
      line
        .replace(/^\$ /, '')
        .replace(/(^|\s)#.*$/, '')
        .trim(),
    )
    .filter((line) => line !== '')
    .flatMap((line) => line.split(/\s+(?:&&|;|\|\|?)\s+/))
    .map((command) =>
      (command.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []).filter((word) => word !== '&'),
    )
    .map((words) => words.slice(words.findIndex((word) => !/^[A-Z_]+=/.test(word))));
}

/** The arguments that a command passes to grok; undefined if it calls something else. */
export function grokArguments(words: readonly string[]): string[] | undefined {
  const line = words.join(' ');
  const start = /^(grok|npx grok|node (\.\/)?apps\/cli\/dist\/cli\.js|npm start --|npm start)( |$)/;
  const head = start.exec(line)?.[0];
  return head === undefined ? undefined : words.slice(head.trim().split(' ').length);
}

/** Calls of `npx grok` before a page has installed the command line, which would run an unrelated package. */
export function npxFaults(page: readonly Block[]): string[] {
  let installed = false;
  return page.flatMap(({ file, line, text }) =>
    parseCommands(text).flatMap((words) => {
      const command = words.join(' ');
      installed ||= /^(\w+=\S+ )?npm install @grok\/cli( |$)/.test(command);
      return installed || !command.startsWith('npx grok ')
        ? []
        : [`${file}:${line}: "${command}": install @grok/cli first, or call apps/cli/dist/cli.js`];
    }),
  );
}

/** Faults in a block's commands, one line each. */
export function commandFaults(block: Block, programs: Programs): string[] {
  return parseCommands(block.text).flatMap((words) =>
    findFaults(words, programs).map((fault) => `${block.file}:${block.line}: ${fault}`),
  );
}

function findFaults(words: readonly string[], programs: Programs): string[] {
  const line = words.join(' ');
  const faults = words
    .map((word) => word.replace(/^\.\//, ''))
    .filter((word) => /^(examples|docs|scripts|packages|apps)\//.test(word))
    .filter((path) => !path.includes('/dist/') && !programs.exists(path))
    .map((path) => `"${line}": there is no ${path}`);
  const script = /^npm (?:run (?:-s )?|(?=test(?: |$)))([\w:-]+)/.exec(line)?.[1];
  if (script !== undefined && !programs.scripts.includes(script))
    faults.push(`"${line}": package.json has no script "${script}"`);
  const args = grokArguments(words);
  if (args === undefined) return faults;
  const named = args[0] !== undefined && !args[0].startsWith('-');
  const isCommand = (word: string | undefined, help: string): boolean =>
    word !== undefined && new RegExp(`^ {2}${word.replace(/\W/g, '\\$&')}\\b`, 'm').test(help);
  const outer = named ? args[0]! : '';
  if (named && !isCommand(outer, programs.help('')))
    return [...faults, `"${line}": grok has no command "${outer}"`];
  // `grok study run` has its own options.
  const inner = named && isCommand(args[1], programs.help(outer).split('Commands:')[1] ?? '');
  const subcommand = inner ? `${outer} ${args[1]}` : outer;
  // A bare `npm start` runs the default command with that command's options.
  const help = programs.help(subcommand) + (named ? '' : programs.help('reproduce'));
  for (const option of args.filter((arg) => /^--?[a-z]/.test(arg)).map((arg) => arg.split('=')[0]!))
    if (!new RegExp(`(^|[\\s,])${option}(?![\\w-])`).test(help))
      faults.push(`"${line}": grok ${subcommand} has no option ${option}`);
  return faults;
}
