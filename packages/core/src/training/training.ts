/** What a run trains with, and where it stands: the words that the loop, its programs and its probes share. */

import type {
  Backend,
  Checkpoint,
  Experiment,
  Model,
  Optimizer,
  PinnedPoints,
  Probe,
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
  /** Seconds on a clock that never goes back. */
  readonly now: () => number;
  /** Largest memory of the process so far, in bytes, where that can be told. */
  readonly peakMemoryBytes?: () => number;
}

/** Where a run is: epochs done, batches done in the current one, and that epoch's sums so far. */
export type Position = {
  readonly epoch: number;
  readonly batch: number;
  readonly step: number;
  readonly sums: { loss: number; correct: number; terms: Record<string, number> };
};
/** All that is needed to go on from a position as if nothing had happened. */
export type SavedState = Omit<Checkpoint, 'run' | 'position'> & { readonly position: Position };
