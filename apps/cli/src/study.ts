/** A study from plan to table, as `grok study` tells it. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Executor, InputError, type Registry, type Store, unknownName } from '@grok/core';
import { countEpochs, createTrackers } from '@grok/core/internal';
import { formatCsv, layOut, studyTable } from '@grok/report';
import {
  calibrate,
  checkPlan,
  estimate,
  expandPlan,
  isLost,
  jobRunner,
  listPackages,
  loadStudy,
  nameControls,
  openExecutor,
  type Plan,
  preflight,
  readPlan,
  resolveStudyExecution,
  runStudy,
  type StudyRun,
  selectRuns,
  studyToJson,
  withChanges,
} from '@grok/study';
import { readRecordFolder } from '@grok/study/process';
import { presetNames, readPreset, readWritten } from './documents.js';
import type { ComputeFlags } from './flags.js';
import { createHost, EXIT, freshFolder, human, storeAt } from './host.js';
import type { Io } from './io.js';
import { parseAssignment, parseExecutor } from './parse.js';
import { openRegistry, withExecutorPackage, withRecordedPlugins } from './plugins.js';
import { clock } from './progress-lines.js';
import { writeRecords } from './records.js';
import { changed } from './set.js';
import { type RequestedExecution, requestExecution } from './spec.js';
import { studyProgress } from './study-progress.js';

/** Flags of `grok study`. */
export interface StudyFlags extends Omit<ComputeFlags, 'plugin'> {
  readonly out?: string;
  readonly jobs?: number;
  readonly executor?: string;
  readonly only?: readonly string[];
  readonly records?: string;
  readonly dryRun?: boolean;
  readonly retryFailed?: boolean;
  readonly set?: readonly string[];
  readonly checkpointEvery?: number;
  readonly plugin?: readonly string[];
  readonly markdown?: boolean;
  readonly times?: boolean;
}
/** A plan and where its runs are. */
export interface OpenedStudy {
  readonly plan: Plan;
  readonly folder: string;
  readonly root: Store;
  readonly open: (name: string) => Store;
  /** Finished runs that are known from their records, by run. */
  readonly records: ReadonlyMap<string, Store>;
}

/** Finds a plan by its file, preset or folder. @throws InputError when there is none. */
export async function openStudy(
  from: string,
  flags: StudyFlags,
  io: Io,
  mustExist: boolean,
): Promise<OpenedStudy> {
  const path = resolve(io.cwd, from);
  const records =
    flags.records === undefined
      ? new Map<string, Store>()
      : await readRecordFolder(resolve(io.cwd, flags.records), flags.records);
  const at = (plan: Plan, folder: string): OpenedStudy => ({
    plan,
    records,
    folder,
    root: storeAt(folder, io),
    open: (name) => storeAt(join(folder, name), io),
  });
  if (existsSync(path) && statSync(path).isDirectory()) {
    if ((flags.set ?? []).length > 0 || flags.out !== undefined)
      throw new InputError(
        `${from}: is a study that was started; --set and --out need a plan file or a preset`,
      );
    const plan = await readPlan(storeAt(from, io));
    if (plan === undefined)
      throw new InputError(
        `${from}: not a study folder (plan.json missing); give a plan file or a study folder`,
      );
    return at(plan, from);
  }
  if (mustExist) throw new InputError(`${from}: no such folder; start with: grok study run PLAN`);
  const registry = await openRegistry(flags.plugin ?? [], io);
  const plan = findPlan(from, existsSync(path), flags.set ?? [], registry, io);
  const named = plan.name.startsWith('study') ? plan.name : `study-${plan.name}`;
  const folder = flags.out ?? `runs/${named}`.replace(/[^\w/.-]/g, '_');
  return at(plan, freshFolder(folder, 'plan.json', io));
}

function findPlan(
  from: string,
  isFile: boolean,
  changes: readonly string[],
  registry: Registry,
  io: Io,
): Plan {
  const known = presetNames();
  if (!isFile && !known.includes(from)) {
    if (/[./\\]/.test(from)) throw new InputError(`plan ${from}: no such file`);
    throw unknownName('plan (neither a file nor a preset)', from, known);
  }
  const written = isFile ? readWritten('plan', from, io.cwd) : readPreset(from);
  const plan = checkPlan(written.value, written.what, written.text);
  if (changes.length === 0) return nameControls(plan, registry);
  const document = changed(written.value, changes.map(parseAssignment), registry);
  const found = withChanges(checkPlan(document, `${written.what} with --set`), changes);
  return nameControls(found, registry);
}

