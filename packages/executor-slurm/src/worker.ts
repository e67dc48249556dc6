/** The job's side: it carries out the one job that its environment names, and writes down how it ended. */
import { InputError, type JobOutcome, RunError } from '@grok/core';
import { type BoundJob, type JobEdge, type WorkerHost, writeJson } from '@grok/core/internal';
import { checkOutcome, isRefusal, readJobDocument } from '@grok/study';
import { files, JOBS, nameJob, readJson } from './files.js';

/** Serves one job. @throws RunError where it did not finish, so that Slurm holds back those that wait for it. */
export function takeJob(
  env: Readonly<Record<string, string | undefined>>,
): (host: WorkerHost) => Promise<void> {
  const { GROK_SLURM_ROOT: root, GROK_SLURM_JOB: id } = env;
  return async (host) => {
    if (root === undefined || id === undefined)
      throw new InputError(
        'executor "slurm": its workers are started by sbatch; start the study with --executor slurm',
      );
    const outcome = await carryOut(root, id, host);
    if (outcome.status !== 'interrupted')
      await writeJson(host.open(root, JOBS), files(id).outcome, outcome);
    if (outcome.status === 'finished') return;
    const why = outcome.status === 'failed' ? `: ${outcome.error}` : '';
    throw new RunError(`${id}: ${outcome.status}${why}`);
  };
}

async function carryOut(root: string, id: string, host: WorkerHost): Promise<JobOutcome> {
  const jobs = host.open(root, JOBS);
  const { signal } = host;
  // Slurm's signal may come before the run has begun, and nothing is awaited after it.
  const listener = (): void => {};
  let written: Promise<void> = Promise.resolve();
  const begin = (bound: BoundJob): void => {
    written = writeJson(jobs, files(id).bound, bound);
  };
  try {
    const document = readJobDocument(await readJson(jobs, files(id).job));
    const edges: JobEdge[] = [];
    for (const edge of document.edges) edges.push(await findTeacher(edge));
    const outcome = await host.carryOut({ ...document, edges }, { signal, listener, begin });
    await written;
    return outcome;
  } catch (error) {
    const { message } = error as Error;
    return { status: 'failed', error: message, ...(isRefusal(error) ? { notBegun: true } : {}) };
  }

  async function findTeacher(edge: JobEdge): Promise<JobEdge> {
    if (edge.folder !== undefined) return edge;
    const name = nameJob(edge.teacher);
    const outcome = checkOutcome(await readJson(jobs, files(name).outcome), edge.teacher);
    return outcome.status === 'finished' ? { ...edge, folder: outcome.folder } : edge;
  }
}
