import type { Command } from 'commander';
import { type RunFlags, runFlags, sugarFlags } from '../flags.js';
import type { Io } from '../io.js';
import { openRegistry } from '../plugins.js';
import { runSpec } from '../single.js';
import { finish, trainDraft } from '../spec.js';

/** `grok train`: one model, by default the teacher of the paper. */
export function train(program: Command, io: Io, done: (code: number) => void): void {
  sugarFlags(runFlags(program.command('train')))
    .description('train one model (default: the paper’s teacher)')
    .action(async (flags: RunFlags) => {
      const spec = finish(trainDraft(flags, io), flags);
      const entries = [...flags.plugin, ...(spec.execution?.plugins ?? [])];
      done(await runSpec('train', spec, flags, await openRegistry(entries, io.cwd), io));
    });
}
