import type { Command } from 'commander';
import { type RunFlags, runFlags, sugarFlags } from '../flags.js';
import type { Io } from '../io.js';
import { openRegistry } from '../plugins.js';
import { runSpec } from '../single.js';
import { finish, pluginsOf, trainDraft } from '../spec.js';

/** `grok train`: one model, by default the teacher of the paper. */
export function trainRun(program: Command, io: Io, done: (code: number) => void): void {
  sugarFlags(runFlags(program.command('train')))
    .description('train one model (default: the paper’s teacher)')
    .action(async (flags: RunFlags) => {
      const draft = trainDraft(flags, io);
      const registry = await openRegistry(pluginsOf(draft, flags), io);
      done(await runSpec('train', finish(draft, flags, registry), flags, registry, io));
    });
}
