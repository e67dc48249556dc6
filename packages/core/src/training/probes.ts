/** Probes inside a run: which are due, what they are shown, what they found. */
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

/** A probe that is due, and where its result goes: the epoch's row, or an analysis of that moment. */
export interface DueProbe extends ActiveProbe {
  readonly moment: string;
}

/**
 * Probes by name. @throws InputError on unknown names, bad options, two of one name, a name that is no
 * file's, sites that the model does not have, and a `when` that is no moment.
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

/** Whether validation accuracy first comes to `threshold` in `row`, of all rows up to it. */
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

/** The probes that run at a row; of epochs that leave none, the next row makes up for one that was due. */
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

/** What a probe found, or why it found nothing. */
export type Found = { readonly name: string; readonly moment: string } & (
  | { readonly result: Json }
  | { readonly failure: string }
);

/** Runs probes on the state at the end of an epoch; one that fails costs the run nothing but its result. */
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

/** What reads sites and gradients for probes: compiled once, however often a run is looked at. */
export interface ProbeReaders {
  sites(names: readonly Site[]): SiteReader;
  readonly gradients: GradientReader;
  dispose(): void;
}

/** The readers of a run. */
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

/** What probes are shown of a run; gradients by term need its objective too. */
type ProbedRun = Pick<Training, 'backend' | 'task' | 'split' | 'model' | 'peakMemoryBytes'> &
  Partial<Pick<Training, 'objective' | 'teachers' | 'seed'>>;

/**
 * What a probe sees of a state: its rows, sites and gradients over them, and the model's own parameters.
 * `readers` are the run's, where it is looked at more than once.
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

/** The sites that patterns name. @throws InputError when one matches nothing. */
function matchingSites(model: Model, patterns: readonly string[]): readonly string[] {
  return matchNames(
    'site',
    patterns,
    model.sites().map((site) => site.name),
  );
}

/** What objectives and probes are told of a model. */
export function describeModel(model: Model): ModelInfo {
  return { ...model.shape, sites: model.sites() };
}