/** Runs what a study lacks and prints its table; gives the exit code. */
export async function carryOutStudy(
  { plan, folder, root, open, records }: OpenedStudy,
  flags: StudyFlags,
  io: Io,
): Promise<number> {
  const plugin = listStudyPlugins(flags);
  const registry = await openRegistry(plugin, io);
  const { explicit, defaults, advice = '' } = readRequest(flags, io);
  const planned = expandPlan(plan);
  const check = async (): Promise<void> => preflight(planned, registry, plan.name);
  await withRecordedPlugins([folder], flags, registry, io, check); // before the folder is made
  createTrackers(registry, explicit.trackers);
  selectRuns(planned, words(flags));
  const path = resolve(io.cwd, folder);
  const sink = human(io, flags);
  if (flags.quiet !== true) sink.write(advice);
  const executor = createExecutor(path, open, flags, { registry, plugin }, io);
  try {
    const { status, begun, runs } = await runStudy(plan, {
      ...{ registry, root, open, records, executor, execution: explicit, defaults },
      only: words(flags),
      isChecked: true,
      forgive: flags.retryFailed === true,
      signal: io.signal,
      ...(flags.quiet === true ? {} : { onEvent: studyProgress(sink, plan.name) }),
    });
    if (begun === 0 && status !== 'interrupted')
      sink.write(`${root.where}: ${nothingToDo(runs)}\n`);
    if (status !== 'interrupted')
      sink.write(
        `\n${studyTable(plan, runs, { style: 'text', width: sink.width })}\nfolder: ${root.where}\n`,
      );
    else io.err.write(`grok: interrupted; continue with: grok study resume ${root.where}\n`);
    tellLost(runs, root.where, begun > 0, io);
    if (flags.json === true)
      io.out.write(
        `${JSON.stringify({ status, begun, out: root.where, ...studyToJson(plan, runs) })}\n`,
      );
    return { finished: EXIT.ok, failed: EXIT.failed, interrupted: EXIT.interrupted }[status];
  } finally {
    await executor.dispose();
  }
}

/** Says which runs are lost, why, and how those that this study tried are tried again. */
function tellLost(runs: readonly StudyRun[], where: string, tried: boolean, io: Io): void {
  for (const { key, state, error } of runs)
    if (state === 'failed' || state === 'damaged')
      io.err.write(
        `grok: ${key} ${state === 'failed' ? 'failed twice' : 'is damaged'}: ${error}\n`,
      );
  if (tried && runs.some(({ state }) => state === 'failed'))
    io.err.write(`grok: to retry failed runs: grok study resume ${where} --retry-failed\n`);
}

function nothingToDo(runs: readonly StudyRun[]): string {
  const done = runs.filter(({ state }) => state === 'finished').length;
  return done === runs.length
    ? `nothing to do: all ${done} runs are finished`
    : `nothing to do: ${done} of ${runs.length} runs are finished, the others failed (--retry-failed runs them again)`;
}

/** Plugins to load, with the package of the executor that is asked for. */
function listStudyPlugins({ plugin = [], executor }: StudyFlags): readonly string[] {
  return executor === undefined ? plugin : withExecutorPackage(parseExecutor(executor).use, plugin);
}

/** The executor that is asked for; default: processes, or in place where there is no script to start one of. */
function createExecutor(
  root: string,
  open: (name: string) => Store,
  { executor, jobs }: StudyFlags,
  { registry, plugin }: { registry: Registry; plugin: readonly string[] },
  io: Io,
): Executor {
  const { script, env } = io;
  const host = {
    open,
    carryOut: jobRunner({ ...createHost(registry, io), open }),
    packages: listPackages(registry),
    notice: printNotice(io),
  };
  if (executor === undefined && script === undefined)
    return openExecutor(registry, { use: 'inline' }, host);
  const { use, options } = parseExecutor(executor ?? 'processes');
  const chosen = { use, options: { ...options, ...(jobs === undefined ? {} : { jobs }) } };
  if (script === undefined) return openExecutor(registry, chosen, host);
  const own = plugin.flatMap((entry) => ['--plugin', entry]);
  const worker = { root, command: [script, 'study-worker', ...own] as const, env };
  return openExecutor(registry, chosen, { ...host, worker });
}

/** A flag binds runs that go on too; the rest is for those that begin. */
function readRequest(flags: StudyFlags, io: Io): RequestedExecution {
  const { checkpointEvery } = flags;
  return requestExecution(
    { threads: 1, ...(checkpointEvery === undefined ? {} : { checkpointEvery }) },
    flags,
    io,
  );
}

const printNotice =
  (io: Io) =>
  (message: string): void =>
    void io.err.write(`grok: ${message}\n`);

function words({ only = [] }: StudyFlags): readonly string[] {
  return only.flatMap((text) => text.split(',')).filter((word) => word !== '');
}

