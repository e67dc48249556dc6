import type { Command } from 'commander';
import { type DistillFlags, distillDraft, namedFolder } from '../distillation.js';
import { examples, GROUP, repeatableOption, runFlags } from '../flags.js';
import type { Io } from '../io.js';
import { parseNumber } from '../parse.js';
import { openRegistry, withRecordedPlugins } from '../plugins.js';
import { runSpec } from '../single.js';
import { finish, listPlugins, specDraft } from '../spec.js';

/** `grok distill`: a student from a finished teacher, by default the paper's. */
export function distill(program: Command, io: Io, done: (code: number) => void): void {
  const command = program.command('distill').helpGroup('Train:').optionsGroup(GROUP.distillation);
  command
    .addOption(
      repeatableOption(
        '--teacher <dir>',
        'folder of a finished run; name=dir if there are several',
      ),
    )
    .addOption(repeatableOption('--strategy <name:key=value,…>', 'distillation strategy'))
    .option(
      '--alpha <share>',
      'weight of the hard labels (default 0.5); the logit strategy gets the rest',
      (text) => parseNumber('--alpha', text),
    )
    .option(
      '--scale <factor>',
      'width of the student relative to the teacher (default 0.5)',
      (text) => parseNumber('--scale', text),
    );
  examples(
    runFlags(command, {}),
    'distill --teacher runs/teacher --strategy logit:temperature=4',
    'distill --teacher runs/teacher --strategy feature --alpha 0.3',
  )
    .description('train a student with a finished teacher (default: the paper’s student)')
    .action(async (flags: DistillFlags) => {
      const written =
        flags.spec === undefined ? { execution: {} } : specDraft(flags.spec, flags, io);
      const registry = await openRegistry(listPlugins(written, flags), io);
      const label = flags.strategy.map((text) => text.split(':')[0]).join('+') || 'distill';
      const folders = flags.teacher.map((text) => namedFolder(text, io).folder);
      const go = async (): Promise<number> => {
        const spec = finish(await distillDraft(flags, registry, io), flags, registry);
        return runSpec(label, spec, flags, registry, io);
      };
      done(await withRecordedPlugins(folders, flags, registry, io, go));
    });
}
