/** What page and worker say to each other: plain data, nothing else crosses. */
import type { MetricsRow, RunEvent } from '@grok/core';
import type { Plan, RunRecord } from '@grok/study';

/** A study as a list shows it: one plan, in one folder of the browser's own file system. */
export interface ListedStudy {
  readonly folder: string;
  readonly plan: Plan;
  readonly status: 'new' | 'unfinished' | 'finished';
  /** When it was begun, in milliseconds since 1970. */
  readonly changed: number;
}
/** One run of a study, as far as it has come. */
export interface RunView {
  readonly name: string;
  readonly seed: number;
  readonly epochs: number;
  readonly history: readonly MetricsRow[];
  readonly record?: RunRecord | undefined;
}
/** What a model looks like inside, at one moment; see `pictures.ts` for how it is found. */
export interface Picture {
  readonly epoch: number;
  /** Mean attention over rows, by block and head: row-major `[query, key]`. */
  readonly patterns: readonly {
    readonly block: number;
    readonly head: number;
    readonly weights: readonly number[];
  }[];
  /** What the positions hold, such as `a`, `÷`, `b`, `=`. */
  readonly positions: readonly string[];
  /** Norm of the embedding at frequencies 1, 2, …; empty where the task has no group. */
  readonly spectrum: readonly number[];
  /** `[x, y]` of each residue along the two principal directions of the embedding, then by frequency. */
  readonly principal: readonly number[];
  readonly circles: readonly (readonly number[])[];
  /** Residue of each point, in the group's order: powers of a generator for products. */
  readonly residues: readonly number[];
}
/** How a study is carried out in this browser. */
export interface Choice {
  readonly backend: string;
  readonly threads: number;
}

export type ToWorker =
  | { readonly type: 'hello' }
  | { readonly type: 'open'; readonly folder: string }
  | { readonly type: 'start'; readonly plan: unknown; readonly choice: Choice }
  | { readonly type: 'pause' }
  | { readonly type: 'remove'; readonly folder: string }
  | { readonly type: 'export'; readonly folder: string }
  | { readonly type: 'import'; readonly files: readonly { path: string; bytes: Uint8Array }[] };

/** Histories come in `rows`, a part a message: taking a thousand rows in at once would hold the page up. */
export type FromWorker =
  | {
      readonly type: 'ready';
      readonly cores: number;
      readonly backends: readonly { name: string; summary: string }[];
    }
  | { readonly type: 'studies'; readonly studies: readonly ListedStudy[] }
  | {
      readonly type: 'study';
      readonly folder: string;
      readonly plan: Plan;
      readonly runs: readonly RunView[];
    }
  | { readonly type: 'rows'; readonly index: number; readonly rows: readonly MetricsRow[] }
  | { readonly type: 'event'; readonly index: number; readonly event: RunEvent }
  | { readonly type: 'picture'; readonly index: number; readonly picture: Picture }
  | {
      readonly type: 'ended';
      readonly status: 'finished' | 'interrupted';
      /** By run; the page has their rows. */
      readonly records: readonly (RunRecord | undefined)[];
    }
  | { readonly type: 'error'; readonly message: string; readonly badInput: boolean }
  | { readonly type: 'archive'; readonly name: string; readonly bytes: Uint8Array };
