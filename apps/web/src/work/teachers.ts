/// <reference types="vite/client" />
/** A teacher that was trained already is not trained again: it is copied into the study, from another or from the site. */
import { type Experiment, readConfig, readManifest, type Store } from '@grok/core';
import { findConfig, formatBudget } from '@grok/core/internal';
import { expandPlan, identifyRun, type Plan } from '@grok/study';
import { writeAll } from './documents.js';
import type { Shelf } from './shelf.js';
import { readShipped } from './shipped.js';

/** The teacher that comes with the site: files of its run's folder. */
const SHIPPED = new URL(`${import.meta.env.BASE_URL}teacher/`, self.location.origin);

/** Copies every teacher of a plan that is at hand into the study's folder. */
export async function giveTeachers(plan: Plan, study: string, shelf: Shelf): Promise<void> {
  for (const { needs, experiment } of expandPlan(plan)) {
    if (Object.keys(needs).length > 0) continue;
    const { run: hash, folder } = identifyRun(experiment);
    const store = shelf.store(`${study}/${folder}`);
    if ((await findConfig(store)) !== undefined) continue;
    const files =
      (await findInStudies(study, folder, experiment, shelf)) ??
      (await findOnSite(hash, experiment));
    if (files !== undefined) await writeAll(store, files);
  }
}

/** Another study's, trained for as many epochs: a run of another length has the same id. */
async function findInStudies(
  study: string,
  folder: string,
  experiment: Experiment,
  shelf: Shelf,
): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
  for (const other of await shelf.studies()) {
    if (other === study) continue;
    const store = shelf.store(`${other}/${folder}`);
    if (!(await isTrained(store, experiment).catch(() => false))) continue;
    const files = Object.entries(await shelf.files(other));
    const own = files.filter(([path]) => path.startsWith(`${folder}/`));
    return new Map(own.map(([path, bytes]) => [path.slice(folder.length + 1), bytes]));
  }
  return undefined;
}

async function isTrained(store: Store, experiment: Experiment): Promise<boolean> {
  if ((await readManifest(store))?.status !== 'finished') return false;
  return formatBudget((await readConfig(store)).experiment) === formatBudget(experiment);
}

async function findOnSite(
  hash: string,
  { epochs }: Experiment,
): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
  const index = await fetchBytes('files.json');
  if (index === undefined) return undefined;
  const { run, epochs: trained, files } = readShipped(index);
  if (run !== hash || trained !== epochs) return undefined;
  const all = await Promise.all(files.map(async (file) => [file, await fetchBytes(file)] as const));
  const there = all.flatMap(([file, bytes]) =>
    bytes === undefined ? [] : [[file, bytes] as const],
  );
  return there.length === files.length ? new Map(there) : undefined;
}

/** A file of the site; undefined where it has none, or there is no network. */
async function fetchBytes(file: string): Promise<Uint8Array | undefined> {
  const answer = await fetch(new URL(file, SHIPPED)).catch(() => undefined);
  return answer?.ok ? new Uint8Array(await answer.arrayBuffer()) : undefined;
}
