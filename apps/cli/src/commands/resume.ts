import { resolve } from 'node:path';
import { type Execution, InputError, readConfig } from '@grok/core';
import { readPlan } from '@grok/study';
import type { Command } from 'commander';
import {
  type ComputeFlags,
  computeFlags,
  examples,
  GROUP,
  outputFlags,
  trackFlags,
} from '../flags.js';
import { storeAt } from '../host.js';
import type { Io } from '../io.js';
import { parseInteger } from '../parse.js';
import { openRegistry, withRecordedPlugins } from '../plugins.js';
import { carryOutPlan } from '../reproduction.js';
import { resumeIn } from '../single.js';
import { carryOutStudy, openStudy } from '../study.js';

type ResumeFlags = ComputeFlags & {
  readonly teacher?: string;
  readonly epochs?: number;
  readonly steps?: number;
};

/** `grok resume`: goes on where a run, a reproduction or a study stopped. */
export function resume(program: Command, io: Io, done: (code: number) => void): void {
  const command = program.command('resume').helpGroup('Train:').optionsGroup(GROUP.start);
  command
    .description('resume a run, a reproduction or a study')
    .argument('<dir>', 'its folder')
    .option('--teacher <dir>', 'folder of its teacher, if it was moved')
    .option('--epochs <n>', 'extend a run to this many epochs', (text) =>
      parseInteger('--epochs', text, 1),
    )
    .option('--steps <n>', 'extend a run to this many optimizer steps', (text) =>
      parseInteger('--steps', text, 1),
    );
  examples(
    outputFlags(computeFlags(trackFlags(command))),
    'resume runs/teacher',
    'resume runs/teacher --epochs 300',
  ).action(async (folder: string, flags: ResumeFlags) => {
    const length = readLength(flags);
    const store = storeAt(folder, io);
    const plan = await readPlan(store);
    // Both have a plan; a study has a journal, and goes on without the runs that fail.
    if (plan !== undefined && Object.keys(length).length > 0)
      throw new InputError(
        `--epochs and --steps: work only for a single run, ${folder} has many; change its plan`,
      );
    if (plan !== undefined && (await store.list('')).includes('journal.jsonl'))
      return done(await carryOutStudy(await openStudy(folder, {}, io, true), flags, io));
    if (plan !== undefined) {
      const registry = await openRegistry(flags.plugin, io);
      return done(await carryOutPlan(plan, folder, {}, flags, registry, io));
    }
    const { execution } = await readConfig(store);
    const registry = await openRegistry(flags.plugin, io);
    const teachers = {
      ...findTeachers(execution, (from) => resolve(io.cwd, folder, from)),
      ...(flags.teacher === undefined ? {} : { teacher: flags.teacher }),
    };
    const go = (): Promise<number> => resumeIn(folder, flags, registry, teachers, io, length);
    done(await withRecordedPlugins([folder], flags, registry, io, go));
  });
}

/** The length that is asked for. @throws InputError on two. */
function readLength({ epochs, steps }: ResumeFlags): Pick<ResumeFlags, 'epochs' | 'steps'> {
  if (epochs !== undefined && steps !== undefined)
    throw new InputError('--steps: cannot be combined with --epochs; give one of them');
  if (epochs !== undefined) return { epochs };
  return steps === undefined ? {} : { steps };
}

/** The folders of a run's teachers, which its execution names as seen from its own. */
function findTeachers(
  execution: Execution | undefined,
  at: (folder: string) => string,
): Record<string, string> {
  const named = Object.entries(execution?.teachers ?? {});
  return Object.fromEntries(named.map(([name, folder]) => [name, at(folder)]));
}
