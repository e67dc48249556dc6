/** What a study and its processes tell one another; plain JSON. */
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

/** What the thread of `process-watch.ts` is given: the study's process, a count that the main thread raises, and times. */
export interface OrphanWatch {
  readonly study: number;
  readonly beats: Int32Array;
  readonly beatMs: number;
  readonly limitMs: number;
}