/** Lists what would be run, and how long it would take after a short trial of each kind. */
export async function dryRun(
  { plan, folder, root, open, records }: OpenedStudy,
  flags: StudyFlags,
  io: Io,
): Promise<number> {
  const registry = await openRegistry(listStudyPlugins(flags), io);
  const planned = expandPlan(plan);
  const check = async (): Promise<void> => preflight(planned, registry, plan.name);
  await withRecordedPlugins([folder], flags, registry, io, check);
  const chosen = new Set(selectRuns(planned, words(flags)));
  const loaded = await loadStudy(planned, { root, open, records }, {}, printNotice(io));
  const runs = loaded.filter(({ key }) => chosen.has(key));
  const left = runs.filter((run) => run.state !== 'finished' && !isLost(run));
  const { explicit, defaults } = readRequest(flags, io);
  const execution = await resolveStudyExecution(root, { execution: explicit, defaults });
  const sink = human(io, flags);
  const { pace, startup } = await calibrate(planned, {
    registry,
    execution,
    signal: io.signal,
  });
  if (io.signal.aborted) return EXIT.interrupted;
  const slots = createExecutor('', open, flags, { registry, plugin: [] }, io).slots;
  const { secondsLeft } = estimate(runs, slots, pace);
  const seconds = left.length === 0 ? 0 : (secondsLeft ?? 0) + (startup * left.length) / slots;
  const epochsDone = (run: StudyRun): number | undefined =>
    countEpochs(run.experiment, run.history?.at(-1));
  const rows = runs.map((run) => ({
    key: run.key,
    state: run.state,
    epochs: epochsDone(run) ?? null,
    needs: Object.values(run.needs).map(({ key }) => key),
    seconds: run.state === 'finished' ? 0 : (pace(run) ?? 0) * (epochsDone(run) ?? 0) + startup,
  }));
  sink.write(
    layOut(
      ['run', 'state', 'epochs at most', 'after', 'about'],
      rows.map((row) => [
        row.key,
        row.state,
        String(row.epochs ?? '–'),
        row.needs.join(' ') || '–',
        clock(row.seconds),
      ]),
      { style: 'text', width: sink.width },
    ),
  );
  sink.write(
    `${left.length} of ${runs.length} runs to do, ${slots} in parallel: about ${clock(seconds)} (two epochs of each kind were timed, one after the other; nothing was written)\n`,
  );
  if (flags.json === true) io.out.write(`${JSON.stringify({ runs: rows, slots, seconds })}\n`);
  return EXIT.ok;
}

/** Prints where a study stands, or its table. */
export async function printStudy(
  what: 'status' | 'table',
  { plan, root, open, records }: OpenedStudy,
  flags: StudyFlags,
  io: Io,
): Promise<number> {
  const runs = await loadStudy(expandPlan(plan), { root, open, records }, {}, printNotice(io));
  const sink = human(io, flags);
  if (flags.csv === true) io.out.write(formatCsv(listRuns(plan, runs, flags)));
  else if (what === 'table' && flags.markdown === true)
    (flags.json === true ? io.err : io.out).write(
      studyTable(plan, runs, { style: 'markdown', times: flags.times !== false }),
    );
  else if (what === 'table')
    sink.write(
      studyTable(plan, runs, { style: 'text', times: flags.times !== false, width: sink.width }),
    );
  else {
    sink.write(
      layOut(
        ['run', 'state', 'epoch', 'validation', 'folder'],
        runs.map(({ key, state, record, experiment, history, folder }) => [
          key,
          state,
          `${record?.epochs ?? 0}/${countEpochs(experiment, history?.at(-1)) ?? '–'}`,
          record?.finalValAccuracy == null
            ? '–'
            : `${(100 * record.finalValAccuracy).toFixed(2)} %`,
          folder ?? '–',
        ]),
        { style: 'text', align: 'left', width: sink.width, drop: ['folder'] },
      ),
    );
    for (const { key, error } of runs) if (error !== undefined) sink.write(`${key}: ${error}\n`);
  }
  if (flags.json === true) {
    const listed = { ...studyToJson(plan, runs), runs: listRuns(plan, runs, flags) };
    io.out.write(`${JSON.stringify(listed)}\n`);
  }
  return EXIT.ok;
}

/** The runs as plain data, without what they took where that is not asked for. */
function listRuns(plan: Plan, runs: readonly StudyRun[], { times }: StudyFlags): readonly object[] {
  const listed = studyToJson(plan, runs).runs;
  return times === false ? listed.map(({ time: _, ...run }) => run) : listed;
}

/** Writes the records of a study's finished runs into `--records`. */
export async function recordStudy(
  { plan, root, open }: OpenedStudy,
  folder: string,
  io: Io,
): Promise<number> {
  const runs = await loadStudy(expandPlan(plan), { root, open });
  const written = await writeRecords({ root, runs }, folder, io);
  for (const name of written) io.out.write(`${name}\n`);
  io.err.write(`${folder}: ${written.length} files written\n`);
  return EXIT.ok;
}
