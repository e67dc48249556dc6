import type { Command } from 'commander';
import {
  backendFlag,
  checkpointFlag,
  csvFlag,
  examples,
  GROUP,
  type OutputFlags,
  outputFlags,
  pluginFlag,
  repeatableOption,
  setFlag,
  trackFlags,
} from '../flags.js';
import type { Io } from '../io.js';
import { parseInteger } from '../parse.js';
import {
  carryOutStudy,
  dryRun,
  openStudy,
  printStudy,
  recordStudy,
  type StudyFlags,
} from '../study.js';

const RECORDS = 'folder of records of finished runs, which are not trained again';
const PLAN = 'plan file, preset, or study folder';

/** Two examples of each command. */
const EXAMPLES = {
  run: ['study run study-small --dry-run', 'study run study-small --only logit,none --jobs 2'],
  resume: ['study resume runs/study-small', 'study resume runs/study-small --retry-failed'],
  record: ['study record runs/study-small kept', 'study record runs/study-small records/small'],
  status: ['study status runs/study-small', 'study status runs/study-small --csv'],
  table: [
    'study table runs/study-small --no-times',
    'study table runs/study-small --csv > runs.csv',
  ],
} as const;

/** `grok study`: many runs from one plan, side by side, and what they say. */
export function study(program: Command, io: Io, done: (code: number) => void): void {
  const group = program
    .command('study')
    .helpGroup('Train:')
    .description('run a plan of many runs and compare its arms');
  examples(group, ...EXAMPLES.run);

  for (const name of ['run', 'resume'] as const)
    examples(runFlags(group.command(name)), ...EXAMPLES[name])
      .description(
        name === 'run' ? 'train the runs of a plan that are not finished' : 'resume a study',
      )
      .argument(name === 'run' ? '<plan>' : '<dir>', name === 'run' ? PLAN : 'the study’s folder')
      .action(async (from: string, flags: StudyFlags) => {
        const opened = await openStudy(from, flags, io, name === 'resume');
        done(await (flags.dryRun === true ? dryRun : carryOutStudy)(opened, flags, io));
      });

  examples(group.command('record'), ...EXAMPLES.record)
    .description('write each finished run as a small record (see --records)')
    .argument('<study>', 'the study’s folder')
    .argument('<dir>', 'folder to write to')
    .action(async (from: string, dir: string) => {
      done(await recordStudy(await openStudy(from, {}, io, true), dir, io));
    });

  for (const name of ['status', 'table'] as const) {
    const command = setFlag(group.command(name), 'replace one value of the plan')
      .description(
        name === 'status'
          ? 'show the state of every run'
          : 'compare arms over seeds, with tests, and list every run',
      )
      .argument('<plan>', PLAN)
      .optionsGroup(GROUP.files)
      .option('--out <dir>', 'the study’s folder, if a plan is given')
      .option('--records <dir>', RECORDS);
    csvFlag(outputFlags(command), 'the runs');
    if (name === 'table')
      command
        .option('--markdown', 'write Markdown')
        .option('--no-times', 'omit durations, so that the output is reproducible');
    examples(command, ...EXAMPLES[name]).action(
      async (from: string, flags: OutputFlags & StudyFlags) => {
        const opened = await openStudy(from, flags, io, false);
        done(await printStudy(name, opened, flags, io));
      },
    );
  }
}

function runFlags(command: Command): Command {
  setFlag(command, 'replace one value of the plan')
    .optionsGroup(GROUP.study)
    .addOption(
      repeatableOption('--only <runs>', 'names, @seeds or name@seed, separated by commas', 'all'),
    )
    .option('--records <dir>', RECORDS)
    .option('--retry-failed', 'retry runs that failed twice')
    .option('--dry-run', 'list the runs and estimate their time')
    .optionsGroup(GROUP.compute)
    .option('--jobs <n>', 'number of parallel runs (default: one per core)', (text) =>
      parseInteger('--jobs', text, 1),
    )
    .option('--threads <n>', 'threads per run (default 1)', (text) =>
      parseInteger('--threads', text, 1),
    )
    .option(
      '--executor <name[:key=value,…]>',
      'executor: processes (default), inline or a plugin’s',
    );
  pluginFlag(backendFlag(command))
    .optionsGroup(GROUP.files)
    .option('--out <dir>', 'folder to write to (default: one under runs/)');
  return outputFlags(trackFlags(checkpointFlag(command)));
}
