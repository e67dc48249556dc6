/** What a folder has to say on claims: its runs, and its analyses with the published choices. */

import type { Store } from '@grok/core';
import type { BegunRun } from '@grok/study';
import { readMeasured } from '../atlas/atlas.js';
import type { MeasuredTables } from '../atlas/tables.js';
import { type PublishedAnalysis, readPublished } from '../files.js';
import { publishedPath } from '../study.js';
import { type Claims, listAtlasMeasures } from './claims.js';
import type { Evidence } from './measure.js';

/**
 * Reads what claims need from the study in a folder: the analyses that have the published choices, and the tables of
 * the atlas. Damaged files are skipped; `notice` is called for analyses.
 */
export async function readEvidence(
  claims: Claims,
  root: Store,
  runs: readonly BegunRun[],
  notice?: (message: string) => void,
): Promise<Evidence> {
  const inside = new Map<string, PublishedAnalysis>();
  for (const path of new Set(runs.map(publishedPath))) {
    const file = await readPublished(root, path, notice);
    if (file !== undefined && hasPublishedChoices(file)) inside.set(path, file);
  }
  const atlas = new Map<string, Readonly<Record<string, MeasuredTables>>>();
  for (const { run, store } of runs) {
    const tables: Record<string, MeasuredTables> = {};
    for (const measure of listAtlasMeasures(claims)) {
      const found = await readMeasured(store, measure);
      if (found !== undefined) tables[measure] = found;
    }
    atlas.set(run, tables);
  }
  return { runs, inside, atlas };
}

/** Joins the evidence of several folders; a run that is in several is taken from the first. */
export function joinedEvidence(all: readonly Evidence[]): Evidence {
  const runs: BegunRun[] = [];
  const inside = new Map<string, PublishedAnalysis>();
  const atlas = new Map<string, Readonly<Record<string, MeasuredTables>>>();
  for (const evidence of all) {
    // In one folder a run may have several names.
    const earlier = new Set(runs.map(({ run }) => run));
    runs.push(...evidence.runs.filter(({ run }) => !earlier.has(run)));
    for (const [path, file] of evidence.inside) if (!inside.has(path)) inside.set(path, file);
    for (const [run, tables] of evidence.atlas) if (!atlas.has(run)) atlas.set(run, tables);
  }
  return { runs, inside, atlas };
}

/** Whether an analysis has the published choices: as many layers of hidden states as blocks, instead of all. */
export function hasPublishedChoices(file: PublishedAnalysis): boolean {
  const count = (layers: object): number => Object.keys(layers).length;
  return count(file.effective_ranks) === count(file.attention_entropies);
}
