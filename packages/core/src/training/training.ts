/** Types shared by the training loop, its programs and its probes. */

import type {
  Backend,
  Checkpoint,
  Experiment,
  Model,
  Optimizer,
  PinnedPoints,
  Probe,
  RunEvent,
  SplitRows,
  Task,
} from '../contracts/types.js';
import type { ComposedObjective } from './objective.js';
import type { Teacher } from './sites.js';

/** A probe and its name in this run. */
export interface ActiveProbe {
  readonly name: string;
  readonly probe: Probe;
}
/** The keys of an experiment that the loop reads directly; the others name components that are created first. */
export type TrainingSettings = Omit<
  Experiment,
  'task' | 'split' | 'model' | 'objective' | 'teachers' | 'optimizer' | 'probes'
>;
/** Everything that a run trains with, as plain data and functions. */
export interface Training extends TrainingSettings {
  /** Id of the run, for its checkpoints. */
  readonly run: string;
  readonly backend: Backend;
  readonly task: Task;
  readonly split: SplitRows;
  readonly model: Model;
  readonly objective: ComposedObjective;
  readonly teachers: Readonly<Record<string, Teacher>>;
  readonly optimizer: Optimizer;
  readonly probes: readonly ActiveProbe[];
  /** Epochs between checkpoints. */
  readonly checkpointEvery: number;
  /** Points whose checkpoints are kept, in addition to those at crossings. */
  readonly pin?: PinnedPoints;
  /** Steps after which the parameters are recorded. */
  readonly recordedSteps: ReadonlySet<number>;
  /** Seconds on a monotonic clock. */
  readonly now: () => number;
  /** Peak memory of the process so far, in bytes, if available. */
  readonly peakMemoryBytes?: () => number;
}

/**
 * Events of the loop: those of the run except its end, which the caller knows first. Files that
 * the loop would write come as the states that go into them.
 */
export type TrainingEvent =
  | Exclude<RunEvent, { type: 'checkpoint' | 'state' | 'end' }>
  | { readonly type: 'checkpoint'; readonly checkpoint: Checkpoint; readonly pinned: boolean }
  | { readonly type: 'state'; readonly checkpoint: Checkpoint };
