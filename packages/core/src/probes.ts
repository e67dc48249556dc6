/** Probes inside a run: which are due, what they are shown, what they found. */
import { takeRows } from './device.js';
import { computeSites } from './teacher.js';
import type { SavedState, Training } from './trainer.js';
import type { HostParams, Json, MetricsRow, Model, ModelInfo, Probe, Snapshot } from './types.js';

/** A probe under its name in this run. */
export interface ActiveProbe {
  readonly name: string;
  readonly probe: Probe;
}
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

/** What a probe sees of a state: its rows, sites over them, and the model's own parameters. */
export async function snapshot(
  run: Pick<Training, 'backend' | 'task' | 'split' | 'model'>,
  probe: Probe,
  saved: SavedState,
  history: readonly MetricsRow[],
): Promise<Snapshot> {
  const { rows: which = 'validation', sites = [] } = probe.needs;
  const all = which === 'train' ? run.split.train : run.split.validation;
  const rows = typeof which === 'number' ? all.subarray(0, which) : all;
  const params = withoutExtras(saved.params);
  return {
    epoch: saved.position.epoch,
    step: saved.position.step,
    params,
    sites:
      sites.length === 0
        ? {}
        : await computeSites(
            run.backend,
            { model: run.model, params },
            sites,
            takeRows(run.task.inputs, rows),
          ),
    rows,
    task: run.task,
    model: infoOf(run.model),
    history,
  };
}

/** A model's own parameters: those that objectives added are left out. */
export function withoutExtras(params: HostParams): HostParams {
  return Object.fromEntries(Object.entries(params).filter(([name]) => !name.startsWith('extra.')));
}

/** What objectives and probes are told of a model. */
export function infoOf(model: Model): ModelInfo {
  return { ...model.shape, sites: model.sites() };
}
