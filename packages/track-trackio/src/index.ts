/** Runs in Trackio, through its Python package in a child process; on this machine. */
import {
  type Component,
  definePlugin,
  defineTracker,
  type Plugin,
  schema,
  type TrackedRun,
  text,
} from '@grok/core';
import { createTracker, type KnownRun, type TrackingSession } from '@grok/track';
import { describeTrackedRun, openPythonSession } from '@grok/track/python';

/** Options of `trackio`. */
export interface TrackioOptions {
  /** Default `grok`. */
  readonly project?: string;
  /** Folder of Trackio's databases; default: `TRACKIO_DIR`, else Trackio's own. */
  readonly dir?: string;
  /** The interpreter that has the package; default `python3`. */
  readonly python?: string;
}

/** The tracker `trackio`. */
export const trackio: Component<'tracker', TrackioOptions> = defineTracker({
  name: 'trackio',
  summary: 'A run in Trackio, on this machine.',
  options: schema({
    project: text().default('grok'),
    dir: text().optional(),
    python: text().default('python3'),
  }),
  create: (options) => createTracker((run, known) => openRun(run, known, options)),
});

interface Given {
  readonly project: string;
  readonly dir?: string | undefined;
  readonly python: string;
}

function openRun(
  run: TrackedRun,
  known: KnownRun,
  { python, project, dir }: Given,
): Promise<TrackingSession> {
  return openPythonSession(
    {
      ...{ python, pip: 'trackio', file: new URL('../python/calls.py', import.meta.url) },
      ...(dir === undefined ? {} : { env: { TRACKIO_DIR: dir } }),
    },
    { project, ...describeTrackedRun(run, known) },
  );
}

/** The tracker, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/track-trackio',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [trackio],
});
export default plugin;
