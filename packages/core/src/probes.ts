/** Probes inside a run: which are due, what they are shown, what they found. */
import { takeRows } from './device.js';
import { unknownName } from './errors.js';
import { batchGradients } from './gradients.js';
import { withoutExtras } from './params.js';
import { computeSites } from './teacher.js';
import type { ActiveProbe, SavedState, Training } from './training.js';
import type { Json, MetricsRow, Model, ModelInfo, Probe, Snapshot } from './types.js';

/** A probe that is due, and where its result goes: the epoch's row, or an analysis of that moment. */
export interface DueProbe extends ActiveProbe {
  readonly moment: string;
}

/** The probes that run at this epoch; `reached` are the accuracies first crossed at it. */
export function dueProbes(
  probes: readonly ActiveProbe[],
  epoch: number,
  reached: readonly number[],
  last: boolean,
): readonly DueProbe[] {
  return probes.flatMap(({ name, probe }) => {
    const { when } = probe;
    if (when === 'end') return last ? [{ name, probe, moment: 'end' }] : [];
    if ('every' in when) return epoch % when.every === 0 ? [{ name, probe, moment: 'row' }] : [];
    return reached.includes(when.crossing)
      ? [{ name, probe, moment: `crossing-${when.crossing}` }]
      : [];
  });
}

/** Runs probes on the state at the end of an epoch. */
export async function runProbes(
  run: Training,
  due: readonly DueProbe[],
  saved: SavedState,
  history: readonly MetricsRow[],
  row: Omit<MetricsRow, 'time' | 'probes'>,
): Promise<readonly { name: string; moment: string; result: Json }[]> {
  const found: { name: string; moment: string; result: Json }[] = [];
  const full = [...history, { ...row, time: { seconds: 0 } }];
  for (const { name, probe, moment } of due) {
    const shown = await snapshot(run, probe, saved, full);
    found.push({ name, moment, result: await probe.on(shown) });
  }
  return found;
}

/** What a probe sees of a state: its rows, sites and gradients over them, and the model's own parameters. */
export async function snapshot(
  run: Pick<Training, 'backend' | 'task' | 'split' | 'model' | 'peakMemoryBytes'>,
  probe: Pick<Probe, 'needs'>,
  saved: Pick<SavedState, 'params' | 'position'>,
  history: readonly MetricsRow[],
): Promise<Snapshot> {
  const { backend, task, model } = run;
  const { grads } = probe.needs;
  const rows = rowsOf(run, probe.needs.rows ?? 'validation');
  const sites = matchingSites(model, probe.needs.sites ?? []);
  const frozen = { model, params: withoutExtras(saved.params) };
  const { epoch, step } = saved.position;
  return {
    epoch,
    step,
    params: frozen.params,
    sites:
      sites.length === 0
        ? {}
        : await computeSites(backend, frozen, sites, takeRows(task.inputs, rows)),
    ...(grads === undefined
      ? {}
      : { grads: await batchGradients(backend, frozen, task, rows, grads) }),
    rows,
    task,
    model: infoOf(model),
    history,
    ...(run.peakMemoryBytes === undefined ? {} : { peakMemoryBytes: run.peakMemoryBytes() }),
  };
}

function rowsOf(
  { task, split }: Pick<Training, 'task' | 'split'>,
  which: NonNullable<Probe['needs']['rows']>,
): Int32Array {
  if (which === 'all') return Int32Array.from(task.labels.keys());
  if (typeof which === 'number') return split.validation.subarray(0, which);
  return split[which];
}

/** Names of sites with `*` for any part between dots. @throws InputError when one matches nothing. */
function matchingSites(model: Model, patterns: readonly string[]): readonly string[] {
  const known = model.sites().map((site) => site.name);
  const found = patterns.flatMap((pattern) => {
    const parts = pattern.split('.');
    const matches = known.filter((name) => {
      const own = name.split('.');
      return (
        own.length === parts.length && parts.every((part, i) => part === '*' || part === own[i])
      );
    });
    if (matches.length === 0) throw unknownName('site', pattern, known);
    return matches;
  });
  return [...new Set(found)];
}

/** What objectives and probes are told of a model. */
export function infoOf(model: Model): ModelInfo {
  return { ...model.shape, sites: model.sites() };
}
