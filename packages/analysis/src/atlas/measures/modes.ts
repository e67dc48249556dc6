/** Modes of attention, what they follow and which of a teacher's they are, and where the answer's value comes from. */
import { type HostArray, rng } from '@grok/core';
import {
  type AttentionModes,
  attentionFlow,
  attentionModes,
  matchModes,
  readOperands,
} from '@grok/metrics';
import { sitesByKind } from '../../open.js';
import { type AtlasMeasure, firstRows, type Subject } from '../measure.js';
import { cell, type TableRow } from '../tables.js';
import { namePosition } from './positions.js';

/**
 * Tables `centroids` (a row for each head, mode and key at the last query), `related` (what a head's modes say
 * of the operands and the answer), and `flow` (the share of each token in the logits).
 */
export const modesMeasure: AtlasMeasure = {
  name: 'modes',
  async measure(subject) {
    const patterns = await readPatterns(subject);
    const found = patterns.map((pattern) => findModes(subject, pattern));
    return {
      centroids: found.flatMap((heads, block) =>
        heads.flatMap((head) => listCentroids(subject, block, head)),
      ),
      related: found.flatMap((heads, block) =>
        heads.flatMap(({ head, related }) =>
          Object.entries(related).map(([grouping, association]) => ({
            ...{ block, head, grouping, value: cell(association.mutualInformation) },
            chance: cell(association.null.mutualInformation),
            p: cell(association.null.p),
          })),
        ),
      ),
      ...listFlow(subject, patterns),
    };
  },
};

/** Table `matched`: each head's partner in the teacher, and the share of rows in matched modes. */
export const matchedModesMeasure: AtlasMeasure = {
  name: 'matched-modes',
  comparesTeacher: true,
  async measure(subject) {
    const { teacher } = subject;
    if (teacher === undefined) return {};
    // The same rows: a student's, which its teacher was not trained on either.
    const rows = firstRows(subject);
    const mine = (await readPatterns(subject, rows)).map((pattern) => findModes(subject, pattern));
    const theirs = (await readPatterns(teacher, rows)).map((pattern) =>
      findModes(subject, pattern),
    );
    return {
      matched: mine.slice(0, theirs.length).flatMap((heads, block) =>
        matchModes(heads, theirs[block] ?? [], { rng: rng(0).split('atlas modes') }).map(
          ({ heads: [head, partner], agreement, null: chance }) => ({
            ...{ block, head, partner, agreement: cell(agreement) },
            ...{ chance: cell(chance.agreement), p: cell(chance.p) },
          }),
        ),
      ),
    };
  },
};

async function readPatterns(
  subject: Subject,
  rows: Int32Array = firstRows(subject),
): Promise<readonly HostArray[]> {
  const { patterns } = sitesByKind(subject.model.model);
  const read = await subject.readSites(patterns, rows);
  return patterns.map(read);
}

function findModes(subject: Subject, pattern: HostArray): readonly AttentionModes[] {
  const { task } = subject;
  const rows = firstRows(subject);
  const groupings = {
    answer: rows.map((row) => task.labels[row] ?? 0),
    ...(task.modular === undefined ? {} : readOperands(task, rows)),
  };
  return attentionModes(pattern, {
    rng: rng(0).split('atlas modes'),
    groupings,
    permutations: 199,
  });
}

function listCentroids(
  { task }: Subject,
  block: number,
  { head, centroids, sizes, silhouette, chance }: AttentionModes,
): readonly TableRow[] {
  const name = namePosition(task);
  const rows = sizes.reduce((sum, size) => sum + size, 0);
  return centroids.flatMap((centroid, mode) => {
    const share = (sizes[mode] ?? 0) / rows;
    return centroid.map((weight, key) => ({
      ...{ block, head, mode: `${mode + 1} (${Math.round(100 * share)} % of rows)` },
      ...{ key: name(key), weight: cell(weight) },
      ...{ silhouette: cell(silhouette), chance: cell(chance) },
    }));
  });
}

function listFlow(
  { task }: Subject,
  patterns: readonly HostArray[],
): Readonly<Record<'flow' | 'edges', readonly TableRow[]>> {
  const name = namePosition(task);
  const { edges, rollout, flow, uniform, layers } = attentionFlow(patterns);
  const list = (measure: 'rollout' | 'flow', values: readonly number[]): readonly TableRow[] =>
    values.map((value, token) => ({
      ...{ measure, token: name(token), value: cell(value), chance: cell(uniform[measure][token]) },
    }));
  return {
    flow: [...list('rollout', rollout), ...list('flow', flow)],
    edges: edges.map(({ layer, from, to, weight }) => ({
      ...{ layer, from: name(from), weight: cell(weight) },
      to: layer < layers ? name(to) : 'logits',
    })),
  };
}
