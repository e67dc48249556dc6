/** A plan from beginning to end, with its table, its report and its figure. */
import { join } from 'node:path';
import type { Execution, Registry, Store } from '@grok/core';
import { createTrackers } from '@grok/core/internal';
import { reproductionTable } from '@grok/report';
import {
  type BegunRun,
  describePlan,
  hasBegun,
  inlineExecutor,
  type Plan,
  type RunRecord,
  runStudy,
} from '@grok/study';
import type { ComputeFlags } from './flags.js';
import { openFolder } from './folders.js';
import { createHost, EXIT, human, storeAt } from './host.js';
import type { Io } from './io.js';
import { clock } from './progress-lines.js';
import { computePublished, publishedNumbers, writeReport } from './report.js';
import { requestExecution } from './spec.js';
import { studyProgress } from './study-progress.js';

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
  const { explicit, defaults, advice = '' } = requestExecution(written, flags, io);
  createTrackers(registry, explicit.trackers); // bad input leaves no folder
  if (flags.quiet !== true) sink.write(advice);
  const began = performance.now();
  const root = storeAt(folder, io);
  const open = (name: string): Store => storeAt(join(folder, name), io);
  const found = await runStudy(plan, {
    ...{ registry, root, open, execution: explicit, defaults },
    executor: inlineExecutor({ ...createHost(registry, io), open }),
    failFast: true,
    signal: io.signal,
    ...(flags.quiet === true ? {} : { onEvent: studyProgress(sink, describePlan(plan).title) }),
  });
  const { status } = found;
  const runs = found.runs.filter(hasBegun);
  if (status === 'interrupted') {
    io.err.write(`grok: interrupted; continue with: grok resume ${root.where}\n`);
    if (flags.json === true) io.out.write(`${JSON.stringify(summarizeResult(runs))}\n`);
    return EXIT.interrupted;
  }
  const { title } = describePlan(plan);
  for (const seed of plan.seeds) {
    const own = runs.filter((run) => run.seed === seed);
    sink.write(
      `\n${title}, seed ${seed}\n\n${reproductionTable(own, publishedNumbers(plan), sink.width)}\n`,
    );
  }
  const opened = await openFolder(folder, io);
  await computePublished(opened, registry, flags, io);
  const command = 'grok reproduce --spec plan.json --out DIR';
  const files = await writeReport(opened, opened.root.where, command, undefined, io);
  sink.write(`${files.join('\n')}\n`);
  sink.write(`total time ${clock((performance.now() - began) / 1000)}\n`);
  if (flags.json === true) io.out.write(`${JSON.stringify(summarizeResult(runs))}\n`);
  return EXIT.ok;
}

/** `{ teacher, students }` for one seed; for several, that of each under `seeds`. */
function summarizeResult(runs: readonly BegunRun[]): object {
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
