import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { type AtlasProgress, type MeasuredRun, measureAtlas } from '@grok/analysis';
import { InputError, isRunError, openBackend, RunError } from '@grok/core';
import { buildAtlas, formatLabel } from '@grok/report';
import { type BegunRun, describePlan, nameStrategies } from '@grok/study';
import type { Command } from 'commander';
import { type ComputeFlags, computeFlags, examples, GROUP, outputFlags } from '../flags.js';
import { type OpenedFolder, openFolder } from '../folders.js';
import { checkWritable, EXIT, human } from '../host.js';
import type { Io } from '../io.js';
import { openRegistry, withRecordedPlugins } from '../plugins.js';
import { clock, progressLines } from '../progress-lines.js';
import { readingExecution } from '../spec.js';

interface Flags extends ComputeFlags {
  readonly out?: string;
  readonly hessian?: boolean;
}

/** `grok atlas`: what is inside a run, or every run of a study, as one page of figures. */
export function atlas(program: Command, io: Io, done: (code: number) => void): void {
  const command = program.command('atlas').helpGroup('Look:').optionsGroup(GROUP.look);
  command
    .description('write atlas.html: figures of what is inside a run, or every run of a study')
    .argument('<dir>', 'the run’s folder, or a study’s')
    .option('--hessian', 'also measure curvature of the loss: about 200 gradients a run')
    .optionsGroup(GROUP.files)
    .option('--out <file>', 'file to write (default: atlas.html in the same folder)');
  examples(
    outputFlags(computeFlags(command)),
    'atlas runs/student',
    'atlas runs/study-small --out atlas.html',
  ).action(async (folder: string, flags: Flags) => {
    const opened = nameRuns(await openFolder(folder, io));
    const file = flags.out ?? join(opened.root.where, 'atlas.html');
    checkTarget(file, flags, io);
    if (!opened.runs.some(({ manifest }) => manifest.status === 'finished'))
      throw new InputError(`${opened.root.where}: no run is finished yet; resume it first`);
    let measured: Measured;
    try {
      measured = await measure(folder, opened, flags, io);
    } catch (error) {
      if (!(isRunError(error) && io.signal.aborted)) throw error;
      io.err.write(`grok: interrupted; continue with: grok atlas ${folder}\n`);
      return done(EXIT.interrupted);
    }
    const { page, figures } = await buildAtlas({
      ...describe(opened),
      command: `grok atlas ${folder}`,
      ...{ runs: measured.runs, script: readScript(), leftOut: opened.leftOut },
    });
    write(resolve(io.cwd, file), page);
    if (flags.quiet !== true)
      human(io, flags).write(
        `${file}: ${figures.length} figures, ${(page.length / 1e6).toFixed(1)} MB\n`,
      );
    if (flags.json === true)
      io.out.write(
        `${JSON.stringify({ ...{ out: file, bytes: Buffer.byteLength(page), figures }, computed: measured.computed, leftOut: opened.leftOut })}\n`,
      );
    done(EXIT.ok);
  });
}

/** A run by itself is called by its strategies. */
function nameRuns(opened: OpenedFolder): OpenedFolder {
  if (!opened.single) return opened;
  const runs = opened.runs.map((run) => ({ ...run, name: nameStrategies(run.config.experiment) }));
  return { ...opened, runs };
}

function describe({ plan, root, runs }: OpenedFolder): { title: string; summary: string } {
  if (plan === undefined)
    return {
      title: `${runs[0]?.manifest.slug ?? 'run'}: atlas`,
      summary: `What is inside the runs in ${root.where}.`,
    };
  const { title, summary } = describePlan(plan);
  return { title: `${title}: atlas`, summary };
}

function checkTarget(file: string, flags: Flags, io: Io): void {
  if (file.trim() === '') throw new InputError('--out: needs the name of a file');
  if (!/\.html?$/.test(file))
    throw new InputError(`--out ${file}: must end in .html; the atlas is one HTML file`);
  const folder = dirname(resolve(io.cwd, file));
  checkWritable(folder, flags.out === undefined ? folder : `--out ${file}`, io);
}

interface Measured {
  readonly runs: readonly MeasuredRun[];
  /** Measures that were not kept from an earlier atlas. */
  readonly computed: number;
}

async function measure(
  folder: string,
  opened: OpenedFolder,
  flags: Flags,
  io: Io,
): Promise<Measured> {
  const { runs, teacherStores, onSkipped } = opened;
  const registry = await openRegistry(flags.plugin, io);
  const execution = readingExecution(runs[0]?.config.execution ?? {}, flags, io);
  const backend = await openBackend(registry, execution);
  const host = { registry, backend, teacherStores, signal: io.signal };
  const name = (run: BegunRun): string => `${formatLabel(run)}, seed ${run.seed}`;
  const progress = showProgress(human(io, flags), name);
  let computed = 0;
  try {
    const measured = await withRecordedPlugins([folder], flags, registry, io, () =>
      measureAtlas(host, runs, {
        hessian: flags.hessian === true,
        onMeasured(event) {
          if (!event.wasKept) computed++;
          if (flags.quiet !== true) progress(event, computed);
        },
        notice: (run, message) => onSkipped(`${name(run)}: ${message}`),
      }),
    );
    return { runs: measured, computed };
  } finally {
    await backend.dispose();
  }
}

/** One moving line; the time left is what the measures so far took, of those that had to be computed. */
function showProgress(
  sink: ReturnType<typeof human>,
  name: (run: BegunRun) => string,
): (event: AtlasProgress, computed: number) => void {
  const lines = progressLines(sink, 0, () => performance.now());
  const begun = performance.now();
  return ({ run, measure, done, total }, computed) => {
    const seconds = (performance.now() - begun) / 1000;
    const left = computed === 0 ? '' : `  ETA ${clock((seconds / computed) * (total - done))}`;
    lines.show(done / total, () => [
      `[${done}/${total}] ${Math.floor((100 * done) / total)} %${left}  ${name(run)}: ${measure}`,
    ]);
    if (done === total) lines.print(`${total} measures in ${clock(seconds)}`);
  };
}

/** The script that the page runs: it comes with `@grok/report`. */
function readScript(): string {
  const path = createRequire(import.meta.url).resolve('@grok/report/atlas-page.js');
  return readFileSync(path, 'utf8');
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new RunError(`cannot write ${path}: ${(error as Error).message}`);
  }
}
