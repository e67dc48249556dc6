import { evaluateRun, readConfig } from '@grok/core';
import { type Command, Option } from 'commander';
import { type ComputeFlags, computeFlags, examples, GROUP, outputFlags } from '../flags.js';
import { EXIT, human, storeAt } from '../host.js';
import type { Io } from '../io.js';
import { openRegistry, withRecordedPlugins } from '../plugins.js';
import { readingExecution } from '../spec.js';

const ROWS = { train: 'train', val: 'validation', all: 'all' } as const;

/** `grok eval`: loss and accuracy of a run's newest checkpoint. */
export function evaluate(program: Command, io: Io, done: (code: number) => void): void {
  const command = program.command('eval').helpGroup('Look:').optionsGroup(GROUP.look);
  command
    .description('loss and accuracy of a run’s newest checkpoint')
    .argument('<dir>', 'the run’s folder')
    .addOption(new Option('--on <rows>', 'which rows').choices(Object.keys(ROWS)).default('val'));
  examples(
    outputFlags(computeFlags(command)),
    'eval runs/teacher',
    'eval runs/teacher --on all --json',
  ).action(async (folder: string, flags: ComputeFlags & { readonly on: keyof typeof ROWS }) => {
    const store = storeAt(folder, io);
    const { run, execution } = await readConfig(store);
    const registry = await openRegistry(flags.plugin, io);
    const score = await withRecordedPlugins([folder], flags, registry, io, () =>
      evaluateRun({ registry, store }, ROWS[flags.on], readingExecution(execution, flags, io)),
    );
    const result = { run, on: flags.on, ...score, out: store.where };
    for (const { file, reason } of score.damaged)
      io.err.write(`grok: ${file} is skipped: ${reason}\n`);
    human(io, flags).write(
      `${store.where}, epoch ${score.epoch}, ${score.rows} rows (${flags.on}): loss ${score.loss.toFixed(6)}, accuracy ${(100 * score.accuracy).toFixed(2)} %\n`,
    );
    if (flags.json === true) io.out.write(`${JSON.stringify(result)}\n`);
    done(EXIT.ok);
  });
}
