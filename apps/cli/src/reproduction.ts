/** A plan from beginning to end, with its table, its report and its figure. */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { type Execution, type Registry, RunError, type RunListener, type Store } from '@grok/core';
import { createTrackers } from '@grok/core/internal';
import {
  curvesSpec,
  published,
  renderSvg,
  reproductionMarkdown,
  reproductionTable,
} from '@grok/report';
import {
  type BegunRun,
  hasBegun,
  inlineExecutor,
  type Plan,
  type RunRecord,
  runStudy,
  type StudyEvent,
  teacherPart,
} from '@grok/study';
import type { ComputeFlags } from './flags.js';
import { EXIT, hostOf, human, storeAt } from './host.js';
import type { Io, Sink } from './io.js';
import { clock, progress } from './progress.js';
import { carrying } from './spec.js';

/** Carries out a plan in a folder and tells what came of it; gives the exit code. */
export async function carryOutPlan(
  plan: Plan,
  folder: string,
  written: Execution,
  flags: ComputeFlags,
  registry: Registry,
  io: Io,
): Promise<number> {
  const sink = human(io, flags);
  const { asked, fresh } = carrying(written, flags, io);
  createTrackers(registry, asked.trackers); // bad input leaves no folder
  const began = performance.now();
  const root = storeAt(folder, io);
  const open = (name: string): Store => storeAt(join(folder, name), io);
  const found = await runStudy(plan, {
    ...{ registry, root, open, execution: asked, defaults: fresh },
    executor: inlineExecutor({ ...hostOf(registry, io), open }),
    failFast: true,
    signal: io.signal,
    ...(flags.quiet === true ? {} : { onEvent: progressOfRuns(plan, sink) }),
  });
  const { status } = found;
  const runs = found.runs.filter(hasBegun);
  if (status === 'interrupted') {
    io.err.write(`grok: interrupted; go on with: grok resume ${root.where}\n`);
    if (flags.json === true) io.out.write(`${JSON.stringify(resultOf(runs))}\n`);
    return EXIT.interrupted;
  }
  for (const seed of plan.seeds) {
    const own = runs.filter((run) => run.seed === seed);
    const single = plan.seeds.length === 1;
    sink.write(
      `\n${plan.name}, seed ${seed}\n\n${reproductionTable(own, 'text', besideOf(plan))}\n`,
    );
    await writeReport(plan, seed, own, resolve(io.cwd, folder), single ? '' : `-seed-${seed}`);
    const files = ['report.md', 'curves.svg', 'curves.vl.json'].map((file) =>
      join(root.where, single ? file : suffixed(file, `-seed-${seed}`)),
    );
    sink.write(`${files.join('\n')}\n`);
  }
  sink.write(`wall time ${clock((performance.now() - began) / 1000)}\n`);
  if (flags.json === true) io.out.write(`${JSON.stringify(resultOf(runs))}\n`);
  return EXIT.ok;
}

/** Shows every run as a run alone is shown, with its number. */
function progressOfRuns(plan: Plan, sink: Sink): (event: StudyEvent) => void {
  const shown = new Map<string, RunListener>();
  return (event) => {
    if (event.type === 'begin') {
      const { key, name, seed } = event.run;
      const { runs } = event.study;
      const number = runs.findIndex((run) => run.key === key) + 1;
      const of = plan.seeds.length > 1 ? ` (seed ${seed})` : '';
      shown.set(key, progress(sink, `[${number}/${runs.length}] ${name}${of}`));
    } else if (event.type === 'run') shown.get(event.run.key)?.(event.event);
  };
}

/** The paper's numbers, where the plan is of the paper's task. */
function besideOf(plan: Plan): typeof published {
  const { use, options } = teacherPart(plan, plan.seeds[0]!).task;
  return use === 'div' && (options?.p ?? 97) === 97 ? published : {};
}

/** `{ teacher, students }` for one seed; for several, that of each under `seeds`. */
function resultOf(runs: readonly BegunRun[]): object {
  const of = (seed: number): { teacher: RunRecord | null; students: Record<string, RunRecord> } => {
    const own = runs.filter((run) => run.seed === seed);
    const students = own.filter(({ role }) => role !== 'teacher');
    return {
      teacher: own.find(({ name }) => name === 'teacher')?.record ?? null,
      students: Object.fromEntries(students.map(({ name, record }) => [name, record])),
    };
  };
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  return seeds.length === 1
    ? of(seeds[0]!)
    : { seeds: Object.fromEntries(seeds.map((seed) => [seed, of(seed)])) };
}

async function writeReport(
  plan: Plan,
  seed: number,
  runs: readonly BegunRun[],
  folder: string,
  suffix: string,
): Promise<void> {
  const title = `${plan.name}, seed ${seed}`;
  const spec = curvesSpec(runs, `${title}: validation accuracy`);
  const files = {
    'curves.vl.json': `${JSON.stringify(spec, null, 2)}\n`,
    'curves.svg': await renderSvg(spec),
    'report.md': reproductionMarkdown({
      title,
      summary: plan.summary,
      runs: runs.map((run) => ({
        ...run,
        record: { ...run.record, out: run.record.out.split(/[\\/]/).at(-1)! },
      })),
      command: 'grok reproduce --spec plan.json --out DIR',
      beside: besideOf(plan),
      figure: suffixed('curves.svg', suffix),
      facts: {
        processor: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} logical cores`,
        backend: runs[0]?.manifest.device ?? '',
        node: process.versions.node,
      },
    }),
  };
  for (const [name, text] of Object.entries(files))
    try {
      writeFileSync(join(folder, suffixed(name, suffix)), text);
    } catch (error) {
      throw new RunError(`cannot write ${name} into ${folder}: ${(error as Error).message}`);
    }
}

function suffixed(file: string, suffix: string): string {
  const dot = file.indexOf('.');
  return `${file.slice(0, dot)}${suffix}${file.slice(dot)}`;
}
