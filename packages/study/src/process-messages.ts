/** Messages between a study and its processes, as plain JSON. */
import type { JobOutcome, RunEvent } from '@grok/core';
import type { BoundJob } from '@grok/core/internal';

/** From the study to a process. */
export type ToChild =
  | { readonly type: 'job'; readonly job: BoundJob; readonly root: string }
  | { readonly type: 'stop' };
/** From a process to the study. */
export type FromChild =
  | { readonly type: 'ready' }
  | { readonly type: 'event'; readonly event: RunEvent }
  | { readonly type: 'outcome'; readonly outcome: JobOutcome };

/**
 * Input of the thread of `process-watch.ts`: the study's process id, a counter that the main thread
 * increments, and time limits.
 */
export interface OrphanWatch {
  readonly study: number;
  readonly beats: Int32Array;
  readonly beatMs: number;
  readonly limitMs: number;
}
