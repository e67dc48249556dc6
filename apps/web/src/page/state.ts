/** What the page shows, as a function of what the worker told. */
import type { MetricsRow } from '@grok/core';
import type { Plan } from '@grok/study';
import type { FromWorker, ListedStudy, Picture, RunView } from '../protocol.js';

export interface State {
  readonly ready?: {
    readonly cores: number;
    readonly backends: readonly { name: string; summary: string }[];
  };
  readonly studies: readonly ListedStudy[];
  readonly study?: { readonly folder: string; readonly plan: Plan };
  readonly runs: readonly RunView[];
  readonly pictures: Readonly<Record<number, Picture>>;
  readonly status: 'idle' | 'starting' | 'training' | 'pausing' | 'paused' | 'finished';
  /** The run that trains, and its latest step. */
  readonly now?: {
    readonly index: number;
    readonly epoch: number;
    readonly loss?: number;
    readonly device?: string;
  };
  readonly error?: { readonly message: string; readonly badInput: boolean } | undefined;
}
export type Action = FromWorker | { readonly type: 'pausing' | 'starting' | 'leave' };

export const initial: State = { studies: [], runs: [], pictures: {}, status: 'idle' };

export function reduceState(state: State, action: Action): State {
  switch (action.type) {
    case 'ready':
      return { ...state, ready: action };
    case 'studies':
      return { ...state, studies: action.studies };
    case 'starting':
      return { ...state, status: 'starting', error: undefined };
    case 'pausing':
      return { ...state, status: 'pausing' };
    case 'leave': {
      const { study: _study, now: _now, ...rest } = state;
      return { ...rest, runs: [], pictures: {}, status: 'idle', error: undefined };
    }
    case 'study': {
      const same = state.study?.folder === action.folder;
      const done = action.runs.every(({ record }) => record?.status === 'finished');
      return {
        ...state,
        study: action,
        // Rows that are known stay, until they are told again.
        runs: action.runs.map((run, i) =>
          same ? { ...run, history: state.runs[i]?.history ?? [] } : run,
        ),
        pictures: same ? state.pictures : {},
        status: state.status === 'starting' ? 'starting' : done ? 'finished' : 'paused',
      };
    }
    case 'rows': {
      const { index, rows } = action;
      const [first, last] = [rows[0]!.epoch, rows.at(-1)!.epoch];
      return {
        ...state,
        // Epochs that were heard meanwhile stay: the file may have been read before they were written.
        runs: changed(state.runs, index, ({ history }) => ({
          history: [
            ...history.filter(({ epoch }) => epoch < first),
            ...rows,
            ...history.filter(({ epoch }) => epoch > last),
          ],
        })),
      };
    }
    case 'event':
      return heard(state, action.index, action.event);
    case 'picture':
      return { ...state, pictures: { ...state.pictures, [action.index]: action.picture } };
    case 'ended':
      return {
        ...state,
        runs: state.runs.map((run, i) => ({ ...run, record: action.records[i] })),
        status: action.status === 'finished' ? 'finished' : 'paused',
      };
    case 'error':
      return { ...state, error: action, status: state.study ? 'paused' : 'idle' };
    case 'archive':
      return state;
  }
}

function heard(
  state: State,
  index: number,
  event: Extract<FromWorker, { type: 'event' }>['event'],
): State {
  const status = state.status === 'pausing' ? 'pausing' : 'training';
  switch (event.type) {
    case 'start':
      return {
        ...state,
        status,
        now: { index, epoch: event.from.epoch, device: event.device },
        runs: changed(state.runs, index, ({ history }) => ({
          history: history.filter((row) => row.step <= event.from.step),
        })),
      };
    case 'step':
      return {
        ...state,
        status,
        now: { ...state.now, index, epoch: event.epoch, loss: event.loss },
      };
    case 'epoch':
      return {
        ...state,
        runs: changed(state.runs, index, ({ history }) => ({
          history: [...history.filter(({ epoch }) => epoch < event.row.epoch), event.row],
        })),
      };
    default:
      return state;
  }
}

function changed(
  runs: readonly RunView[],
  index: number,
  change: (run: RunView) => Partial<RunView>,
): readonly RunView[] {
  return runs.map((run, i) => (i === index ? { ...run, ...change(run) } : run));
}

/** First epoch at a validation accuracy, undefined when never. */
export function epochAt(history: readonly MetricsRow[], accuracy: number): number | undefined {
  return history.find((row) => row.validation.accuracy >= accuracy)?.epoch;
}

/** Seconds of an epoch, the median of the last ten; undefined before the first. */
export function pace(history: readonly MetricsRow[]): number | undefined {
  const last = history
    .slice(-10)
    .map((row) => row.time.seconds)
    .sort((a, b) => a - b);
  return last[last.length >> 1];
}

/** Done share (0–1) of all epochs, and seconds left, as far as anything is known. */
export function progressOf(runs: readonly RunView[]): { done: number; left: number | undefined } {
  const total = runs.reduce((sum, run) => sum + run.epochs, 0);
  const epochs = ({ history }: RunView): number => history.at(-1)?.epoch ?? 0;
  const done = runs.reduce((sum, run) => sum + epochs(run), 0);
  // A run that has not begun goes at the pace of the latest that has.
  let known = runs.map((run) => pace(run.history)).findLast((seconds) => seconds !== undefined);
  let left: number | undefined = known === undefined ? undefined : 0;
  for (const run of runs) {
    const own = pace(run.history) ?? known;
    if (own !== undefined && left !== undefined) left += own * (run.epochs - epochs(run));
    known = own;
  }
  return { done: total === 0 ? 0 : done / total, left };
}

/** A duration as people say it. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
