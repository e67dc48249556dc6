/**
 * What is inside a run: probes at its crossing and at its last step, on validation rows, and beside its
 * teacher on the same inputs. Results go to the run's `analysis/`, one file a moment.
 */

import { isInputError, type Json, type Model, type Registry, type Task } from '@grok/core';
import { type ProbeUse, snapshot, writeAnalysis } from '@grok/core/internal';
import type { BegunRun } from '@grok/study';
import * as tf from '@grok/tfjs';
import {
  compareFrequencies,
  compareLastPosition,
  compareStates,
  findFrequencies,
  findGroup,
  plain,
} from './compare.js';
import { type Analysis, nameBeside } from './files.js';
import { type At, defaultMoments, type Moment, resolveMoment } from './moments.js';
import {
  type AnalysisHost,
  type Opened,
  openAt,
  openObjective,
  sitesByKind,
  sitesOver,
} from './open.js';

/** Options of an analysis. */
export interface AnalysisOptions {
  /** Default: where validation accuracy first reached .99, and the last step. */
  readonly at?: readonly At[];
  /** Default: all of `defaultProbes`. */
  readonly probes?: readonly ProbeUse[];
  /** The model to compare with, at its last step. */
  readonly against?: BegunRun;
  /** Validation rows of the comparison with another model, default 128. */
  readonly rows?: number;
  /** Whether the file name includes the other model, because the run is also compared with another one. */
  readonly besides?: boolean;
  /** Called for each measure that is skipped because it does not fit the task or model. */
  readonly notice?: (message: string) => void;
}
/**
 * Analyzes a run at each requested point that it reached, and writes and returns the analyses; `missed` is
 * called for the others.
 * @throws InputError if a probe in `options` does not fit.
 */
export async function analyzeRun(
  host: AnalysisHost,
  run: BegunRun,
  options: AnalysisOptions = {},
  missed: (at: At) => void = () => {},
): Promise<readonly Analysis[]> {
  const { at = defaultMoments, against } = options;
  const teacher = against === undefined ? undefined : await openLast(host, against);
  const out: Analysis[] = [];
  for (const wanted of at) {
    const moment = resolveMoment(wanted, run.history);
    if (moment === undefined) missed(wanted);
    else {
      const found = await analyzeAt(host, run, moment, teacher, options);
      const beside = options.besides === true && against ? against.run : undefined;
      await writeAnalysis(run.store, 'analysis', nameBeside(moment.name, beside), plain(found));
      out.push(found);
    }
  }
  return out;
}

/** Opens a run at its last step. */
export function openLast(host: AnalysisHost, run: BegunRun): Promise<Opened> {
  return openAt(host, run, run.history.at(-1)?.step ?? 0);
}

async function analyzeAt(
  host: AnalysisHost,
  run: BegunRun,
  moment: Moment,
  teacher: Opened | undefined,
  options: AnalysisOptions,
): Promise<Analysis> {
  const opened = await openAt(host, run, moment.step);
  const { task, split, model, checkpoint, from } = opened;
  const { notice = () => {} } = options;
  const uses = options.probes ?? defaultProbes(host.registry, task, model);
  const probes = new Map<string, Json>();
  const history = run.history.filter((row) => row.step <= moment.step);
  for (const { use, as = use, options: given } of uses) {
    const measure = async (): Promise<Json> => {
      const probe = host.registry.create('probe', use, given, { tf });
      const terms =
        probe.needs.gradients?.byTerm === true ? await openObjective(host, run) : undefined;
      const shown = { backend: host.backend, task, split, model, ...terms };
      return probe.on(await snapshot(shown, probe, checkpoint, history));
    };
    if (options.probes !== undefined) probes.set(as, await measure());
    else {
      const missed = (why: string): void => notice(`probe "${as}" is skipped: ${why}`);
      const found = await unlessUnfit(measure, missed);
      if (found !== undefined) probes.set(as, found);
    }
  }
  const own = await frequencies(host, opened, task, (why) =>
    notice(`key frequencies are skipped: ${why}`),
  );
  const { epoch } = checkpoint.position;
  return {
    format: 'grok analysis 1',
    run: run.manifest.run,
    moment: moment.name,
    epoch,
    step: moment.step,
    replayedFrom: from,
    probes: Object.fromEntries(probes),
    frequencies: own,
    ...(teacher === undefined
      ? {}
      : { against: await compare(host, opened, teacher, own, options.rows ?? 128) }),
  };
}

/** What a measure found, or undefined where it does not fit the task or the model; `missed` hears why. */
async function unlessUnfit<T>(
  measure: () => Promise<T>,
  missed: (why: string) => void,
): Promise<T | undefined> {
  try {
    return await measure();
  } catch (error) {
    if (!isInputError(error)) throw error;
    missed(error.message);
    return undefined;
  }
}

async function compare(
  host: AnalysisHost,
  student: Opened,
  teacher: Opened,
  own: readonly number[] | null,
  most: number,
): Promise<NonNullable<Analysis['against']>> {
  const { task, split } = student;
  const rows = split.validation.subarray(0, most);
  const [mine, theirs] = [
    await sitesOver(host, student, sitesByKind(student.model).states, rows),
    await sitesOver(host, teacher, sitesByKind(teacher.model).states, rows, task.inputs),
  ];
  const group = findGroup(task);
  const other = await frequencies(host, teacher, task);
  return {
    run: teacher.run.manifest.run,
    step: teacher.checkpoint.position.step,
    rows: rows.length,
    states: compareStates(mine, theirs),
    lastPosition: compareLastPosition(mine, theirs),
    frequencies:
      group === undefined || own === null || other === null
        ? null
        : compareFrequencies(group, own, other),
  };
}

async function frequencies(
  host: AnalysisHost,
  opened: Opened,
  task: Task,
  missed: (why: string) => void = () => {},
): Promise<readonly number[] | null> {
  const group = findGroup(task, missed);
  if (group === undefined) return null;
  const all = Int32Array.from(task.labels.keys());
  const { logits } = await sitesOver(host, opened, ['logits'], all, task.inputs);
  if (logits === undefined) return null;
  return (await unlessUnfit(async () => findFrequencies(group, task, logits), missed)) ?? null;
}

/** The default probes of an analysis: all known ones that fit the task and the model. */
export function defaultProbes(registry: Registry, task: Task, model: Model): readonly ProbeUse[] {
  const known = registry.list().flatMap(({ kind, name }) => (kind === 'probe' ? [name] : []));
  const { states, patterns } = sitesByKind(model);
  const neurons = model.sites().some(({ name }) => /^blocks\.\d+\.mlp\.hook_post$/.test(name));
  const over = (use: string, sites: readonly string[]): readonly ProbeUse[] =>
    sites.length === 0 ? [] : [{ use, options: { sites } }];
  const wanted: readonly ProbeUse[] = [
    { use: 'score' },
    { use: 'weight-norms' },
    { use: 'weight-statistics' },
    ...over('effective-ranks', states),
    ...over('attention-entropy', patterns),
    ...over('neurons', neurons ? ['blocks.*.mlp.hook_post'] : []),
    { use: 'gradients' },
    ...(findGroup(task) === undefined ? [] : [{ use: 'fourier', options: { neurons } }]),
  ];
  return wanted.filter(({ use }) => known.includes(use));
}
