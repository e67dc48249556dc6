/** Every run of a folder analysed beside its teacher, and each seed's models in the published layout. */

import type { Json, Store } from '@grok/core';
import { type BegunRun, findTeacher, orderNames } from '@grok/study';
import { type AnalysisOptions, analyzeRun } from './analyze.js';
import type { Analysis } from './files.js';
import type { At } from './moments.js';
import type { AnalysisHost } from './open.js';
import { PUBLISHED_FILE, type PublishedOptions, publishedOf } from './published.js';

/** What a folder's analysis tells on the way. */
export interface StudyAnalysisOptions extends Omit<AnalysisOptions, 'against'>, PublishedOptions {
  readonly tell?: (run: BegunRun, analyses: readonly Analysis[], missed: readonly At[]) => void;
}

/**
 * Analyses the finished runs of a study, each against its teacher, and writes for every seed
 * `analysis/seed-N/mechanistic_analysis_results.json` (under its override's name, if any) into its folder.
 */
export async function analyzeStudy(
  host: AnalysisHost,
  root: Store,
  runs: readonly BegunRun[],
  options: StudyAnalysisOptions = {},
): Promise<void> {
  const finished = runs.filter(({ manifest }) => manifest.status === 'finished');
  for (const run of finished) {
    const against = findTeacher(run, finished);
    const missed: At[] = [];
    const found = await analyzeRun(
      host,
      run,
      { ...options, ...(against === undefined ? {} : { against }) },
      (at) => missed.push(at),
    );
    options.tell?.(run, found, missed);
  }
  await publishStudy(host, root, runs, options);
}

/**
 * Writes the published layout for every seed that has a teacher; with `missing`, only where there is none.
 */
export async function publishStudy(
  host: AnalysisHost,
  root: Store,
  runs: readonly BegunRun[],
  options: PublishedOptions & { readonly missing?: boolean } = {},
): Promise<void> {
  const finished = runs.filter(({ manifest }) => manifest.status === 'finished');
  for (const teacher of finished.filter(({ name }) => name === 'teacher')) {
    if (options.missing === true && (await root.read(publishedPath(teacher))) !== undefined)
      continue;
    const students = finished.filter(
      ({ name, seed, override }) =>
        !isTeacher(name, finished) && seed === teacher.seed && override === teacher.override,
    );
    const order = orderNames(students);
    const sorted = students.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
    await writeJson(
      root,
      publishedPath(teacher),
      await publishedOf(host, teacher, sorted, options),
    );
  }
}

/** True for `teacher` and for other teachers of a plan: runs that others learned from. */
export function isTeacher(name: string, runs: readonly BegunRun[]): boolean {
  if (name === 'teacher') return true;
  const own = new Set(runs.filter((run) => run.name === name).map(({ manifest }) => manifest.run));
  return runs.some(({ config }) =>
    Object.values(config.experiment.teachers ?? {}).some(({ run }) => own.has(run)),
  );
}

/** Where a study keeps the published layout of a seed. */
export function publishedPath({ seed, override }: Pick<BegunRun, 'seed' | 'override'>): string {
  return `analysis/${override === undefined ? '' : `${override}/`}seed-${seed}/${PUBLISHED_FILE}`;
}

/** Seeds in order. */
export function seedsOf(runs: readonly BegunRun[]): readonly number[] {
  return [...new Set(runs.map(({ seed }) => seed))].sort((a, b) => a - b);
}

/** Writes JSON for people. */
export async function writeJson(store: Store, path: string, value: Json): Promise<void> {
  await store.write(path, new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`));
}
