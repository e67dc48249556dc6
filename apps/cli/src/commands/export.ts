import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import {
  type ExportedModel,
  type ExportedRun,
  type ExportSource,
  InputError,
  type Registry,
  RunError,
} from '@grok/core';
import { createExporter, readModel } from '@grok/core/internal';
import type { BegunRun } from '@grok/study';
import type { Command } from 'commander';
import { examples, GROUP, type OutputFlags, outputFlags, pluginFlag } from '../flags.js';
import { type OpenedFolder, openFolder } from '../folders.js';
import { checkWritable, EXIT, human, shown } from '../host.js';
import type { Io } from '../io.js';
import { parseExporter, parseInteger } from '../parse.js';
import { openRegistry, withRecordedPlugins } from '../plugins.js';

interface Flags extends OutputFlags {
  readonly plugin: readonly string[];
  readonly out?: string;
  readonly step?: number;
}

/** `grok export`: a run or a study in the form that another tool reads. */
export function exportRun(program: Command, io: Io, done: (code: number) => void): void {
  const command = program.command('export').helpGroup('Look:').optionsGroup(GROUP.files);
  command
    .description('write a run or a study as another tool reads it')
    .argument(
      '<exporter>',
      'csv, parquet, huggingface, transformerlens, onnx or a plugin’s; options as NAME:key=value,…',
    )
    .argument('<dir>', 'the run’s folder, or a study’s')
    .option('--out <dir>', 'where to write (default: export/EXPORTER in that folder)')
    .option('--step <n>', 'checkpoint of the model (default: the last)', (text) =>
      parseInteger('--step', text),
    );
  examples(
    outputFlags(pluginFlag(command)),
    'export parquet runs/study-small',
    `export 'onnx:sites=["blocks.*.hook_resid_post"]' runs/teacher`,
  ).action(async (text: string, folder: string, flags: Flags) => {
    const { use, options } = parseExporter(text);
    const registry = await openRegistry(flags.plugin, io);
    const exporter = createExporter(registry, use, options);
    const opened = await openFolder(folder, io);
    const out = flags.out ?? join(opened.root.where, 'export', use);
    checkOut(out, flags, io);
    const files = await withRecordedPlugins([folder], flags, registry, io, () =>
      exporter(describeSource(opened, registry, flags)),
    );
    const names = writeFiles(files, out, io);
    if (flags.quiet !== true) human(io, flags).write(`${names.join('\n')}\n`);
    if (flags.json === true)
      io.out.write(
        `${JSON.stringify({ exporter: use, out, files: names, leftOut: opened.leftOut })}\n`,
      );
    done(EXIT.ok);
  });
}

function describeSource(
  { root, plan, runs, single }: OpenedFolder,
  registry: Registry,
  { step }: Flags,
): ExportSource {
  return {
    title: plan?.name ?? basename(resolve(root.where)),
    runs: runs.map(describeRun),
    async model(): Promise<ExportedModel> {
      const [run, ...others] = runs;
      if (run === undefined || others.length > 0 || !single)
        throw new InputError(
          `${root.where}: has ${runs.length} runs, and this exporter writes the model of one; give the folder of a run`,
        );
      return { run: describeRun(run), ...(await readModel(run.store, registry, step)) };
    },
  };
}

/** A run under the key that its plan gives it; else under its folder's name. */
function describeRun({ key, run, store, role, name, override, ...rest }: BegunRun): ExportedRun {
  const { experiment, manifest, history } = rest;
  return {
    key: key === run ? basename(resolve(store.where)) : key,
    ...{ name, role, experiment, manifest, history },
    ...(override === undefined ? {} : { override }),
  };
}

/** @throws InputError where the files cannot be written, or would mix with those of a run. */
function checkOut(out: string, { out: requested }: Flags, io: Io): void {
  const path = resolve(io.cwd, out);
  const what = requested === undefined ? out : `--out ${out}`;
  for (const file of ['manifest.json', 'plan.json'])
    if (existsSync(join(path, file)))
      throw new InputError(`${what}: is the folder of a run or a study; choose another folder`);
  checkWritable(out, what, io);
}

function writeFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
  out: string,
  io: Io,
): readonly string[] {
  return Object.entries(files).map(([name, content]) => {
    const path = join(resolve(io.cwd, out), name);
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    } catch (error) {
      throw new RunError(`cannot write ${path}: ${(error as Error).message}`);
    }
    return shown(join(out, name), io);
  });
}
