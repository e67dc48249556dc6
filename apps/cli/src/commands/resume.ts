import { resolve } from 'node:path';
import { InputError, readConfig } from '@grok/core';
import { readPlan } from '@grok/study';
import type { Command } from 'commander';
import { type ComputeFlags, computeFlags, trackFlags } from '../flags.js';
import { storeAt } from '../host.js';
import type { Io } from '../io.js';
import { wholeOf } from '../parse.js';
import { openRegistry, withPluginsOf } from '../plugins.js';
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
  trackFlags(computeFlags(program.command('resume')))
    .description('go on with a run, a reproduction or a study that stopped')
    .argument('<dir>', 'its folder')
    .option('--teacher <dir>', 'where its teacher is now')
    .option('--epochs <n>', 'train a run on to so many epochs', (text) =>
      wholeOf('--epochs', text, 1),
    )
    .option('--steps <n>', 'train a run on to so many optimizer steps', (text) =>
      wholeOf('--steps', text, 1),
    )
    .action(async (folder: string, flags: ResumeFlags) => {
      const { epochs, steps } = flags;
      if (epochs !== undefined && steps !== undefined)
        throw new InputError('--steps: must not stand beside --epochs; give one of them');
      const length = {
        ...(epochs === undefined ? {} : { epochs }),
        ...(steps === undefined ? {} : { steps }),
      };
      const store = storeAt(folder, io);
      const plan = await readPlan(store);
      // Both have a plan; a study has a journal, and goes on without the runs that fail.
      if (plan !== undefined && Object.keys(length).length > 0)
        throw new InputError(
          `--epochs and --steps: are for the folder of one run, and ${folder} has many; change its plan`,
        );
      if (plan !== undefined && (await store.list('')).includes('journal.jsonl'))
        return done(await carryOutStudy(await openStudy(folder, {}, io, true), flags, io));
      if (plan !== undefined) {
        const registry = await openRegistry(flags.plugin, io.cwd);
        return done(await carryOutPlan(plan, folder, {}, flags, registry, io));
      }
      const { execution } = await readConfig(store);
      const registry = await openRegistry(flags.plugin, io.cwd);
      const teachers = Object.fromEntries(
        Object.entries(execution?.teachers ?? {}).map(([name, from]) => [
          name,
          resolve(io.cwd, folder, from),
        ]),
      );
      const moved = flags.teacher === undefined ? {} : { teacher: flags.teacher };
      const all = { ...teachers, ...moved };
      const go = (): Promise<number> => resumeIn(folder, flags, registry, all, io, length);
      done(await withPluginsOf(execution?.plugins ?? [], flags.plugin, go));
    });
}
