/** Where the study stands, and what can be done with it. */
import { describeRun } from '@grok/report';
import { duration, isBusy, type State, shareDone } from './state.js';

export function Controls({
  state,
  onPause,
  onResume,
  onStop,
  onDownload,
  onFigure,
}: {
  state: State;
  onPause: () => void;
  onResume: () => void;
  onStop: () => void;
  onDownload: () => void;
  onFigure: () => void;
}) {
  const { status, study, now, secondsLeft } = state;
  if (study === undefined && status !== 'starting') return null;
  const busy = isBusy(state);
  const waits = status === 'starting' || status === 'pausing';
  return (
    <section class="controls" aria-label="Progress">
      <p class="status" role="status" data-status={status}>
        {sentence(state)}
      </p>
      <progress
        max="1"
        {...(state.stage === undefined ? { value: shareDone(state) } : {})}
        aria-label="Epochs done of all runs"
      />
      <div class="buttons">
        {['training', 'starting', 'pausing'].includes(status) && (
          <button type="button" class="primary" disabled={waits} onClick={onPause}>
            Pause
          </button>
        )}
        {(status === 'paused' || status === 'failed') && (
          <button type="button" class="primary" onClick={onResume}>
            {status === 'failed' ? 'Try again' : 'Resume'}
          </button>
        )}
        <button type="button" disabled={waits} onClick={onStop}>
          {status === 'finished' ? 'New' : 'Stop'}
        </button>
        <button type="button" disabled={busy} onClick={onDownload}>
          Download runs
        </button>
        <button type="button" disabled={waits} onClick={onFigure}>
          Save figures
        </button>
        <span class="muted device">
          {busy ? firstEpoch(state) : ''}
          {busy && secondsLeft != null ? `about ${duration(Math.max(1, secondsLeft))} left` : ''}
          {now?.device && <small> {now.device}</small>}
        </span>
      </div>
    </section>
  );
}

const STAGES = {
  checking: 'Checking the plan…',
  loading: 'Loading the runtime…',
  compiling: 'Compiling the training step',
};

/** The status in words, for eyes and screen readers alike; it changes with the epoch, not with the step. */
function sentence({ status, runs, now, stage }: State): string {
  const run = now && runs[now.index];
  const elsewhere = status === 'watching' ? 'Another tab is training this. ' : '';
  if (status === 'finished') return 'Finished.';
  if (status === 'failed') return 'Done: everything that could be trained is finished.';
  if (status === 'paused') return 'Paused. You may close the page.';
  if (status === 'pausing') return 'Pausing at the next step…';
  if (stage === 'compiling')
    return `${elsewhere}${STAGES.compiling}${run ? ` of ${describeRun(run.name)}` : ''}…`;
  if (stage !== undefined) return elsewhere + STAGES[stage];
  if (run === undefined || now === undefined) return elsewhere;
  return `${elsewhere}Training ${describeRun(run.name)}: epoch ${now.epoch} of ${run.epochs}`;
}

/** Steps of a first epoch, which may take long, and has no row yet. */
function firstEpoch({ runs, now }: State): string {
  if (now?.step === undefined || now.stepsPerEpoch === undefined) return '';
  if ((runs[now.index]?.history.length ?? 0) > 0) return '';
  return `step ${now.step} of ${now.stepsPerEpoch} in the first epoch `;
}
