/** What a run trains with and what it yields: the words that the loop, its programs and its probes share. */

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

/** A probe under its name in this run. */
export interface ActiveProbe {
  readonly name: string;
  readonly probe: Probe;
}
/** What the loop reads of an experiment as it is written; its other keys name parts that are created first. */
export type TrainingSettings = Omit<
  Experiment,
  'task' | 'split' | 'model' | 'objective' | 'teachers' | 'optimizer' | 'probes'
>;
/** Everything that a run trains with; plain data and functions. */
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
  /** Points whose checkpoints are kept, beside those of crossings. */
  readonly pin?: PinnedPoints;
  /** Steps after which the parameters are recorded. */
  readonly recordedSteps: ReadonlySet<number>;
  /** Seconds on a clock that never goes back. */
  readonly now: () => number;
  /** Largest memory of the process so far, in bytes, where that can be told. */
  readonly peakMemoryBytes?: () => number;
}

/**
 * What the loop yields: the run's events, but for its end, which whoever runs the loop knows first, and
 * for files, which it writes: those come as the states that go into them.
 */
export type TrainingEvent =
  | Exclude<RunEvent, { type: 'checkpoint' | 'state' | 'end' }>
  | { readonly type: 'checkpoint'; readonly checkpoint: Checkpoint; readonly pinned: boolean }
  | { readonly type: 'state'; readonly checkpoint: Checkpoint };
