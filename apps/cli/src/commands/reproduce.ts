import { type Execution, InputError, type Registry, unknownName } from '@grok/core';
import { checkPlan, isObject, type JsonObject, merge, withChanges } from '@grok/study';
import type { Command } from 'commander';
import { readPreset, readWritten } from '../documents.js';
import { examples, type RunFlags, runFlags } from '../flags.js';
import { freshFolder } from '../host.js';
import type { Io } from '../io.js';
import { parseAssignment } from '../parse.js';
import { openRegistry } from '../plugins.js';
import { carryOutPlan } from '../reproduction.js';
import { changed } from '../set.js';

/** `grok reproduce`: a teacher, the control and the students, with table and curves. */
export function reproduce(program: Command, io: Io, done: (code: number) => void): void {
  const command = program.command('reproduce', { isDefault: true }).helpGroup('Train:');
  examples(
    runFlags(command),
    'reproduce --preset paper --seed 42',
    'reproduce --preset paper --set shared.epochs=300 --out runs/longer',
  )
    .description(
      'train a teacher, a control and three students; write table and curves (default command)',
    )
    .action(async (flags: RunFlags) => {
      const registry = await openRegistry(flags.plugin, io);
      const plan = choosePlan(flags, registry, io);
      const named = `runs/reproduce-${plan.name}-${plan.seeds.join('-')}`.replace(/[^\w/.-]/g, '_');
      const folder = freshFolder(flags.out ?? named, 'plan.json', io);
      const written: Execution =
        flags.checkpointEvery === undefined ? {} : { checkpointEvery: flags.checkpointEvery };
      done(await carryOutPlan(plan, folder, written, flags, registry, io));
    });
}

function choosePlan(flags: RunFlags, registry: Registry, io: Io): ReturnType<typeof checkPlan> {
  if (flags.spec !== undefined && flags.preset !== undefined)
    throw new InputError('--spec and --preset: cannot be combined; give one of them');
  const { what, text, value } =
    flags.spec === undefined
      ? readPreset(flags.preset ?? 'paper')
      : readWritten('spec', flags.spec, io.cwd);
  const { arms } = checkPlan(value, what, text);
  let document = value;
  if (flags.seed !== undefined) document = { ...document, seeds: [flags.seed] };
  if (flags.splitSeed !== undefined) document = withSplitSeed(document, flags.splitSeed, what);
  if (flags.allowLeak === true) document = merge(document, { student: { allowLeak: true } });
  const changes = flags.set.map(parseAssignment);
  for (const {
    path: [part, arm],
  } of changes)
    if (part === 'arms' && arm !== undefined && !Object.hasOwn(arms, arm))
      throw unknownName('arm', arm, Object.keys(arms));
  const given = [
    ...(flags.splitSeed === undefined ? [] : [`shared.splitSeed=${flags.splitSeed}`]),
    ...(flags.allowLeak === true ? ['student.allowLeak=true'] : []),
    ...flags.set,
  ];
  return withChanges(checkPlan(changed(document, changes, registry), `${what} with --set`), given);
}

function withSplitSeed(document: JsonObject, splitSeed: number, what: string): JsonObject {
  const own = ['teacher', 'student'].filter((name) => {
    const part = document[name];
    return isObject(part) && part.splitSeed !== undefined;
  });
  if (own.length > 0)
    throw new InputError(
      `--split-seed: ${what} sets its own split seed for ${own.join(' and ')}; use --set ${own[0]}.splitSeed=${splitSeed}`,
    );
  return merge(document, { shared: { splitSeed } });
}
