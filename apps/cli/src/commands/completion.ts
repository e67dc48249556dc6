import { unknownName } from '@grok/core';
import { own } from '@grok/core/internal';
import { pluginKinds } from '@grok/create-plugin';
import type { Command } from 'commander';
import { describeCommands, FILES, FOLDERS, type KnownValues, SHELLS } from '../completion.js';
import { claimsNames, presetNames } from '../documents.js';
import { examples } from '../flags.js';
import { EXIT } from '../host.js';
import type { Io } from '../io.js';
import { openRegistry } from '../plugins.js';

/** `grok completion`: a script that completes commands, options and names in a shell. */
export function completion(program: Command, io: Io, done: (code: number) => void): void {
  examples(
    program.command('completion').helpGroup('Set up:'),
    'completion bash >> ~/.bashrc',
    'completion fish > ~/.config/fish/completions/grok.fish',
  )
    .description('print a script that completes commands, options, names and run folders')
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell: string) => {
      const write = own(SHELLS, shell);
      if (write === undefined) throw unknownName('shell', shell, Object.keys(SHELLS));
      io.out.write(write(describeCommands(program, await knownNames(io))));
      done(EXIT.ok);
    });
}

async function knownNames(io: Io): Promise<KnownValues> {
  const listed = (await openRegistry([], io)).list();
  const named = (kind: string): readonly string[] =>
    listed.filter((item) => item.kind === kind).map(({ name }) => name);
  const options: KnownValues = {
    ...{ '--preset': presetNames(), '--spec': [FILES], '--claims': [...claimsNames(), FILES] },
    ...{ '--strategy': ['none', ...named('strategy')], '--op': named('task') },
    ...{ '--backend': named('backend'), '--executor': named('executor') },
    ...{ '--probe': named('probe'), '--at': ['crossing', 'last'], '--plugin': [FILES] },
    ...{ '--out': [FOLDERS], '--teacher': [FOLDERS], '--against': [FOLDERS], '--dir': [FOLDERS] },
    ...{ '--records': [FOLDERS], '--search': [FOLDERS], '--branch': [FOLDERS] },
  };
  return {
    ...options,
    ...{ dir: [FOLDERS], dirs: [FOLDERS], study: [FOLDERS], a: [FOLDERS], b: [FOLDERS] },
    ...{ plan: [...presetNames(), FOLDERS], claims: [...claimsNames(), FILES] },
    ...{ kind: pluginKinds, shell: Object.keys(SHELLS) },
  };
}
