import { type Command, Option } from 'commander';
import { examples, GROUP, PAPER, type RunFlags, runFlags } from '../flags.js';
import type { Io } from '../io.js';
import { openRegistry } from '../plugins.js';
import { runSpec } from '../single.js';
import { branchDraft, finish, listPlugins, parseBranch, trainDraft } from '../spec.js';

/** `grok train`: one model, by default the teacher of the paper. */
export function trainRun(program: Command, io: Io, done: (code: number) => void): void {
  const command = program.command('train').helpGroup('Train:').optionsGroup(GROUP.start);
  command.addOption(
    new Option(
      '--branch <run@step>',
      'continue from a checkpoint of another run, as a new run',
    ).conflicts(['preset', 'spec']),
  );
  examples(
    runFlags(command, PAPER),
    'train --op div --p 23 --dim 32 --epochs 100 --out runs/teacher',
    'train --set optimizer.options.weightDecay=0.1 --seed 7',
  )
    .description('train one model (default: the paper’s teacher)')
    .action(async (flags: RunFlags) => {
      const from = flags.branch === undefined ? undefined : parseBranch(flags.branch);
      const draft = from === undefined ? trainDraft(flags, io) : await branchDraft(from, io);
      const registry = await openRegistry(listPlugins(draft, flags), io);
      done(await runSpec('train', finish(draft, flags, registry), flags, registry, io, from));
    });
}
