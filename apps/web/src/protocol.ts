/** What page and worker say to each other: plain data, nothing else crosses. */
import type { MetricsRow, RunEvent } from '@grok/core';
import type { Plan, StudyRun } from '@grok/study';

/** A study as a list shows it: one plan, in one folder. */
export interface ListedStudy {
  readonly folder: string;
  /** Of its plan; absent where that cannot be read. */
  readonly name?: string;
  readonly seeds?: readonly number[];
  readonly status: 'new' | 'unfinished' | 'finished' | 'damaged';
  /** What is wrong with it, or with one of its runs. */
  readonly error?: string;
  /** When it was begun, in milliseconds since 1970. */
  readonly changed: number;
}
/** One run of a study, as far as it has come. */
export interface RunView {
  readonly name: string;
  readonly seed: number;
  readonly epochs: number;
  readonly history: readonly MetricsRow[];
  /** Seconds of an epoch, and the first epoch at 99 % validation accuracy; null where nothing is known. */
  readonly secondsPerEpoch: number | null;
  readonly epochsTo99: number | null;
  /** Absent where no study holds it yet. */
  readonly state?: StudyRun['state'];
  /** Why it is lost. */
  readonly error?: string;
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

/** A finished study's figure, drawn. */
export interface FigureSvg {
  readonly name: string;
  readonly title: string;
  readonly caption: string;
  readonly svg: string;
}

export type ToWorker =
  | { readonly type: 'hello' }
  | { readonly type: 'open'; readonly folder: string }
  | { readonly type: 'start'; readonly plan: unknown; readonly choice: Choice }
  | { readonly type: 'pause' }
  | { readonly type: 'remove'; readonly folder: string }
  | { readonly type: 'export'; readonly folder: string }
  | { readonly type: 'draw'; readonly folder: string }
  | { readonly type: 'drop'; readonly files: readonly { path: string; file: Blob }[] };

/** Histories come in `rows`, a part a message: taking a thousand rows in at once would hold the page up. */
export type FromWorker =
  | {
      readonly type: 'ready';
      readonly cores: number;
      readonly backends: readonly { name: string; summary: string }[];
      /** Why nothing is kept when the page closes. */
      readonly fault?: string;
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
  /** What goes on before the first step; with `index`, for that run. */
  | { readonly type: 'stage'; readonly stage: 'loading' | 'compiling'; readonly index?: number }
  /** Another tab trains the study that was told last. */
  | { readonly type: 'watching' }
  /** After an epoch: seconds left of the whole study, and what the run's rows come to. */
  | ({
      readonly type: 'progress';
      readonly index: number;
      readonly secondsLeft: number | null;
    } & Pick<RunView, 'secondsPerEpoch' | 'epochsTo99'>)
  | {
      readonly type: 'ended';
      readonly status: 'finished' | 'interrupted' | 'failed';
      /** As in `study`, without rows. */
      readonly runs: readonly RunView[];
    }
  | { readonly type: 'figures'; readonly figures: readonly FigureSvg[] }
  | { readonly type: 'drawn'; readonly figures: readonly FigureSvg[] }
  /** A plan that was dropped, to be looked at or to begin with at once. */
  | { readonly type: 'plan'; readonly plan: Plan; readonly begin: boolean }
  | { readonly type: 'error'; readonly message: string }
  | { readonly type: 'archive'; readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> };
