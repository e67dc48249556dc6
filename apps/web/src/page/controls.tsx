/** Where the study stands, and what can be done with it. */
import { describeRun } from '@grok/report';
import { duration, progressOf, type State } from './state.js';

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
  const { status, runs, study, now } = state;
  if (study === undefined) return null;
  const { done, left } = progressOf(runs);
  const running = status === 'training' || status === 'starting' || status === 'pausing';
  return (
    <section class="controls" aria-label="Progress">
      <p class="status" role="status" data-status={status}>
        {sentence(state)}
      </p>
      <progress max="1" value={done} aria-label="Epochs done of all runs" />
      <div class="buttons">
        {status === 'finished' ? null : running ? (
          <button type="button" class="primary" disabled={status !== 'training'} onClick={onPause}>
            Pause
          </button>
        ) : (
          <button type="button" class="primary" onClick={onResume}>
            Resume
          </button>
        )}
        <button
          type="button"
          disabled={status === 'starting' || status === 'pausing'}
          onClick={onStop}
        >
          {status === 'finished' ? 'New' : 'Stop'}
        </button>
        <button type="button" disabled={running} onClick={onDownload}>
          Download runs
        </button>
        <button type="button" onClick={onFigure}>
          Save figure
        </button>
        <span class="muted device">
          {running && left !== undefined ? `about ${duration(left)} left` : ''}
          {now?.device && <small> {now.device}</small>}
        </span>
      </div>
    </section>
  );
}

/** The status in words, for eyes and screen readers alike; it changes with the epoch, not with the step. */
function sentence({ status, runs, now }: State): string {
  if (status === 'finished') return 'Finished.';
  if (status === 'starting') return 'Loading the runtime and compiling…';
  const run = now && runs[now.index];
  if (status === 'paused') return 'Paused. All is kept; you may close the page.';
  if (status === 'pausing') return 'Pausing at the next step…';
  if (run === undefined || now === undefined) return '';
  return `Training ${describeRun(run.name)}: epoch ${now.epoch} of ${run.epochs}`;
}
