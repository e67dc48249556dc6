/** Inputs and results of a run. */

import type {
  Execution,
  Manifest,
  MetricsRow,
  RunListener,
  Store,
  Tracker,
} from '../contracts/types.js';
import type { Registry } from '../plugins/registry.js';

/** The environment of a run. */
export interface RunHost {
  readonly registry: Registry;
  /** The run's folder. */
  readonly store: Store;
  /** Run folders of the teachers, by name. */
  readonly teacherStores?: Readonly<Record<string, Store>>;
  /** Defaults for a new run; a resumed run keeps its own settings. */
  readonly defaults?: Execution;
  readonly listeners?: readonly RunListener[];
  /** Trackers by name, in addition to `execution.trackers`. */
  readonly trackers?: Readonly<Record<string, Tracker>>;
  /** Stops the run at the next step, after saving its state. */
  readonly signal?: AbortSignal;
  /** Seconds of a monotonic clock (default: `performance.now() / 1000`). */
  readonly now?: () => number;
  readonly peakMemoryBytes?: () => number;
  /** Versions for the manifest, in addition to those of plugins. */
  readonly versions?: Readonly<Record<string, string>>;
}
/** The result of a finished run. */
export interface RunResult {
  readonly status: 'finished' | 'interrupted';
  readonly manifest: Manifest;
  readonly history: readonly MetricsRow[];
  /** Whether the run was already finished, so that nothing was done. */
  readonly already: boolean;
}
