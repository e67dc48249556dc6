import { gridOf } from '@grok/report';
import type { Command } from 'commander';
import { presetDocument, presetNames } from '../documents.js';
import { type OutputFlags, outputFlags } from '../flags.js';
import { EXIT, human } from '../host.js';
import type { Io } from '../io.js';
import { openRegistry } from '../plugins.js';

/** `grok plugins`: everything that a specification can name. */
export function plugins(program: Command, io: Io, done: (code: number) => void): void {
  outputFlags(program.command('plugins'))
    .description('list tasks, models, strategies, backends … and presets')
    .option(
      '--plugin <entry>',
      'load a plugin: package, folder or file (repeatable)',
      (value: string, earlier: readonly string[]) => [...earlier, value],
      [],
    )
    .action(async (flags: OutputFlags & { readonly plugin: readonly string[] }) => {
      const list = (await openRegistry(flags.plugin, io.cwd)).list();
      const sorted = [...list].sort(
        (a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name),
      );
      const sink = human(io, flags);
      sink.write(
        gridOf(
          ['kind', 'name', 'options', 'package', 'summary'],
          sorted.map(({ kind, name, package: from, version, summary, options }) => [
            kind,
            name,
            Object.keys(options.properties ?? {}).join(' ') || '–',
            `${from} ${version}`,
            summary,
          ]),
          'text',
          'left',
        ),
      );
      const presets = presetNames().map((name) => [name, String(presetDocument(name).summary)]);
      sink.write(`\n${gridOf(['preset', 'summary'], presets, 'text', 'left')}`);
      if (flags.json === true) io.out.write(`${JSON.stringify({ plugins: list })}\n`);
      done(EXIT.ok);
    });
}
