import type { Command } from 'commander';
import { type OutputFlags, outputFlags, pluginFlag, trackFlags } from '../flags.js';
import type { Io } from '../io.js';
import { wholeOf } from '../parse.js';
import {
  carryOutStudy,
  dryRun,
  openStudy,
  printStudy,
  recordStudy,
  type StudyFlags,
} from '../study.js';

const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [
  ...earlier,
  value,
];
const RECORDS = 'folder of finished runs’ records, which are taken for done';
const PLAN = 'a plan’s file, a preset, or the folder of a study';

/** `grok study`: many runs from one plan, side by side, and what they say. */
export function study(program: Command, io: Io, done: (code: number) => void): void {
  const group = program
    .command('study')
    .description('carry out a plan of many runs, and compare its arms');

  for (const name of ['run', 'resume'] as const)
    runFlags(group.command(name))
      .description(
        name === 'run' ? 'do what a plan still lacks' : 'go on with a study that stopped',
      )
      .argument('<plan>', name === 'run' ? PLAN : 'the study’s folder')
      .action(async (from: string, flags: StudyFlags) => {
        const opened = await openStudy(from, flags, io, name === 'resume');
        done(await (flags.dryRun === true ? dryRun : carryOutStudy)(opened, flags, io));
      });

  group
    .command('record')
    .description('write each finished run as a small file, which --records takes for done')
    .argument('<study>', 'the study’s folder')
    .argument('<dir>', 'folder to write to')
    .action(async (from: string, dir: string) => {
      done(await recordStudy(await openStudy(from, {}, io, true), dir, io));
    });

  for (const name of ['status', 'table'] as const) {
    const command = outputFlags(group.command(name))
      .description(
        name === 'status' ? 'where every run stands' : 'arms over seeds, tests, every run',
      )
      .argument('<plan>', PLAN)
      .option('--out <dir>', 'the study’s folder, where a plan is given')
      .option('--records <dir>', RECORDS)
      .option('--set <path=value>', 'replace one value of the plan (repeatable)', collect, []);
    if (name === 'table')
      command
        .option('--markdown', 'write Markdown')
        .option('--no-times', 'leave out the seconds: all else is the same whenever it is made');
    command.action(async (from: string, flags: OutputFlags & StudyFlags) => {
      const opened = await openStudy(from, flags, io, false);
      done(await printStudy(name, opened, flags, io));
    });
  }
}

function runFlags(command: Command): Command {
  return pluginFlag(trackFlags(outputFlags(command)))
    .option('--out <dir>', 'folder to write to (default: one under runs/)')
    .option('--jobs <n>', 'runs at once (default: one a core)', (text) =>
      wholeOf('--jobs', text, 1),
    )
    .option(
      '--executor <name[:key=value,…]>',
      'what carries the runs out: processes (default), inline or a plugin’s',
    )
    .option('--only <runs>', 'names, @seeds, name@seed, with commas (repeatable)', collect, [])
    .option('--records <dir>', RECORDS)
    .option('--dry-run', 'list the runs and estimate their time')
    .option('--retry-failed', 'try runs again that failed twice')
    .option('--set <path=value>', 'replace one value of the plan (repeatable)', collect, [])
    .option(
      '--backend <name[:key=value,…]>',
      'onnx, wasm, node-gpu or a plugin’s (default: GROK_BACKEND, else onnx)',
    )
    .option('--threads <n>', 'threads of each run (default 1)', (text) =>
      wholeOf('--threads', text, 1),
    )
    .option('--checkpoint-every <n>', 'epochs between checkpoints', (text) =>
      wholeOf('--checkpoint-every', text, 1),
    );
}
