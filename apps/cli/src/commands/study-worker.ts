import { serveJob } from '@grok/study/process';
import type { Command } from 'commander';
import type { Io } from '../io.js';
import { openRegistry } from '../plugins.js';

/** One run of a study in a process of its own; started by `grok study run`, never by hand. */
export function studyWorker(program: Command, io: Io): void {
  program
    .command('study-worker', { hidden: true })
    .option(
      '--plugin <entry>',
      '',
      (value: string, earlier: readonly string[]) => [...earlier, value],
      [],
    )
    .action(async (flags: { readonly plugin: readonly string[] }) => {
      const registry = await openRegistry(flags.plugin, io);
      await serveJob({ registry, versions: { node: process.versions.node } });
    });
}
