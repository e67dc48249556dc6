/**
 * What is inside a run: probes at its crossing and at its last step, on validation rows, and beside its
 * teacher on the same inputs. Results go to the run's `analysis/`, one file a moment.
 */

import type { Json, Model, Registry, Task } from '@grok/core';
import { type ProbeUse, snapshot, writeAnalysis } from '@grok/core/internal';
import type { BegunRun } from '@grok/study';
import * as tf from '@grok/tfjs';
import {
  compareFrequencies,
  compareStates,
  frequenciesOf,
  hasFrequencies,
  plain,
} from './compare.js';
import type { Analysis } from './files.js';
import { type At, defaultMoments, type Moment, momentOf } from './moments.js';
import { type AnalysisHost, type Opened, openAt, sitesOf, sitesOver } from './open.js';

/** What to analyse. */
export interface AnalysisOptions {
  /** Default: the crossing of .99 and the last step. */
  readonly at?: readonly At[];
  /** Default: every probe of `defaultProbes`. */
  readonly probes?: readonly ProbeUse[];
  /** The model to compare with, at its last step. */
  readonly against?: BegunRun;
  /** Validation rows of the comparison with another model, default 128. */
  readonly rows?: number;
}
/** Analyses a run at each moment that it came to, writes each and gives them; the others are told by `missed`. */
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
    const moment = momentOf(wanted, run.history);
    if (moment === undefined) missed(wanted);
    else {
      const found = await analyseAt(host, run, moment, teacher, options);
      await writeAnalysis(run.store, 'analysis', moment.name, plain(found));
      out.push(found);
    }
  }
  return out;
}

/** A run at its last step. */
export function openLast(host: AnalysisHost, run: BegunRun): Promise<Opened> {
  return openAt(host, run, run.history.at(-1)?.step ?? 0);
}

async function analyseAt(
  host: AnalysisHost,
  run: BegunRun,
  moment: Moment,
  teacher: Opened | undefined,
  options: AnalysisOptions,
): Promise<Analysis> {
  const opened = await openAt(host, run, moment.step);
  const { task, split, model, checkpoint, from } = opened;
  const uses = options.probes ?? defaultProbes(host.registry, task, model);
  const probes: Record<string, Json> = {};
  const history = run.history.filter((row) => row.step <= moment.step);
  for (const { use, as = use, options: given } of uses) {
    const probe = host.registry.create('probe', use, given, { tf });
    const shown = { backend: host.backend, task, split, model };
    probes[as] = await probe.on(await snapshot(shown, probe, checkpoint as never, history));
  }
  const own = await frequencies(host, opened, task);
  const { epoch } = checkpoint.position;
  return {
    format: 'grok analysis 1',
    run: run.manifest.run,
    moment: moment.name,
    epoch,
    step: moment.step,
    replayedFrom: from,
    probes,
    frequencies: own,
    ...(teacher === undefined
      ? {}
      : { against: await compare(host, opened, teacher, own, options.rows ?? 128) }),
  };
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
    await sitesOver(host, student, sitesOf(student.model).states, rows),
    await sitesOver(host, teacher, sitesOf(teacher.model).states, rows, task.inputs),
  ];
  const other = await frequencies(host, teacher, task);
  return {
    run: teacher.run.manifest.run,
    step: teacher.checkpoint.position.step,
    rows: rows.length,
    states: compareStates(mine, theirs),
    frequencies: own === null || other === null ? null : compareFrequencies(task, own, other),
  };
}

async function frequencies(
  host: AnalysisHost,
  opened: Opened,
  task: Task,
): Promise<readonly number[] | null> {
  if (!hasFrequencies(task)) return null;
  const all = Int32Array.from(task.labels.keys());
  const { logits } = await sitesOver(host, opened, ['logits'], all, task.inputs);
  return frequenciesOf(task, logits!);
}

/** The probes of an analysis unless others are named: those at hand that fit the task and the model. */
export function defaultProbes(registry: Registry, task: Task, model: Model): readonly ProbeUse[] {
  const known = registry.list().flatMap(({ kind, name }) => (kind === 'probe' ? [name] : []));
  const wanted: readonly ProbeUse[] = [
    { use: 'score' },
    { use: 'weight-norms' },
    { use: 'weight-statistics' },
    { use: 'effective-ranks', options: { sites: sitesOf(model).states } },
    { use: 'attention-entropy', options: { sites: sitesOf(model).patterns } },
    { use: 'neurons', options: { sites: ['blocks.*.mlp.hook_post'] } },
    { use: 'gradients' },
    ...(hasFrequencies(task) ? [{ use: 'fourier', options: { neurons: true } }] : []),
  ];
  return wanted.filter(({ use }) => known.includes(use));
}
