/**
 * A job as a document: what goes through a queue or a shared folder to a worker on another machine.
 * Whoever carries it out checks that it can, binds the job to its teachers and runs it.
 */
import {
  InputError,
  isInputError,
  type Job,
  type JobOutcome,
  type Registry,
  type RunHost,
  type Store,
} from '@grok/core';
import {
  checkDocument,
  DEFAULT_BACKEND,
  type DocumentKind,
  executionSchema,
  experimentSchema,
  findConfig,
  type JobDocument,
  type JobEdge,
  type JobWatch,
  type Shape,
  trainingPointSchema,
  type WorkerCapabilities,
  z,
} from '@grok/core/internal';
import { bindJob } from './bind-job.js';
import { jobRunner } from './carry-out.js';

const JOB: DocumentKind<JobDocument> = {
  schema: z.strictObject({
    format: z.literal('grok job 1'),
    packages: z.record(z.string(), z.string()),
    root: z.string().min(1),
    job: z.strictObject({
      key: z.string().min(1),
      experiment: experimentSchema,
      execution: executionSchema.exactOptional(),
      defaults: executionSchema.exactOptional(),
    } satisfies Shape<Job>),
    edges: z.array(
      z.strictObject({
        job: z.string().min(1),
        as: z.string().min(1),
        teacher: z.string().min(1),
        at: trainingPointSchema,
        folder: z.string().min(1).exactOptional(),
      } satisfies Shape<JobEdge>),
    ),
  } satisfies Shape<JobDocument>),
  remedy: 'it was submitted by another version of grok; install the same version here',
};

/** Reads a job's document; one that does not fit is of another version. @throws InputError of code `worker-refuses`. */
export function readJobDocument(value: unknown): JobDocument {
  try {
    return checkDocument(value, 'job', JOB);
  } catch (error) {
    throw refuse('version', (error as Error).message);
  }
}

const where = { run: z.string(), folder: z.string() };
const OUTCOME: DocumentKind<JobOutcome> = {
  schema: z.discriminatedUnion('status', [
    z.strictObject({ status: z.literal('finished'), ...where }),
    z.strictObject({
      status: z.literal('interrupted'),
      run: where.run.exactOptional(),
      folder: where.folder.exactOptional(),
    }),
    z.strictObject({
      status: z.literal('failed'),
      error: z.string(),
      badInput: z.boolean().exactOptional(),
      notBegun: z.boolean().exactOptional(),
      run: where.run.exactOptional(),
      folder: where.folder.exactOptional(),
    }),
    z.strictObject({ status: z.literal('blocked'), by: z.string() }),
  ]),
};

/** Reads what a worker said of a job; what does not fit is a failure that names `job`. */
export function checkOutcome(value: unknown, job: string): JobOutcome {
  try {
    return checkDocument(value, `outcome of ${job}`, OUTCOME);
  } catch (error) {
    return { status: 'failed', error: (error as Error).message };
  }
}

/** The versions of a registry's packages, by name. */
export function listPackages(registry: Registry): Readonly<Record<string, string>> {
  return Object.fromEntries(registry.list().map((each) => [each.package, each.version]));
}

/** What a worker carries out jobs with. */
export interface JobServerHost
  extends Pick<RunHost, 'registry' | 'now' | 'peakMemoryBytes' | 'versions'> {
  /** A run's folder by name, in the study's folder `root`. */
  readonly open: (root: string, folder: string) => Store;
  readonly capabilities: WorkerCapabilities;
}

/** Seconds to wait for a killed worker's lease of a run's folder: it is released after 60. */
const WAIT_SECONDS = 90;

/**
 * Carries out documents of jobs. @throws InputError of code `worker-refuses` when this worker must not
 * take the job (`data.reason`: `version`, or `capability` where another worker may have what it needs).
 */
export function jobServer(
  host: JobServerHost,
): (document: unknown, how: JobWatch) => Promise<JobOutcome> {
  const packages = listPackages(host.registry);
  return async (given, how) => {
    const { packages: wanted, root, job, edges } = readJobDocument(given);
    refuseOtherPackages(job.key, wanted, packages);
    const open = (folder: string): Store => host.open(root, folder);
    const folders = new Map(
      edges.flatMap(({ teacher, folder }) => (folder === undefined ? [] : [[teacher, folder]])),
    );
    try {
      const bound = await bindJob(job, edges, folders, open);
      const recorded = (await findConfig(open(bound.folder)))?.execution;
      refuseNeeds(job.key, { ...recorded, ...bound.spec.execution }, host.capabilities);
      how.begin?.(bound);
      return await jobRunner({ ...host, open, waitSeconds: WAIT_SECONDS })(bound, how);
    } catch (error) {
      if (isRefusal(error)) throw error;
      return { status: 'failed', error: (error as Error).message };
    }
  };
}

/** Whether an error says that this worker must not take a job. */
export function isRefusal(error: unknown): error is InputError {
  return isInputError(error) && error.code === 'worker-refuses';
}

function refuse(reason: 'version' | 'capability', message: string): InputError {
  return new InputError(message, { code: 'worker-refuses', data: { reason } });
}

/** A worker computes the same bits only with the packages that the study was submitted with. */
function refuseOtherPackages(
  key: string,
  wanted: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
): void {
  for (const [name, version] of Object.entries(wanted)) {
    const here = own[name];
    if (here === version) continue;
    throw refuse(
      'version',
      here === undefined
        ? `job ${key}: was submitted with the plugin ${name} ${version}, which is not loaded here; install it and pass --plugin ${name}`
        : `job ${key}: was submitted with ${name} ${version}, this worker has ${here}; install the same version of grok on both`,
    );
  }
}

function refuseNeeds(
  key: string,
  {
    threads = 1,
    backend = DEFAULT_BACKEND,
  }: { readonly threads?: number; readonly backend?: string },
  own: WorkerCapabilities,
): void {
  if (threads > own.threads)
    throw refuse(
      'capability',
      `job ${key}: needs ${threads} threads, this worker has ${own.threads}`,
    );
  if (!own.backends.includes(backend))
    throw refuse(
      'capability',
      `job ${key}: needs the backend "${backend}", this worker has ${own.backends.join(', ') || 'none'}`,
    );
}
