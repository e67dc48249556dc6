/** Shell completion: one description of the commands, written for bash, zsh and fish. */
import { own } from '@grok/core/internal';
import type { Argument, Command, Option } from 'commander';

/** Among choices: names of folders, those of runs first. */
export const FOLDERS = '<folders>';
/** Among choices: names of files. */
export const FILES = '<files>';
/** Words that may stand somewhere, `FOLDERS` and `FILES` among them; none: anything. */
type Choices = readonly string[];
/** A command as completion sees it. */
export interface CompletedCommand {
  /** `train`, `study run`; empty for none yet. */
  readonly path: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  /** Its subcommands, or what its arguments may be. */
  readonly words: Choices;
}
/** An option as completion sees it. */
interface CompletedOption {
  readonly flag: string;
  readonly description: string;
  /** What its value may be; undefined where it takes none. */
  readonly value: Choices | undefined;
}
/** What the names in help texts stand for: options by their flag, arguments by their name. */
export type KnownValues = Readonly<Record<string, Choices>>;

/** All commands of a program with their options; those of its default command stand under no name too. */
export function describeCommands(
  program: Command,
  known: KnownValues,
): readonly CompletedCommand[] {
  const describe = (command: Command, path: string): readonly CompletedCommand[] => {
    const children = visible(command);
    const { options, registeredArguments } = command;
    const own: CompletedCommand = {
      path,
      description: command.description(),
      options: options.filter(({ hidden }) => !hidden).map((one) => describeOption(one, known)),
      words:
        children.length > 0
          ? children.map((child) => child.name())
          : registeredArguments.flatMap((one) => argumentChoices(one, known)),
    };
    return [own, ...children.flatMap((child) => describe(child, join(path, child.name())))];
  };
  const [root, ...others] = describe(program, '');
  if (root === undefined) return [];
  const byDefault = others.find(({ path }) => path === 'reproduce')?.options ?? [];
  return [{ ...root, options: [...root.options, ...byDefault] }, ...others];
}

const join = (path: string, name: string): string => (path === '' ? name : `${path} ${name}`);

function visible(command: Command): readonly Command[] {
  const children = command.createHelp().visibleCommands(command);
  return children.filter((child) => child.name() !== 'help');
}

function describeOption(option: Option, known: KnownValues): CompletedOption {
  const { long, short, description, required, optional, argChoices } = option;
  const flag = long ?? short ?? '';
  const value = argChoices ?? own(known, flag) ?? [];
  return { flag, description, value: required || optional ? value : undefined };
}

function argumentChoices(argument: Argument, known: KnownValues): Choices {
  return argument.argChoices ?? own(known, argument.name()) ?? [];
}

const isPlain = (word: string): boolean => word !== FOLDERS && word !== FILES;
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** How a shell that reads a `case` is told what may stand at the cursor. */
interface Shell {
  readonly words: (words: Choices) => string;
  readonly folders: string;
  readonly files: string;
}

/** The statements that offer choices; `:` for anything. */
function offer(choices: Choices, shell: Shell): string {
  const plain = choices.filter(isPlain);
  const offers = [
    ...(plain.length > 0 ? [shell.words(plain)] : []),
    ...(choices.includes(FOLDERS) ? [shell.folders] : []),
    ...(choices.includes(FILES) ? [shell.files] : []),
  ];
  return offers.length === 0 ? ':' : offers.join('; ');
}

/** Finds the command among the words before the cursor, and offers what may stand there. */
function formatCases(commands: readonly CompletedCommand[], shell: Shell): string {
  const values = commands.flatMap(({ path, options }) =>
    options.flatMap(({ flag, value }) =>
      value === undefined ? [] : [`    ${quoted(`${path} ${flag}`)}) ${offer(value, shell)} ;;`],
    ),
  );
  const each = (of: (command: CompletedCommand) => Choices): readonly string[] =>
    commands.map((one) => `      ${quoted(one.path)}) ${offer(of(one), shell)} ;;`);
  return [
    '  case "$at $before" in',
    ...values,
    '    *) case "$cur" in',
    '    -*) case "$at" in',
    ...each(({ options }) => options.map(({ flag }) => flag)),
    '      esac ;;',
    '    *) case "$at" in',
    ...each(({ words }) => words),
    '      esac ;;',
    '    esac ;;',
    '  esac',
  ].join('\n');
}

/** Cases that go from a command and a word to the command that both name. */
function pathCases(commands: readonly CompletedCommand[]): string {
  const named = commands.filter(({ path }) => path !== '');
  return named
    .map(({ path }) => {
      const at = path.lastIndexOf(' ');
      return `      ${quoted(`${path.slice(0, Math.max(0, at))} ${path.slice(at + 1)}`)}) at=${quoted(path)} ;;`;
    })
    .join('\n');
}

