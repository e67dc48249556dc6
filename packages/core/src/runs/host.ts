/** What a run is given, and what it gives. */

import type {
  Execution,
  Manifest,
  MetricsRow,
  RunListener,
  Store,
  Tracker,
} from '../contracts/types.js';
import type { Registry } from '../plugins/registry.js';

/** What a run is given by whoever starts it. */
export interface RunHost {
  readonly registry: Registry;
  /** The run's folder. */
  readonly store: Store;
  /** Folders of the teachers' runs, by the teachers' names. */
  readonly teacherStores?: Readonly<Record<string, Store>>;
  /** What a run that begins falls back to where its specification says nothing; one that goes on keeps its own. */
  readonly defaults?: Execution;
  readonly listeners?: readonly RunListener[];
  /** By name, beside those that `execution.trackers` names. */
  readonly trackers?: Readonly<Record<string, Tracker>>;
  /** Stops the run at the next step, its state saved. */
  readonly signal?: AbortSignal;
  /** Seconds on a clock that never goes back (default: `performance.now() / 1000`). */
  readonly now?: () => number;
  readonly peakMemoryBytes?: () => number;
  /** For the manifest, beside the plugins' own. */
  readonly versions?: Readonly<Record<string, string>>;
}
/** A run that ended well. */
export interface RunResult {
  readonly status: 'finished' | 'interrupted';
  readonly manifest: Manifest;
  readonly history: readonly MetricsRow[];
  /** It had been finished before, and nothing was done. */
  readonly already: boolean;
}
