import { buildSpecSchema } from '@grok/core';
import type { Listing } from '@grok/core/internal';
import { formatCsv, layOut } from '@grok/report';
import type { Command } from 'commander';
import { presetNames, presetPlan } from '../documents.js';
import { csvFlag, examples, GROUP, type OutputFlags, outputFlags, pluginFlag } from '../flags.js';
import { EXIT, human } from '../host.js';
import type { Io } from '../io.js';
import { openRegistry, searchPlugins } from '../plugins.js';

interface PluginsFlags extends OutputFlags {
  readonly plugin: readonly string[];
  readonly search?: string;
  readonly schema?: boolean;
}

/** `grok plugins`: everything that a specification can name. */
export function plugins(program: Command, io: Io, done: (code: number) => void): void {
  const command = program.command('plugins').helpGroup('Set up:').optionsGroup(GROUP.look);
  command
    .description('list tasks, models, strategies, backends … and presets')
    .option(
      '--search <folder>',
      'list installed plugins, such as those in node_modules, without loading them',
    )
    .option('--schema', 'print the JSON Schema of specifications, for editors');
  examples(
    csvFlag(outputFlags(pluginFlag(command)), 'what can be named'),
    'plugins --wide',
    'plugins --plugin ./my-plugin',
  ).action(async (flags: PluginsFlags) => {
    if (flags.search !== undefined) {
      search(flags.search, flags, io);
      done(EXIT.ok);
      return;
    }
    const registry = await openRegistry(flags.plugin, io);
    if (flags.schema === true) {
      const indent = flags.json === true ? 0 : 2; // the last line is the whole
      io.out.write(`${JSON.stringify(buildSpecSchema(registry), null, indent)}\n`);
      done(EXIT.ok);
      return;
    }
    const list = registry.list();
    const sorted = [...list].sort(
      (a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name),
    );
    const sink = human(io, flags);
    const layout = { style: 'text', align: 'left', width: sink.width } as const;
    if (flags.csv === true) {
      io.out.write(
        formatCsv(
          sorted.map(({ kind, name, ...rest }) => ({
            kind,
            name,
            ...rest,
            options: optionNames(rest),
          })),
        ),
      );
      done(EXIT.ok);
      return;
    }
    sink.write(
      layOut(
        ['kind', 'name', 'options', 'package', 'summary'],
        sorted.map(({ kind, name, package: from, version, summary, options }) => [
          kind,
          name,
          optionNames({ options }).join(' ') || '–',
          `${from} ${version}`,
          summary,
        ]),
        { ...layout, wrap: ['summary'], drop: ['package', 'options'] },
      ),
    );
    const presets = presetNames().map((name) => [name, presetPlan(name).summary]);
    sink.write(`\n${layOut(['preset', 'summary'], presets, { ...layout, wrap: ['summary'] })}`);
    if (flags.json === true) io.out.write(`${JSON.stringify({ plugins: list })}\n`);
    done(EXIT.ok);
  });
}

/** Names of a component's options. */
function optionNames({ options }: Pick<Listing, 'options'>): readonly string[] {
  return Object.keys(options.properties ?? {});
}

/** What is installed, by its manifests alone: loading it is for who names it. */
function search(folder: string, flags: PluginsFlags, io: Io): void {
  const found = searchPlugins(folder, io.cwd);
  const rows = found.map(({ name, version, description }) => [`${name} ${version}`, description]);
  const sink = human(io, flags);
  if (flags.csv === true) io.out.write(formatCsv(found));
  else if (found.length === 0)
    sink.write(`${folder}: no package with the keyword grok-plugin, except those built in\n`);
  else {
    const layout = { style: 'text', align: 'left', width: sink.width } as const;
    const grid = layOut(['package', 'description'], rows, { ...layout, wrap: ['description'] });
    sink.write(`${grid}\nload one: --plugin ${found[0]!.name}\n`);
  }
  if (flags.json === true) io.out.write(`${JSON.stringify({ found })}\n`);
}
