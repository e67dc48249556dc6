/** Every run of a folder analyzed beside its teacher, and each seed's models in the published layout. */

import type { Store } from '@grok/core';
import { writeJson } from '@grok/core/internal';
import { type BegunRun, findTeacher } from '@grok/study';
import { type AnalysisOptions, analyzeRun } from './analyze.js';
import { type Analysis, type PublishedAnalysis, readAnalysis, readPublished } from './files.js';
import { type At, defaultMoments, resolveMoment } from './moments.js';
import { type AnalysisHost, unlessDamaged } from './open.js';
import { analyzeAsPublished, PUBLISHED_FILE, type PublishedOptions } from './published.js';

/** Options of the analysis of a folder. */
export interface StudyAnalysisOptions
  extends Omit<AnalysisOptions, 'against' | 'besides' | 'notice'>,
    PublishedOptions {
  /** Whether to skip existing analyses. */
  readonly missing?: boolean;
  readonly tell?: (run: BegunRun, analyses: readonly Analysis[], missed: readonly At[]) => void;
  /** Called with the reason for each run or measure that is skipped. */
  readonly notice?: (run: BegunRun, message: string) => void;
}

/**
 * Analyzes the finished runs of a study, each compared with its teacher, and writes
 * `analysis/seed-N/mechanistic_analysis_results.json` for every seed (under the name of its override, if any).
 * Runs that cannot be analyzed are skipped.
 * @throws the first error if none can be analyzed.
 */
export async function analyzeStudy(
  host: AnalysisHost,
  root: Store,
  runs: readonly BegunRun[],
  options: StudyAnalysisOptions = {},
): Promise<void> {
  const { tell, notice = () => {}, missing = false, ...requested } = options;
  const finished = runs.filter(isOpenable);
  /** Runs that each is compared with; a run that several overrides share has more than one. */
  const done = new Map<string, (string | undefined)[]>();
  const failures: unknown[] = [];
  for (const run of finished) {
    const against = findTeacher(run, finished);
    const before = done.get(run.run) ?? [];
    if (before.includes(against?.run)) continue;
    done.set(run.run, [...before, against?.run]);
    const missed: At[] = [];
    const beside = against === undefined ? {} : { against, besides: before.length > 0 };
    const own = { ...requested, ...beside, notice: (message: string) => notice(run, message) };
    const found = await unlessDamaged(host, async () => {
      const left = missing ? { at: await findMissing(host, run, against?.run, requested.at) } : {};
      return analyzeRun(host, run, { ...own, ...left }, (at) => missed.push(at));
    });
    if ('error' in found) {
      failures.push(found.error);
      notice(run, `skipped: ${found.error.message}`);
    } else tell?.(run, found.value, missed);
  }
  if (failures.length > 0 && failures.length === [...done.values()].flat().length)
    throw failures[0];
  await publishStudy(host, root, runs, options);
}

/** The moments of which there is no file that can be read, or one beside another run. */
async function findMissing(
  host: AnalysisHost,
  run: BegunRun,
  beside: string | undefined,
  requested: readonly At[] = defaultMoments,
): Promise<readonly At[]> {
  const left: At[] = [];
  for (const at of requested) {
    const moment = resolveMoment(at, run.history);
    if (moment === undefined) left.push(at);
    else {
      const read = () => readAnalysis(run.store, moment.name, beside);
      const found = await unlessDamaged(host, read);
      const isThere = 'value' in found && found.value?.step === moment.step;
      if (!isThere || found.value?.against?.run !== beside) left.push(at);
    }
  }
  return left;
}

/**
 * Writes the published layout for every seed with a teacher; with `missing`, only if the file does not exist
 * with all students. Unreadable students are skipped, and so is a seed with an unreadable teacher.
 */
export async function publishStudy(
  host: AnalysisHost,
  root: Store,
  runs: readonly BegunRun[],
  options: Pick<StudyAnalysisOptions, 'asPublished' | 'notice'> & {
    readonly missing?: boolean;
  } = {},
): Promise<void> {
  const { notice = () => {}, missing = false } = options;
  const finished = runs.filter(isOpenable);
  for (const teacher of finished.filter(({ name }) => name === 'teacher')) {
    const path = publishedPath(teacher);
    const students = finished.filter((other) => isStudentBeside(other, teacher));
    if (missing && holdsAll(await readPublished(root, path), students)) continue;
    const onSkipped = (run: BegunRun, { message }: Error): void =>
      notice(run, `${path} leaves it out: ${message}`);
    const found = await unlessDamaged(host, () =>
      analyzeAsPublished(host, teacher, students, { ...options, onSkipped }),
    );
    if ('error' in found) notice(teacher, `${path} is not written: ${found.error.message}`);
    else await writeJson(root, path, found.value);
  }
}

/** A file that was written while the study ran lacks those that finished later. */
function holdsAll(file: PublishedAnalysis | undefined, students: readonly BegunRun[]): boolean {
  if (file === undefined) return false;
  const there = new Set(Object.keys(file.weight_statistics));
  return students.every(({ name }) => there.has(`student_${name}`));
}

/** Students and controls of a teacher's seed, under its override. */
function isStudentBeside(run: BegunRun, { seed, override }: BegunRun): boolean {
  return run.role !== 'teacher' && run.seed === seed && run.override === override;
}

/** Finished, and with parameters: a record has none, and would be trained again from the start. */
export function isOpenable({ manifest, recorded }: BegunRun): boolean {
  return manifest.status === 'finished' && recorded !== true;
}

/** Path of the published layout of a seed in a study. */
export function publishedPath({ seed, override }: Pick<BegunRun, 'seed' | 'override'>): string {
  return `analysis/${override === undefined ? '' : `${override}/`}seed-${seed}/${PUBLISHED_FILE}`;
}
