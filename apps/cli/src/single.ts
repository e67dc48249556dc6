/** One run from specification to record, as `train`, `distill` and `resume` tell it. */
import { relative, resolve } from 'node:path';
import {
  type Execution,
  type Experiment,
  InputError,
  type Registry,
  type RunResult,
  type RunSpec,
  resumeRun,
  type Store,
  startRun,
} from '@grok/core';
import { branchRun } from '@grok/core/internal';
import { listColumns, runTable } from '@grok/report';
import { buildRecord, identifyRun } from '@grok/study';
import type { ComputeFlags, OutputFlags, RunFlags } from './flags.js';
import { createHost, EXIT, freshFolder, human, locked, storeAt } from './host.js';
import type { Io } from './io.js';
import { progress } from './progress.js';
import { type BranchFlag, requestExecution } from './spec.js';

/** Begins a specification, or goes on with it where `--out` holds it already; gives the exit code. */
export async function runSpec(
  label: string,
  spec: RunSpec,
  flags: RunFlags,
  registry: Registry,
  io: Io,
  from?: BranchFlag,
): Promise<number> {
  const { experiment, execution: written = {} } = spec;
  const { explicit, defaults, advice = '' } = requestExecution(written, flags, io);
  const out = flags.out ?? written.out ?? nameFolder(experiment, from);
  const folder = freshFolder(out, 'config.json', io);
  const teachers = written.teachers ?? {};
  const host = {
    ...createHost(registry, io),
    defaults,
    teacherStores: openStores(teachers, io),
    listeners: flags.quiet === true ? [] : [progress(human(io, flags), label)],
  };
  return locked(folder, io, async (hold) => {
    const execution = {
      ...explicit,
      ...seenFrom(out, teachers, io),
      ...named(flags.plugin),
    };
    if (flags.quiet !== true) human(io, flags).write(advice);
    const spec = { experiment, execution };
    const found = await (from === undefined
      ? startRun(spec, { ...host, ...hold })
      : branchRun(
          spec,
          { ...host, ...hold },
          { store: storeAt(from.folder, io), step: from.step },
        ));
    return tell(label, found, hold.store, flags, io);
  });
}

function nameFolder(experiment: Experiment, from: BranchFlag | undefined): string {
  const { folder } = identifyRun(experiment);
  return `runs/${folder}${from === undefined ? '' : `-from-${from.step}`}`;
}

/** Goes on with the run in a folder; gives the exit code. */
export async function resumeIn(
  folder: string,
  flags: ComputeFlags,
  registry: Registry,
  teachers: Readonly<Record<string, string>>,
  io: Io,
  budget: { readonly epochs?: number; readonly steps?: number } = {},
): Promise<number> {
  const { where } = storeAt(folder, io);
  const host = {
    ...createHost(registry, io),
    teacherStores: openStores(teachers, io),
    listeners: flags.quiet === true ? [] : [progress(human(io, flags), where)],
  };
  const { explicit } = requestExecution({}, flags, io);
  return locked(folder, io, async (hold) => {
    const found = await resumeRun({ ...host, ...hold }, explicit, budget);
    return tell(where, found, hold.store, flags, io);
  });
}

/** Plugins are written down to be known, never to be loaded: only who runs a command names code. */
function named(plugins: readonly string[]): Pick<Execution, 'plugins'> {
  return plugins.length === 0 ? {} : { plugins };
}

/** Folders of teachers as seen from the run's folder, so that both can be moved together. */
function seenFrom(
  out: string,
  teachers: Readonly<Record<string, string>>,
  io: Io,
): { teachers?: Record<string, string> } {
  const entries = Object.entries(teachers).map(([name, folder]) => [
    name,
    relative(resolve(io.cwd, out), resolve(io.cwd, folder)),
  ]);
  return entries.length === 0 ? {} : { teachers: Object.fromEntries(entries) };
}

function openStores(teachers: Readonly<Record<string, string>>, io: Io): Record<string, Store> {
  return Object.fromEntries(
    Object.entries(teachers).map(([name, folder]) => {
      if (folder.trim() === '') throw new InputError(`teacher "${name}": needs a folder`);
      return [name, storeAt(folder, io)];
    }),
  );
}

function tell(
  label: string,
  { manifest, history, status, already }: RunResult,
  store: Store,
  flags: OutputFlags,
  io: Io,
): number {
  const record = buildRecord(manifest, history, store.where);
  const sink = human(io, flags);
  if (already && flags.quiet !== true) sink.write(`${store.where}: already finished\n`);
  sink.write(
    runTable([{ name: label, record }], listColumns, { style: 'text', width: sink.width }),
  );
  sink.write(`folder: ${store.where}\n`);
  if (status === 'interrupted')
    io.err.write(`grok: interrupted; continue with: grok resume ${store.where}\n`);
  if (flags.json === true) io.out.write(`${JSON.stringify(record)}\n`);
  return status === 'finished' ? EXIT.ok : EXIT.interrupted;
}
