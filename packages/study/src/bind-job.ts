/** Fills in the teachers of a job from their folders, when the job starts. */
import { InputError, type Job, readManifest, readMetrics, type Store } from '@grok/core';
import { type BoundJob, findConfig, type JobEdge, resolveExecution } from '@grok/core/internal';
import { bindTeachers, identifyRun, type TeachingRun } from './bind.js';

/** Folders of a job's teachers, by key. */
export type TeacherFolders = ReadonlyMap<string, string>;

/**
 * Fills in a job's teachers by run id and parameters, and the folders.
 * @throws InputError if a teacher is not finished, or never reached the requested point.
 */
export async function bindJob(
  { key, experiment, execution, defaults }: Job,
  edges: readonly JobEdge[],
  folders: TeacherFolders,
  open: (folder: string) => Store,
): Promise<BoundJob> {
  const own = edges.filter(({ job }) => job === key);
  const needs = Object.fromEntries(own.map(({ as, teacher, at }) => [as, { key: teacher, at }]));
  const finished = new Map<string, TeachingRun>();
  const beside: Record<string, string> = {};
  for (const { as, teacher } of own) {
    const folder = folders.get(teacher);
    if (folder === undefined) continue;
    const store = open(folder);
    const manifest = await readManifest(store);
    if (manifest?.status !== 'finished') continue;
    const history = await readMetrics(store, manifest);
    finished.set(teacher, { manifest, history, store });
    // Relative to the run's folder, so that the run can be resumed on its own.
    beside[as] = `../${folder}`;
  }
  const bound = await bindTeachers({ experiment, needs }, finished);
  if (bound === undefined)
    throw new InputError(
      `${key}: its teachers are not finished in the study's folder; every executor must see that folder`,
    );
  const { run, folder } = identifyRun(bound);
  const began = (await findConfig(open(folder))) !== undefined;
  const whole = {
    ...resolveExecution({ flags: execution ?? {}, defaults: began ? {} : (defaults ?? {}) }),
    ...(Object.keys(beside).length === 0 ? {} : { teachers: beside }),
  };
  return { key, run, folder, spec: { experiment: bound, execution: whole } };
}
