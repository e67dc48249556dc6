import { type Execution, InputError, type Registry, type RunEvent } from '@grok/core';
import { createTrackers, resendRun, type TrackerUse } from '@grok/core/internal';
import type { Command } from 'commander';
import { examples, type OutputFlags, outputFlags, pluginFlag, trackFlags } from '../flags.js';
import { openFolder } from '../folders.js';
import { EXIT, human, locked } from '../host.js';
import type { Io } from '../io.js';
import { parseTrackers } from '../parse.js';
import { openRegistry, withRecordedPlugins } from '../plugins.js';

interface Flags extends OutputFlags {
  readonly plugin: readonly string[];
  readonly track?: readonly string[];
}
/** One run of the answer. */
interface Synced {
  readonly out: string;
  readonly trackers: readonly string[];
  /** What could not be sent, a sentence a tracker. */
  readonly failures: readonly string[];
}

/** `grok track`: what trackers missed of recorded runs. */
export function track(program: Command, io: Io, done: (code: number) => void): void {
  const group = program
    .command('track')
    .helpGroup('Look:')
    .description('send recorded runs to their trackers');
  examples(group, 'track sync runs/teacher', 'track sync runs/study-small --track mlflow');
  const command = outputFlags(trackFlags(pluginFlag(group.command('sync'))));
  examples(command, 'track sync runs/teacher', 'track sync runs/study-small --track mlflow')
    .description('send what trackers do not have yet; exit with 1 if some could not be sent')
    .argument('<dir>', 'the folder of a run or a study')
    .action(async (folder: string, flags: Flags) => {
      const { runs, leftOut } = await openFolder(folder, io);
      const registry = await openRegistry(flags.plugin, io);
      const sink = human(io, flags);
      const synced: Synced[] = [];
      // A run that several overrides share stands under each of them.
      const byFolder = new Map(runs.map((run) => [run.store.where, run]));
      for (const [where, { manifest }] of byFolder) {
        const uses = findUses(flags, manifest.execution, where);
        const result = await withRecordedPlugins([where], flags, registry, io, () =>
          syncRun(where, uses, registry, io),
        );
        synced.push(result);
        for (const failure of result.failures) io.err.write(`grok: ${where}: ${failure}\n`);
        if (result.failures.length === 0)
          sink.write(`${where}: ${result.trackers.join(', ')} up to date\n`);
      }
      if (flags.json === true) io.out.write(`${JSON.stringify({ runs: synced, leftOut })}\n`);
      const failed = leftOut.length > 0 || synced.some(({ failures }) => failures.length > 0);
      done(failed ? EXIT.failed : EXIT.ok);
    });
}

/** Tells a run to its trackers while nobody else works in its folder. */
function syncRun(
  where: string,
  uses: readonly TrackerUse[],
  registry: Registry,
  io: Io,
): Promise<Synced> {
  const trackers = createTrackers(registry, uses);
  const failures: string[] = [];
  const listener = (event: RunEvent): void => {
    if (event.type === 'notice') failures.push(event.message);
  };
  return locked(where, io, async ({ store }) => {
    await resendRun(store, { trackers, listeners: [listener] });
    return { out: where, trackers: Object.keys(trackers), failures };
  });
}

/** The trackers of the flag, else those that the run had. @throws InputError where there are none. */
function findUses(
  { track: texts }: Flags,
  execution: Execution,
  where: string,
): readonly TrackerUse[] {
  const uses = texts === undefined ? (execution.trackers ?? []) : parseTrackers(texts);
  if (uses.length === 0) throw new InputError(`${where}: has no tracker; name one: --track mlflow`);
  return uses;
}
