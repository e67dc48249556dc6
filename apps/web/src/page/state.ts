/** What the page shows, as a function of what the worker told. */
import type { Plan } from '@grok/study';
import type { FigureSvg, FromWorker, ListedStudy, Picture, RunView } from '../protocol.js';

export interface State {
  readonly ready?: Extract<FromWorker, { type: 'ready' }>;
  readonly studies: readonly ListedStudy[];
  readonly study?: { readonly folder: string; readonly plan: Plan };
  readonly runs: readonly RunView[];
  readonly pictures: Readonly<Record<number, Picture>>;
  /** Of the study, once it is finished. */
  readonly figures: readonly FigureSvg[];
  readonly status: Status;
  /** What goes on before the first step of a run. */
  readonly stage?: 'checking' | 'loading' | 'compiling' | undefined;
  /** The run that trains, and its latest step. */
  readonly now?: {
    readonly index: number;
    readonly epoch: number;
    readonly step?: number;
    readonly stepsPerEpoch?: number;
    readonly device?: string;
  };
  /** Seconds of training left; null while that is not known. */
  readonly secondsLeft?: number | null;
  readonly error?: string | undefined;
}
/** `watching`: another tab trains the study. `failed`: all is done that could be. */
type Status =
  | 'idle'
  | 'starting'
  | 'training'
  | 'pausing'
  | 'paused'
  | 'watching'
  | 'failed'
  | 'finished';
/** What the worker tells of a study, and what a person asked for. */
export type Action =
  | Exclude<FromWorker, { type: 'archive' | 'drawn' | 'plan' }>
  | { readonly type: 'pausing' | 'starting' | 'leave' };

export const initial: State = {
  ...{ studies: [], runs: [], pictures: {}, figures: [], status: 'idle' },
};

/** True while a study goes on here, or another tab's is watched. */
export const isBusy = ({ status }: State): boolean =>
  ['training', 'starting', 'pausing', 'watching'].includes(status);

/** The state after one more word. What is told of a study that was left meanwhile is not heard. */
export function reduceState(state: State, action: Action): State {
  switch (action.type) {
    case 'ready':
      return { ...state, ready: action };
    case 'studies':
      return { ...state, studies: action.studies };
    case 'starting':
      return { ...state, status: 'starting', stage: 'checking', error: undefined };
    case 'pausing':
      return { ...state, status: 'pausing' };
    case 'leave': {
      const { study: _study, now: _now, ...rest } = state;
      const empty = { runs: [], pictures: {}, figures: [], stage: undefined, error: undefined };
      return { ...rest, ...empty, status: 'idle' };
    }
    case 'study':
      return opened(state, action);
    case 'error': {
      const stopped = state.study === undefined ? 'idle' : 'paused';
      const status = state.status === 'starting' ? stopped : state.status;
      return { ...state, stage: undefined, error: action.message, status };
    }
    default:
      return state.study === undefined ? state : applyStudyAction(state, action);
  }
}

/** Another study, or the same as it stands now. */
function opened(state: State, action: Extract<FromWorker, { type: 'study' }>): State {
  const same = state.study?.folder === action.folder;
  const done = action.runs.every((run) => run.state === 'finished');
  return {
    ...state,
    study: action,
    // Rows that are known stay, until they are told again.
    runs: action.runs.map((run, i) =>
      same ? { ...run, history: state.runs[i]?.history ?? [] } : run,
    ),
    pictures: same ? state.pictures : {},
    figures: [],
    error: same ? state.error : undefined,
    status: state.status === 'starting' ? 'starting' : done ? 'finished' : 'paused',
  };
}

type OfStudy = Exclude<
  Action,
  { type: 'ready' | 'studies' | 'starting' | 'pausing' | 'leave' | 'study' | 'error' }
>;

/** What is told of the study that is open. */
function applyStudyAction(state: State, action: OfStudy): State {
  switch (action.type) {
    case 'stage': {
      const { stage, index } = action;
      return { ...state, stage, ...(index === undefined ? {} : { now: { index, epoch: 0 } }) };
    }
    case 'watching':
      return { ...state, status: 'watching', stage: undefined };
    case 'progress': {
      const { index, secondsLeft, secondsPerEpoch, epochsTo99 } = action;
      const runs = changed(state.runs, index, () => ({ secondsPerEpoch, epochsTo99 }));
      return { ...state, secondsLeft, runs };
    }
    case 'rows':
      return withRows(state, action);
    case 'event':
      return heard(state, action.index, action.event);
    case 'picture':
      return { ...state, pictures: { ...state.pictures, [action.index]: action.picture } };
    case 'figures':
      return { ...state, figures: action.figures };
    case 'ended':
      return {
        ...state,
        runs: action.runs.map((run, i) => ({ ...run, history: state.runs[i]?.history ?? [] })),
        stage: undefined,
        status: action.status === 'interrupted' ? 'paused' : action.status,
      };
  }
}

function withRows(state: State, { index, rows }: Extract<FromWorker, { type: 'rows' }>): State {
  const [first = 0, last = 0] = [rows[0]?.epoch, rows.at(-1)?.epoch];
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

function heard(
  state: State,
  index: number,
  event: Extract<FromWorker, { type: 'event' }>['event'],
): State {
  const status =
    state.status === 'pausing' || state.status === 'watching' ? state.status : 'training';
  switch (event.type) {
    case 'start': {
      const { device, stepsPerEpoch, from } = event;
      return {
        ...state,
        ...{ status, stage: undefined },
        now: { index, epoch: from.epoch, step: from.step, device, stepsPerEpoch },
        runs: changed(state.runs, index, ({ history }) => ({
          history: history.filter((row) => row.step <= from.step),
        })),
      };
    }
    case 'step': {
      const { epoch, step } = event;
      return { ...state, status, stage: undefined, now: { ...state.now, index, epoch, step } };
    }
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

/** Done share (0–1) of all epochs, the one that is under way by its steps. */
export function shareDone({ runs, now }: Pick<State, 'runs' | 'now'>): number {
  let [done, total] = [0, 0];
  for (const [i, { epochs, history }] of runs.entries()) {
    const last = history.at(-1)?.epoch ?? 0;
    const { step = 0, stepsPerEpoch } = (now?.index === i ? now : undefined) ?? {};
    total += epochs;
    done += Math.max(last, Math.min(epochs, stepsPerEpoch ? step / stepsPerEpoch : 0));
  }
  return total === 0 ? 0 : done / total;
}

/** A duration as people say it. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(1000 * seconds)} ms`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
