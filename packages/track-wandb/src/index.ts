/** Runs in Weights & Biases, through its Python package in a child process; offline unless asked. */
import {
  type Component,
  definePlugin,
  defineTracker,
  oneOf,
  type Plugin,
  schema,
  type TrackedRun,
  text,
} from '@grok/core';
import { createTracker, type KnownRun, type TrackingSession } from '@grok/track';
import { describeTrackedRun, openPythonSession } from '@grok/track/python';

/** Options of `wandb`. */
export interface WandbOptions {
  /** Default `grok`. */
  readonly project?: string;
  /** A user or a team; default: the one that is logged in. */
  readonly entity?: string;
  /** `offline` (default) writes files that `wandb sync` uploads; `online` sends to a server. */
  readonly mode?: 'offline' | 'online';
  /** Folder of the folder `wandb`; default: `WANDB_DIR`, else the working folder. */
  readonly dir?: string;
  /** The interpreter that has the package; default `python3`. */
  readonly python?: string;
}

/** The tracker `wandb`. */
export const wandb: Component<'tracker', WandbOptions> = defineTracker({
  name: 'wandb',
  summary: 'A run in Weights & Biases, offline unless asked.',
  options: schema({
    project: text().default('grok'),
    entity: text().optional(),
    mode: oneOf('offline', 'online').default('offline'),
    dir: text().optional(),
    python: text().default('python3'),
  }),
  create: ({ python, ...options }) =>
    createTracker((run, known) => openRun(run, known, python, options)),
});

function openRun(
  run: TrackedRun,
  known: KnownRun,
  python: string,
  options: object,
): Promise<TrackingSession> {
  return openPythonSession(
    { python, pip: 'wandb', file: new URL('../python/calls.py', import.meta.url) },
    { ...options, ...describeTrackedRun(run, known) },
  );
}

/** The tracker, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/track-wandb',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [wandb],
});
export default plugin;
