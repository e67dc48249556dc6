import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { InputError, RunError } from '@grok/core';
import type { Command } from 'commander';
import { examples, GROUP, type OutputFlags, outputFlags } from '../flags.js';
import { checkWritable, EXIT, human, shown } from '../host.js';
import type { Io } from '../io.js';
import { type Scaffold, scaffold } from '../scaffold.js';

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
      const created = scaffold(kind, name, io.cwd, flags.dir);
      checkWritable(created.folder, shown(created.folder, io), io);
      if (existsSync(created.folder) && readdirSync(created.folder).length > 0)
        throw new InputError(
          `${shown(created.folder, io)}: already exists; choose another name, or a folder with --dir`,
        );
      for (const [path, text] of Object.entries(created.files)) {
        mkdirSync(dirname(join(created.folder, path)), { recursive: true });
        writeFileSync(join(created.folder, path), text);
      }
      if (created.monorepo !== undefined) enrol(created, created.monorepo, flags.install);
      tell(created, flags, io);
      done(EXIT.ok);
    },
  );
}

/** Makes a package known to the monorepo: the root's references, and the lockfile. */
function enrol(created: Scaffold, root: string, install: boolean): void {
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
  { folder, packageName, name, monorepo, files }: Scaffold,
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
