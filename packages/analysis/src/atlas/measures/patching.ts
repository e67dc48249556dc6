/** Which parts carry the answer: activation and attribution patching, paths, direct logit attribution, the logit lens. */
import {
  activationPatching,
  attributionPatching,
  directLogitAttribution,
  drawPairs,
  getActName,
  logitLens,
  type PatchingGrid,
  type PatchingPairs,
  pathPatching,
  type Where,
} from '@grok/interp';
import { scoreLogits } from '@grok/metrics';
import type { AtlasMeasure, Subject } from '../measure.js';
import { cell, type TableRow } from '../tables.js';
import { namePosition } from './positions.js';

const PAIRS = 64;
const ACTIVATIONS = [
  ...['resid_pre', 'resid_mid', 'resid_post', 'attn_out', 'mlp_out'],
  ...['q', 'k', 'v', 'z', 'pattern'],
];

/**
 * Tables `grid` (a row for each activation, block, head and position: 0 is the corrupted run, 1 the clean
 * one), `paths`, `direct` and `lens`; logit differences in nats.
 */
export const patchingMeasure: AtlasMeasure = {
  name: 'patching',
  async measure(subject) {
    const pairs = drawPairs(subject.task, 0, PAIRS);
    const known = new Set(subject.model.sites.map(({ name }) => name));
    const grid: TableRow[] = [];
    let ends: PatchingGrid | undefined;
    for (const activation of ACTIVATIONS) {
      if (!known.has(getActName(activation, 0))) continue;
      const options = { ...pairs, activation };
      const exact = await activationPatching(subject.model, options);
      const estimate = await attributionPatching(subject.model, options);
      grid.push(...listCells(subject, exact, estimate));
      ends ??= exact;
    }
    return {
      grid,
      paths: ends === undefined ? [] : await listPaths(subject, pairs, ends),
      direct: (await directLogitAttribution(subject.model, pairs.clean)).map(
        ({ component, value }) => ({ component, value: cell(value) }),
      ),
      lens: (await logitLens(subject.model, pairs.clean)).map(({ site, value, logits }) => ({
        ...{ site, value: cell(value) },
        accuracy: cell(scoreLogits(logits, pairs.clean.labels).accuracy),
      })),
    };
  },
};

function listCells(
  { task }: Subject,
  exact: PatchingGrid,
  estimate: PatchingGrid,
): readonly TableRow[] {
  const name = namePosition(task);
  return exact.normalized.map((value, at) => {
    let rest = at;
    const index = Object.fromEntries(
      exact.axes
        .map((axis, i) => [axis, i] as const)
        .reverse()
        .map(([axis, i]) => {
          const size = exact.shape[i] ?? 1;
          const own = rest % size;
          rest = Math.floor(rest / size);
          return [axis, own];
        }),
    );
    return {
      ...{ activation: exact.activation, block: index.layer ?? 0, head: index.head ?? null },
      position: index.position === undefined ? null : name(index.position),
      ...{ value: cell(value), estimate: cell(estimate.normalized[at]) },
    };
  });
}

/** Every path from a head or an MLP to a later head's query, key or value, or to the logits. */
async function listPaths(
  { model }: Subject,
  pairs: PatchingPairs,
  { clean, corrupted }: PatchingGrid,
): Promise<readonly TableRow[]> {
  const { layers, heads } = model.model.shape;
  const known = new Set(model.sites.map(({ name }) => name));
  const last = getActName('resid_post', layers - 1);
  const found: TableRow[] = [];
  for (const sender of listParts(layers, heads, ['z']))
    for (const receiver of [
      ...listParts(layers, heads, ['q', 'k', 'v']).filter(({ block }) => block > sender.block),
      { name: 'logits', block: layers, where: { site: last } },
    ]) {
      if (!known.has(sender.where.site) || !known.has(receiver.where.site)) continue;
      const options = { ...pairs, sender: sender.where, receivers: [receiver.where] };
      const value = await pathPatching(model, options);
      found.push({
        ...{ sender: sender.name, receiver: receiver.name },
        value: cell((value - corrupted) / (clean - corrupted)),
      });
    }
  return found;
}

interface Part {
  readonly name: string;
  readonly block: number;
  readonly where: Where;
}

/** Heads by what of them is read, and with `z` MLPs too. */
function listParts(layers: number, heads: number, names: readonly string[]): readonly Part[] {
  return Array.from({ length: layers }, (_, block) => [
    ...names.flatMap((name) =>
      Array.from({ length: heads }, (_, head) => ({
        ...{ name: `L${block}H${head}${name === 'z' ? '' : ` ${name}`}`, block },
        where: { site: getActName(name, block), head },
      })),
    ),
    ...(names.includes('z')
      ? [{ name: `L${block}MLP`, block, where: { site: getActName('mlp_out', block) } }]
      : []),
  ]).flat();
}