function bash(commands: readonly CompletedCommand[]): string {
  const shell: Shell = {
    words: (words) => `_grok_offer ${quoted(words.join('\n'))}`,
    folders: '_grok_offer "$(_grok_folders)"',
    files: '_grok_offer "$(compgen -f -- "$cur")"',
  };
  return `# bash completion of grok: grok completion bash >> ~/.bashrc
_grok_folders() {
  local run
  for run in runs/*/config.json runs/*/plan.json; do
    if [ -e "$run" ]; then printf '%s\\n' "\${run%/*}"; fi
  done
  compgen -d -- "$cur"
}
_grok_offer() {
  local IFS=$'\\n'
  COMPREPLY+=($(compgen -W "$1" -- "$cur"))
}
_grok() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" at='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
${pathCases(commands)}
    esac
  done
${formatCases(commands, shell)}
}
complete -o filenames -F _grok grok
`;
}

function zsh(commands: readonly CompletedCommand[]): string {
  const shell: Shell = {
    words: (words) => `compadd -- ${words.map(quoted).join(' ')}`,
    folders: '_grok_folders',
    files: '_files',
  };
  return `#compdef grok
# zsh completion of grok: grok completion zsh > a file _grok in a folder of $fpath
_grok_folders() {
  local -a runs
  runs=(runs/*/(config|plan).json(N:h))
  (( $#runs )) && compadd -U -M 'r:|/=*' -- \${(M)runs:#$PREFIX*}
  _files -/
}
_grok() {
  local cur="\${words[CURRENT]}" before="\${words[CURRENT-1]}" at='' i
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i]}" in
${pathCases(commands)}
    esac
  done
${formatCases(commands, shell)}
}
if [ "$funcstack[1]" = _grok ]; then _grok "$@"; else compdef _grok grok; fi
`;
}

/** When fish offers what belongs to a command: with its words there, and no word of a command below. */
function fishCondition(path: string, paths: readonly string[]): string {
  const below = paths
    .filter((one) => (path === '' || one.startsWith(`${path} `)) && one !== path)
    .map((one) => one.slice(path === '' ? 0 : path.length + 1))
    .filter((rest) => rest !== '' && !rest.includes(' '));
  // \`study resume\` has a word of the command \`resume\`.
  const parents = paths.filter((one) => paths.some((other) => other.startsWith(`${one} `)));
  const others = path.includes(' ') ? [] : parents.filter((one) => one !== path);
  const seen = path.split(' ').filter(Boolean);
  const absent = path === '' ? below : [...below, ...others];
  return [
    ...seen.map((word) => `__fish_seen_subcommand_from ${word}`),
    ...(absent.length === 0 ? [] : [`not __fish_seen_subcommand_from ${absent.join(' ')}`]),
  ].join('; and ');
}

function fishChoices(choices: Choices): string {
  if (choices.length === 0) return '-x';
  const words = choices.filter(isPlain).map((word) => word.replace(/[\s'"$()\\]/g, '\\$&'));
  const offered = [...words, ...(choices.includes(FOLDERS) ? ['(__grok_folders)'] : [])];
  const list = offered.length === 0 ? '' : `a ${quoted(offered.join(' '))}`;
  return choices.includes(FILES) ? `-rF${list}` : `-x${list}`;
}

function fish(commands: readonly CompletedCommand[]): string {
  const paths = commands.map(({ path }) => path);
  const lines = commands.flatMap(({ path, options, words }) => {
    const at = `complete -c grok -n ${quoted(fishCondition(path, paths))}`;
    const flags = options.map(({ flag, description, value }) => {
      const name = flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`;
      return `${at} ${name} ${value === undefined ? '-f' : fishChoices(value)} -d ${quoted(description)}`;
    });
    const children = commands.filter((one) => words.some((word) => join(path, word) === one.path));
    const named = children.map(
      (child) => `${at} -fa ${child.path.split(' ').at(-1)} -d ${quoted(child.description)}`,
    );
    if (named.length > 0 || words.length === 0) return [...flags, ...named];
    return [...flags, `${at} ${fishChoices(words)}`];
  });
  return `# fish completion of grok: grok completion fish > ~/.config/fish/completions/grok.fish
function __grok_folders
  for run in runs/*/config.json runs/*/plan.json
    dirname $run
  end
  __fish_complete_directories
end
complete -c grok -f
${lines.join('\n')}
`;
}

/** What writes the completion of each shell. */
export const SHELLS: Readonly<Record<string, (commands: readonly CompletedCommand[]) => string>> = {
  bash,
  zsh,
  fish,
};
