/** A teacher that was trained already is not trained again: it is copied into the study, from another or from the site. */
import { type Experiment, readConfig, readManifest, type Store } from '@grok/core';
import { findConfig, formatBudget } from '@grok/core/internal';
import { expandPlan, identifyRun, type Plan } from '@grok/study';
import { filesOf, listStudies, runStore } from './studies.js';

/** The teacher that comes with the site: files of its run's folder. */
const SHIPPED = new URL(`${import.meta.env.BASE_URL}teacher/`, self.location.origin);

/** Copies every teacher of a plan that is at hand into the study's folder. */
export async function giveTeachers(plan: Plan, study: string): Promise<void> {
  for (const { needs, experiment } of expandPlan(plan)) {
    if (Object.keys(needs).length > 0) continue;
    const { run: hash, folder } = identifyRun(experiment);
    const store = runStore(study, folder);
    if ((await findConfig(store)) !== undefined) continue;
    await ((await copyFromStudy(study, folder, experiment, store)) ||
      copyFromSite(hash, experiment, store));
  }
}

/** From another study, where it was trained for as many epochs: a run of another length has the same id. */
async function copyFromStudy(
  study: string,
  folder: string,
  experiment: Experiment,
  to: Store,
): Promise<boolean> {
  for (const other of await listStudies()) {
    if (other.folder === study) continue;
    const from = runStore(other.folder, folder);
    const manifest = await readManifest(from);
    if (manifest?.status !== 'finished') continue;
    const found = (await readConfig(from)).experiment;
    if (formatBudget(found) !== formatBudget(experiment)) continue;
    const files = Object.entries(await filesOf(other.folder));
    for (const [path, bytes] of files)
      if (path.startsWith(`${folder}/`)) await to.write(path.slice(folder.length + 1), bytes);
    return true;
  }
  return false;
}

async function copyFromSite(hash: string, { epochs }: Experiment, to: Store): Promise<void> {
  const index = await fetch(new URL('files.json', SHIPPED)).catch(() => undefined);
  if (!index?.ok) return;
  const shipped = (await index.json()) as { run: string; epochs: number; files: readonly string[] };
  const { run, files } = shipped;
  if (run !== hash || shipped.epochs !== epochs) return;
  // config.json last: a copy that broke off is then no run.
  for (const file of [...files.filter((name) => name !== 'config.json'), 'config.json'])
    await to.write(file, new Uint8Array(await (await fetch(new URL(file, SHIPPED))).arrayBuffer()));
}
