import type { Command } from 'commander';
import { examples, PAPER, type RunFlags, runFlags } from '../flags.js';
import type { Io } from '../io.js';
import { openRegistry } from '../plugins.js';
import { runSpec } from '../single.js';
import { finish, pluginsOf, trainDraft } from '../spec.js';

/** `grok train`: one model, by default the teacher of the paper. */
export function trainRun(program: Command, io: Io, done: (code: number) => void): void {
  examples(
    runFlags(program.command('train').helpGroup('Train:'), PAPER),
    'train --op div --p 23 --dim 32 --epochs 100 --out runs/teacher',
    'train --set optimizer.options.weightDecay=0.1 --seed 7',
  )
    .description('train one model (default: the paper’s teacher)')
    .action(async (flags: RunFlags) => {
      const draft = trainDraft(flags, io);
      const registry = await openRegistry(pluginsOf(draft, flags), io);
      done(await runSpec('train', finish(draft, flags, registry), flags, registry, io));
    });
}
