import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { InputError, RunError, unknownName } from '@grok/core';
import {
  componentName,
  createPlugin,
  isPluginKind,
  PluginNameError,
  type PluginPackage,
  pluginKinds,
  writePlugin,
} from '@grok/create-plugin';
import type { Command } from 'commander';
import { examples, GROUP, type OutputFlags, outputFlags } from '../flags.js';
import { checkWritable, EXIT, human, shown } from '../host.js';
import type { Io } from '../io.js';
import { listBuiltIn } from '../plugins.js';

interface NewFlags extends OutputFlags {
  readonly dir?: string;
  readonly install: boolean;
}

/** `grok new`: a plugin's package that builds and passes its suite, to be filled with one's own idea. */
export function newPlugin(program: Command, io: Io, done: (code: number) => void): void {
  const command = program.command('new').helpGroup('Set up:').optionsGroup(GROUP.files);
  command
    .description('create a plugin package: strategy, backend, task, optimizer or probe')
    .argument('<kind>', 'strategy, backend, task, optimizer or probe')
    .argument('<name>', 'such as rkd, or @me/rkd')
    .option('--dir <folder>', 'folder to create (default: the package’s name)')
    .option('--no-install', 'in the monorepo: do not update the lockfile');
  examples(outputFlags(command), 'new strategy rkd', 'new task @me/parity --dir parity').action(
    (kind: string, name: string, flags: NewFlags) => {
      const created = write(kind, name, flags.dir, io);
      if (created.monorepo !== undefined) enrol(created, created.monorepo, flags.install);
      tell(created, flags, io);
      done(EXIT.ok);
    },
  );
}

/** Writes the package. @throws InputError on an unknown kind, a name or a folder that is taken or cannot be. */
function write(kind: string, given: string, dir: string | undefined, io: Io): PluginPackage {
  if (!isPluginKind(kind)) throw unknownName('kind', kind, pluginKinds);
  try {
    const name = componentName(given);
    const own = listBuiltIn().find((item) => item.kind === kind && item.name === name);
    if (own !== undefined)
      throw new PluginNameError(
        `${kind} "${name}" is built in (${own.package}); choose another name`,
      );
    const created = createPlugin(kind, given, { cwd: io.cwd, dir });
    checkWritable(created.folder, shown(created.folder, io), io);
    writePlugin(created, shown(created.folder, io));
    return created;
  } catch (error) {
    if (!(error instanceof PluginNameError)) throw error;
    throw new InputError(`grok new: ${error.message}`, { cause: error });
  }
}

/** Makes a package known to the monorepo: the root's references, and the lockfile. */
function enrol(created: PluginPackage, root: string, install: boolean): void {
  const file = join(root, 'tsconfig.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as { references: { path: string }[] };
  const path = relative(root, created.folder).replaceAll('\\', '/');
  const packages = config.references.filter((item) => item.path.startsWith('packages/'));
  const others = config.references.filter((item) => !item.path.startsWith('packages/'));
  const references = [...packages, { path }].sort((a, b) => (a.path < b.path ? -1 : 1));
  writeFileSync(
    file,
    `${JSON.stringify({ ...config, references: [...references, ...others] }, null, 2)}\n`,
  );
  if (!install) return;
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const win = process.platform === 'win32';
  const { status, error, stdout, stderr } = spawnSync(
    win ? 'npx.cmd' : 'npx',
    ['--yes', '--ignore-scripts', packageManager, 'install', '--no-frozen-lockfile'],
    { cwd: root, encoding: 'utf8', shell: win },
  );
  if (error !== undefined || status !== 0)
    throw new RunError(
      `${created.packageName}: created, but its installation failed: ${error?.message ?? `${stdout}${stderr}`.trim()}`,
    );
}

function tell(
  { folder, packageName, name, monorepo, files }: PluginPackage,
  flags: OutputFlags,
  io: Io,
): void {
  const sink = human(io, flags);
  const at = shown(folder, io);
  const steps =
    monorepo === undefined
      ? [`cd ${at}`, 'npm install', 'npm run build', 'npm test']
      : [
          'npm run docs:api',
          `npx vitest run --project node ${relative(monorepo, folder).replaceAll('\\', '/')}`,
        ];
  sink.write(`${packageName} in ${at}: ${Object.keys(files).join(', ')}\n`);
  for (const step of steps) sink.write(`  ${step}\n`);
  sink.write(`then: grok plugins --plugin ${at.startsWith('.') ? at : `./${at}`} shows ${name}\n`);
  if (flags.json === true)
    io.out.write(
      `${JSON.stringify({ package: packageName, name, out: at, files: Object.keys(files) })}\n`,
    );
}
