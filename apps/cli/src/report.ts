/** A report of a folder of runs: read, analyzed where analyses are missing, written out, with PNG beside SVG. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { publishedPath, publishStudy, readPublished, type Verified } from '@grok/analysis';
import { InputError, openBackend, type Registry, RunError } from '@grok/core';
import {
  buildReport,
  formatLabel,
  published,
  type ReportInput,
  type SeedAnalysis,
  studyTable,
} from '@grok/report';
import {
  type BegunRun,
  describePlan,
  expandPlan,
  loadStudy,
  nameStrategies,
  type Plan,
  summarize,
  teacherPart,
} from '@grok/study';
import type { ComputeFlags } from './flags.js';
import type { OpenedFolder } from './folders.js';
import { storeAt } from './host.js';
import type { Io } from './io.js';
import { readingExecution } from './spec.js';

/** Writes the report of an opened folder into `out`; gives the files' names. */
export async function writeReport(
  opened: OpenedFolder,
  out: string,
  command: string,
  claims: readonly Verified[] | undefined,
  io: Io,
): Promise<readonly string[]> {
  const input = await readInput(opened, command, io);
  const report = await buildReport(claims === undefined ? input : { ...input, claims });
  for (const message of report.leftOut) opened.onSkipped(message);
  const files: [string, string | Uint8Array][] = Object.entries(report.files);
  for (const { name, svg } of report.figures)
    files.push([`figures/${name}.png`, await renderPng(svg)]);
  for (const [name, content] of files) write(join(resolve(io.cwd, out), name), content);
  return files.map(([name]) => join(out, name));
}

async function readInput(
  { plan, root, runs, single, leftOut, onSkipped }: OpenedFolder,
  command: string,
  io: Io,
): Promise<ReportInput> {
  const finished = runs.filter(({ manifest }) => manifest.status === 'finished');
  if (finished.length === 0)
    throw new InputError(`${root.where}: no run is finished yet; resume it first`);
  const named = single
    ? finished.map((run) => ({ ...run, name: nameStrategies(run.config.experiment) }))
    : finished;
  const analyses: SeedAnalysis[] = [];
  for (const run of named.filter(({ name }) => name === 'teacher')) {
    const file = await readPublished(root, publishedPath(run), onSkipped);
    const { seed, override } = run;
    if (file !== undefined)
      analyses.push({ seed, file, ...(override === undefined ? {} : { override }) });
  }
  const planned =
    plan &&
    (await loadStudy(
      expandPlan(plan),
      { root, open: (name) => storeAt(join(root.where, name), io) },
      {},
      onSkipped,
    ));
  const about =
    plan === undefined
      ? { title: named[0]!.manifest.slug, summary: `Runs in ${root.where}.` }
      : describePlan(plan);
  return {
    title: `${about.title}: report`,
    summary: about.summary,
    command,
    leftOut,
    runs: named,
    analyses,
    ...(plan === undefined || planned === undefined
      ? {}
      : {
          statistics: {
            summary: summarize(plan, planned),
            text: studyTable(plan, planned, { style: 'text' }),
            markdown: studyTable(plan, planned, { style: 'markdown' }),
          },
        }),
    beside: publishedNumbers(plan),
    facts: listFacts(named),
  };
}

/** Figure 2 and the tables 4.3 need analyses with the published choices: made where there are none. */
export async function computePublished(
  opened: OpenedFolder,
  registry: Registry,
  flags: ComputeFlags,
  io: Io,
): Promise<void> {
  const [first] = opened.runs;
  if (opened.single || first === undefined) return;
  const execution = readingExecution(first.config.execution, flags, io);
  const backend = await openBackend(registry, execution);
  try {
    const { teacherStores, root, runs, onSkipped } = opened;
    const host = { registry, backend, teacherStores, signal: io.signal };
    const notice = (run: BegunRun, message: string): void =>
      onSkipped(`${formatLabel(run)}, seed ${run.seed}: ${message}`);
    await publishStudy(host, root, runs, { asPublished: true, missing: true, notice });
  } finally {
    await backend.dispose();
  }
}

/** The paper's numbers, where a plan is of the paper's task. */
export function publishedNumbers(plan: Plan | undefined): typeof published {
  const [seed] = plan?.seeds ?? [];
  if (plan === undefined || seed === undefined) return {};
  const { use, options } = teacherPart(plan, seed).task;
  return use === 'div' && (options?.p ?? 97) === 97 ? published : {};
}

function listFacts(runs: readonly BegunRun[]): Record<string, string> {
  const { manifest } = runs[0]!;
  return {
    runs: String(new Set(runs.map(({ run }) => run)).size),
    backend: [...new Set(runs.map((run) => run.manifest.device))].join('; '),
    'processor of this report': `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} logical cores`,
    versions: Object.entries(manifest.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  };
}

/** The pixels of a drawing, at one and a half times its size. */
async function renderPng(svg: string): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js');
  const fitTo = { mode: 'zoom', value: 1.5 } as const;
  return new Resvg(svg, { fitTo, font: { loadSystemFonts: true } }).render().asPng();
}

function write(path: string, content: string | Uint8Array): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  } catch (error) {
    throw new RunError(`cannot write ${path}: ${(error as Error).message}`);
  }
}
