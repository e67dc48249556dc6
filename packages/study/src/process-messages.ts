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
