/** Runs probes during training: which ones are due, their inputs, and their results. */
import * as tf from '@grok/tfjs';
import { InputError } from '../contracts/errors.js';
import type {
  Checkpoint,
  Json,
  MetricsRow,
  Model,
  ModelInfo,
  Probe,
  ProbeUse,
  Site,
  Snapshot,
} from '../contracts/types.js';
import type { Registry } from '../plugins/registry.js';
import { withoutAuxiliary } from '../tensors/params.js';
import { takeRows } from '../tensors/rows.js';
import { createGradientReader, type GradientReader } from './gradients.js';
import { matchNames } from './patterns.js';
import { createSiteReader, type SiteReader } from './sites.js';
import { gradientsByTerm } from './term-gradients.js';
import type { ActiveProbe, Training } from './training.js';

/** A probe that is due, and where its result goes: the epoch's row, or a separate analysis file. */
export interface DueProbe extends ActiveProbe {
  readonly moment: string;
}

/**
 * Creates probes by name. @throws InputError on unknown names, bad options, duplicate names, a name
 * that cannot be part of a file name, sites that the model does not have, and an invalid `when`.
 */
export function createProbes(
  registry: Registry,
  uses: readonly ProbeUse[],
  model: Model,
): readonly ActiveProbe[] {
  const created: ActiveProbe[] = [];
  for (const { use, as: name = use, options } of uses) {
    const subject = `probe "${name}"`;
    if (created.some((other) => other.name === name))
      throw new InputError(`${subject}: appears twice; rename one of them ("as")`);
    if (!/^[\w@][\w@.+-]*$/.test(name))
      throw new InputError(
        `${subject}: its name becomes part of a file name, so it may contain only letters, digits and . _ - + @; rename it ("as")`,
      );
    const probe = registry.create('probe', use, options, { tf });
    if (!isMoment(probe.when))
      throw new InputError(
        `${subject}: "when" must be "end", { every: whole epochs > 0 } or { crossing: more than 0, at most 1 }, got ${JSON.stringify(probe.when)}`,
      );
    try {
      matchingSites(model, probe.needs.sites ?? []);
    } catch (error) {
      throw new InputError(`${subject}: ${(error as Error).message}`);
    }
    created.push({ name, probe });
  }
  return created;
}

function isMoment(when: Probe['when'] | undefined): boolean {
  if (typeof when !== 'object' || when === null) return when === 'end';
  if ('every' in when) return Number.isInteger(when.every) && when.every > 0;
  return when.crossing > 0 && when.crossing <= 1;
}

/** Whether validation accuracy first reaches `threshold` at `row`, among all rows up to it. */
export function crosses(
  threshold: number,
  row: Pick<MetricsRow, 'validation'>,
  history: readonly Pick<MetricsRow, 'validation'>[],
): boolean {
  return (
    row.validation.accuracy >= threshold &&
    history.every(({ validation }) => validation.accuracy < threshold)
  );
}

/** The probes that run at a row; a probe that was due at an epoch without a row runs at the next row. */
export function dueProbes(
  probes: readonly ActiveProbe[],
  row: Pick<MetricsRow, 'epoch' | 'validation'>,
  history: readonly MetricsRow[],
  last: boolean,
): readonly DueProbe[] {
  const before = history.at(-1)?.epoch ?? 0;
  return probes.flatMap(({ name, probe }) => {
    const { when } = probe;
    if (when === 'end') return last ? [{ name, probe, moment: 'end' }] : [];
    if ('every' in when) {
      const times = (epoch: number): number => Math.floor(epoch / when.every);
      return times(row.epoch) > times(before) ? [{ name, probe, moment: 'row' }] : [];
    }
    return crosses(when.crossing, row, history)
      ? [{ name, probe, moment: `crossing-${when.crossing}` }]
      : [];
  });
}

/** The result of a probe, or the error that it failed with. */
export type Found = { readonly name: string; readonly moment: string } & (
  | { readonly result: Json }
  | { readonly failure: string }
);

/** Runs probes on the state at the end of an epoch; a probe that fails only loses its result. */
export async function runProbes(
  run: Training,
  due: readonly DueProbe[],
  saved: Pick<Checkpoint, 'params' | 'position'>,
  history: readonly MetricsRow[],
  row: Omit<MetricsRow, 'time' | 'probes'>,
  readers: ProbeReaders,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  const full = [...history, { ...row, time: { seconds: 0 } }];
  for (const { name, probe, moment } of due)
    try {
      const shown = await snapshot(run, probe, saved, full, readers);
      found.push({ name, moment, result: await probe.on(shown) });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      found.push({ name, moment, failure: `probe "${name}" failed and has no result: ${why}` });
    }
  return found;
}

