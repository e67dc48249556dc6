/** What a folder has to say on claims: its runs, and its analyses with the published choices. */

import type { Store } from '@grok/core';
import type { BegunRun } from '@grok/study';
import { type PublishedAnalysis, readPublishedFile } from '../files.js';
import { publishedPath } from '../study.js';
import type { Evidence } from './measure.js';

/** Reads the analyses of the study in a folder; one of other choices than the published does not count. */
export async function evidenceOf(root: Store, runs: readonly BegunRun[]): Promise<Evidence> {
  const inside = new Map<string, PublishedAnalysis>();
  for (const run of runs) {
    const path = publishedPath(run);
    const file = inside.has(path) ? undefined : await readPublished(root, run);
    if (file !== undefined && hasPublishedChoices(file)) inside.set(path, file);
  }
  return { runs, inside };
}

/** What several folders have to say together; of a run that is in several, the first. */
export function joinedEvidence(all: readonly Evidence[]): Evidence {
  const runs = new Map<string, BegunRun>();
  const inside = new Map<string, PublishedAnalysis>();
  for (const evidence of all) {
    for (const run of evidence.runs)
      if (!runs.has(run.manifest.run)) runs.set(run.manifest.run, run);
    for (const [path, file] of evidence.inside) if (!inside.has(path)) inside.set(path, file);
  }
  return { runs: [...runs.values()], inside };
}

/** The file of the published layout that a run is in, where there is one. */
export async function readPublished(
  root: Store,
  run: BegunRun,
): Promise<PublishedAnalysis | undefined> {
  return readPublishedFile(root, publishedPath(run));
}

/** The published choices have as many layers of hidden states as blocks; ours have all states. */
export function hasPublishedChoices(file: PublishedAnalysis): boolean {
  const count = (layers: object): number => Object.keys(layers).length;
  return count(file.effective_ranks) === count(file.attention_entropies);
}
