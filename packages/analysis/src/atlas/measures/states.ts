/** Hidden states of rows as points in the plane: principal components, UMAP and t-SNE, and the way there in training. */
import { type HostArray, rng } from '@grok/core';
import { createSiteReader, reader, takeRows } from '@grok/core/internal';
import {
  atPosition,
  computePca,
  computeTsne,
  computeUmap,
  traceRows,
  trustworthiness,
} from '@grok/metrics';
import { sitesByKind } from '../../open.js';
import { type AtlasMeasure, firstRows, type Subject } from '../measure.js';
import { cell, type TableRow } from '../tables.js';

/** Rows whose way through training is drawn. */
const TRACED = 12;
type Points = readonly (readonly number[])[];

/** Table `points`: rows in each hidden state at the last position, by `layout`; UMAP and t-SNE of the last state alone. */
export const statesMeasure: AtlasMeasure = {
  name: 'states',
  async measure(subject) {
    const rows = firstRows(subject);
    const { states: statesMeasure } = sitesByKind(subject.model.model);
    const read = await subject.readSites(statesMeasure, rows);
    const points: TableRow[] = [];
    const add = (site: string, layout: string, all: Points, trust: number | null): void => {
      for (const [i, [x, y]] of all.entries())
        points.push({
          ...{ site, layout, x: cell(x), y: cell(y), trust: cell(trust) },
          answer: subject.task.labels[rows[i] ?? 0] ?? null,
        });
    };
    for (const site of statesMeasure)
      add(site, 'PCA', computePca(atPosition(read(site), -1), 2).scores, null);
    const last = statesMeasure.at(-1);
    if (last === undefined) return { points };
    const x = atPosition(read(last), -1);
    const umap = await computeUmap(x, { rng: rng(0).split('atlas umap') });
    add(last, 'UMAP', umap.points, trustworthiness(x, umap.points));
    const tsne = computeTsne(x);
    add(last, 't-SNE', tsne.points, trustworthiness(x, tsne.points));
    return { points };
  },
};

/** Table `paths`: rows in the last hidden state at each state of training, along common principal components. */
export const trajectoriesMeasure: AtlasMeasure = {
  name: 'trajectories',
  readsStates: true,
  async measure(subject) {
    const site = sitesByKind(subject.model.model).states.at(-1);
    if (site === undefined || subject.steps.length < 2) return {};
    const rows = firstRows(subject, TRACED);
    const each = await readTraining(subject, site, rows);
    const crossed = subject.run.history.find(({ validation }) => validation.accuracy >= 0.99);
    const crossing = crossed === undefined ? {} : { crossing: crossed.step };
    const found = traceRows(
      each.map(({ step, value }) => ({ step, rows: atPosition(value, -1) })),
      crossing,
    );
    return {
      paths: found.points.flatMap((points, at) =>
        points.map(([x, y], i) => ({
          ...{ row: subject.task.show(rows[i] ?? 0), step: found.steps[at] ?? 0 },
          ...{ x: cell(x), y: cell(y), crossed: found.crossing === at ? 1 : 0 },
          ...{ detour: cell(found.detour[i]), chance: cell(found.chance) },
        })),
      ),
    };
  },
};

async function readTraining(
  { model, task, steps, readState }: Subject,
  site: string,
  rows: Int32Array,
): Promise<readonly { readonly step: number; readonly value: HostArray }[]> {
  const sites = createSiteReader(model.backend, model.model, [site]);
  const inputs = takeRows(task.inputs, rows);
  const found: { step: number; value: HostArray }[] = [];
  try {
    for (const step of steps) {
      const { params } = await readState(step);
      found.push({ step, value: reader('site', await sites.read(params, inputs))(site) });
    }
    return found;
  } finally {
    sites.dispose();
  }
}