/** Reads sites and gradients for probes; programs are compiled once per run. */
export interface ProbeReaders {
  sites(names: readonly Site[]): SiteReader;
  readonly gradients: GradientReader;
  dispose(): void;
}

/** Creates the readers of a run. */
export function createProbeReaders({
  backend,
  model,
}: Pick<Training, 'backend' | 'model'>): ProbeReaders {
  const readers = new Map<string, SiteReader>();
  const gradients = createGradientReader(backend, model);
  return {
    sites(names) {
      const key = names.join(' ');
      const found = readers.get(key) ?? createSiteReader(backend, model, names);
      readers.set(key, found);
      return found;
    },
    gradients,
    dispose() {
      for (const reader of readers.values()) reader.dispose();
      gradients.dispose();
    },
  };
}

/** What probes need from a run; gradients by term also need its objective. */
type ProbedRun = Pick<Training, 'backend' | 'task' | 'split' | 'model' | 'peakMemoryBytes'> &
  Partial<Pick<Training, 'objective' | 'teachers' | 'seed'>>;

/**
 * The snapshot that a probe sees: rows, sites and gradients over them, and the model's own
 * parameters. Pass the run's `readers` when it is probed more than once.
 */
export async function snapshot(
  run: ProbedRun,
  probe: Pick<Probe, 'needs'>,
  saved: Pick<Checkpoint, 'params' | 'position'>,
  history: readonly MetricsRow[],
  readers?: ProbeReaders,
): Promise<Snapshot> {
  if (readers === undefined) {
    const own = createProbeReaders(run);
    try {
      return await snapshot(run, probe, saved, history, own);
    } finally {
      own.dispose();
    }
  }
  const { task, model } = run;
  const rows = selectRows(run, probe.needs.rows ?? 'validation');
  const sites = matchingSites(model, probe.needs.sites ?? []);
  const params = withoutAuxiliary(saved.params);
  const { epoch, step } = saved.position;
  return {
    epoch,
    step,
    params,
    sites:
      sites.length === 0
        ? {}
        : await readers.sites(sites).read(params, takeRows(task.inputs, rows)),
    ...(await readGradients(run, probe.needs.gradients, saved, rows, readers.gradients)),
    rows,
    task,
    model: describeModel(model),
    history,
    ...(run.peakMemoryBytes === undefined ? {} : { peakMemoryBytes: run.peakMemoryBytes() }),
  };
}

async function readGradients(
  { backend, task, model, objective, teachers, seed }: ProbedRun,
  requested: Probe['needs']['gradients'],
  saved: Pick<Checkpoint, 'params' | 'position'>,
  rows: Int32Array,
  reader: GradientReader,
): Promise<Pick<Snapshot, 'gradients'>> {
  if (requested === undefined) return {};
  const { batches, byTerm = false } = requested;
  const params = withoutAuxiliary(saved.params);
  const hardLoss = await reader.read(params, task, rows, batches);
  if (!byTerm) return { gradients: { hardLoss } };
  if (objective === undefined || teachers === undefined || seed === undefined)
    throw new InputError(
      'gradients by term: need the objective, teachers and seed of a run; open the run with them',
    );
  const run = { backend, task, model, objective, teachers, seed };
  return { gradients: { hardLoss, ...(await gradientsByTerm(run, saved, rows, batches)) } };
}

function selectRows(
  { task, split }: Pick<Training, 'task' | 'split'>,
  which: NonNullable<Probe['needs']['rows']>,
): Int32Array {
  if (which === 'all') return Int32Array.from(task.labels.keys());
  if (typeof which === 'number') return split.validation.subarray(0, which);
  return split[which];
}

/** The sites that match the patterns. @throws InputError when a pattern matches nothing. */
function matchingSites(model: Model, patterns: readonly string[]): readonly string[] {
  return matchNames(
    'site',
    patterns,
    model.sites().map((site) => site.name),
  );
}

/** The model info for objectives and probes. */
export function describeModel(model: Model): ModelInfo {
  return { ...model.shape, sites: model.sites() };
}
