/** Runs on an MLflow server, through its REST API. */
import {
  type Component,
  definePlugin,
  defineTracker,
  type MetricsRow,
  type Plugin,
  schema,
  type TrackedRun,
  text,
} from '@grok/core';
import {
  createTracker,
  type EndStatus,
  type KnownRun,
  listConfig,
  listScalars,
  type TrackingSession,
} from '@grok/track';
import { callMlflow, MlflowError, type MlflowServer, putArtifact } from './client.js';

/** Options of `mlflow`. */
export interface MlflowOptions {
  /** Default: `MLFLOW_TRACKING_URI`, else `http://127.0.0.1:5000`. */
  readonly uri?: string;
  /** MLflow's experiment; default: the study's name, else `grok`. */
  readonly experiment?: string;
}

/** The tracker `mlflow`. */
export const mlflow: Component<'tracker', MlflowOptions> = defineTracker({
  name: 'mlflow',
  summary: 'A run on an MLflow server.',
  options: schema({ uri: text().optional(), experiment: text().optional() }),
  create: ({ uri = process.env.MLFLOW_TRACKING_URI ?? 'http://127.0.0.1:5000', experiment }) => {
    const server = { uri, headers: readCredentials(process.env) };
    return createTracker((run, known) => openRun(server, experiment, run, known));
  },
});

/** MLflow's own variables: a token, or a name and a password. */
function readCredentials(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const { MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME: user } = env;
  if (token) return { authorization: `Bearer ${token}` };
  if (!user) return {};
  const pair = `${user}:${env.MLFLOW_TRACKING_PASSWORD ?? ''}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

interface RunAnswer {
  readonly run: {
    readonly info: { readonly run_id: string; readonly artifact_uri: string };
    readonly data?: {
      readonly metrics?: readonly { readonly key: string; readonly step?: number | string }[];
    };
  };
}

/** How many metrics and parameters MLflow takes in one request. */
const [MOST_METRICS, MOST_PARAMS] = [1000, 100];
const STATUS = { finished: 'FINISHED', interrupted: 'KILLED', failed: 'FAILED' } as const;

async function openRun(
  server: MlflowServer,
  experiment: string | undefined,
  tracked: TrackedRun,
  known: KnownRun,
): Promise<TrackingSession> {
  const { run } = await (known.id === undefined
    ? createRun(server, experiment ?? tracked.study?.name ?? 'grok', tracked, known)
    : goOn(server, known.id, tracked.name));
  const id = run.info.run_id;
  const epochs = run.data?.metrics?.find(({ key }) => key === 'epoch');
  return {
    id,
    step: Number(epochs?.step ?? 0),
    send: (rows) => logRows(server, id, rows),
    async sendArtifact(path, bytes) {
      const root = run.info.artifact_uri;
      if (!root.startsWith('mlflow-artifacts:'))
        throw new MlflowError(
          `MLflow at ${server.uri} does not take artifacts itself (${root}); start it with --serve-artifacts`,
        );
      const folder = root.replace(/^mlflow-artifacts:(\/\/[^/]*)?\/*/, '');
      await putArtifact(server, `${folder}/${path}`, Uint8Array.from(bytes));
    },
    close: (status) => endRun(server, id, status),
  };
}

async function createRun(
  server: MlflowServer,
  experiment: string,
  tracked: TrackedRun,
  { begun }: KnownRun,
): Promise<RunAnswer> {
  const { slug, study } = tracked;
  const labels = {
    'grok.run': tracked.run,
    ...(study && { 'grok.study': study.name, 'grok.arm': study.arm, 'grok.role': study.role }),
  };
  const created = await callMlflow<RunAnswer>(server, 'POST', 'runs/create', {
    experiment_id: await findExperiment(server, experiment),
    run_name: study === undefined ? slug : study.key,
    start_time: begun,
    tags: Object.entries(labels).map(([key, value]) => ({ key, value })),
  });
  const params = Object.entries(listConfig(tracked)).map(([key, value]) => ({
    key,
    value: String(value),
  }));
  for (const some of chunks(params, MOST_PARAMS))
    await callMlflow(server, 'POST', 'runs/log-batch', {
      run_id: created.run.info.run_id,
      params: some,
    });
  return created;
}

async function goOn(server: MlflowServer, id: string, name: string): Promise<RunAnswer> {
  try {
    await callMlflow(server, 'POST', 'runs/update', { run_id: id, status: 'RUNNING' });
  } catch (error) {
    if (!(error instanceof MlflowError) || error.code !== 'RESOURCE_DOES_NOT_EXIST') throw error;
    throw new MlflowError(
      `MLflow at ${server.uri} no longer has run ${id}; remove trackers/${name}.json from the run's folder, and it is sent anew`,
    );
  }
  return callMlflow(server, 'GET', 'runs/get', { run_id: id });
}

async function findExperiment(server: MlflowServer, name: string): Promise<string> {
  const find = async (): Promise<string> => {
    const found = await callMlflow<{ experiment: { experiment_id: string } }>(
      ...([server, 'GET', 'experiments/get-by-name', { experiment_name: name }] as const),
    );
    return found.experiment.experiment_id;
  };
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof MlflowError) || error.code !== 'RESOURCE_DOES_NOT_EXIST') throw error;
  }
  try {
    const created = await callMlflow<{ experiment_id: string }>(
      server,
      'POST',
      'experiments/create',
      {
        name,
      },
    );
    return created.experiment_id;
  } catch (error) {
    // Another run of the study was quicker.
    if (error instanceof MlflowError && error.code === 'RESOURCE_ALREADY_EXISTS') return find();
    throw error;
  }
}

async function logRows(
  server: MlflowServer,
  id: string,
  rows: readonly MetricsRow[],
): Promise<void> {
  const timestamp = Date.now();
  const metrics = rows.map((row) =>
    Object.entries(listScalars(row)).map(([key, value]) => ({
      // JSON has no NaN; protobuf's JSON writes it as text.
      ...{ key, value: Number.isNaN(value) ? 'NaN' : value },
      ...{ timestamp, step: row.step },
    })),
  );
  // Whole rows at a time: what arrives is a row or none of it.
  const most = Math.max(...metrics.map(({ length }) => length));
  for (const some of chunks(metrics, Math.max(1, Math.floor(MOST_METRICS / most))))
    await callMlflow(server, 'POST', 'runs/log-batch', { run_id: id, metrics: some.flat() });
}

async function endRun(server: MlflowServer, id: string, status?: EndStatus): Promise<void> {
  if (status === undefined) return;
  await callMlflow(server, 'POST', 'runs/update', {
    ...{ run_id: id, status: STATUS[status], end_time: Date.now() },
  });
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

/** The tracker, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/track-mlflow',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [mlflow],
});
export default plugin;
