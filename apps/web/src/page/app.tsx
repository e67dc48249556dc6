/** The page as a whole: what to train on the left, what comes of it on the right. */

import type { Plan } from '@grok/study';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Choice, RunView } from '../protocol.js';
import { Chart } from './charts.js';
import { Controls } from './controls.js';
import { dropped } from './drop.js';
import { ErrorMessage } from './error-message.js';
import { Figures } from './figures.js';
import { download, type Errand, useDark, useWorker } from './hooks.js';
import { Inside } from './inside.js';
import { Kept } from './kept.js';
import { readFields, runsIn, smallPreset, withFields } from './presets.js';
import { Runs } from './runs.js';
import { type PlanDraft, Setup } from './setup.js';
import { initial, isBusy } from './state.js';

type Session = ReturnType<typeof useSession>;

/** What the worker is doing, what was chosen in the form, and what a person can ask for. */
function useSession() {
  const { state, act, say } = useWorker(run);
  const [draft, setDraft] = useState<PlanDraft>({ base: smallPreset, changed: {} });
  const [wish, setWish] = useState<Partial<Choice>>({});
  const [chosen, setChosen] = useState<number>();
  const cores = state.ready?.cores ?? 1;
  const plan = useMemo(() => withFields(draft.base, draft.changed), [draft]);
  // Threads cost small models more in waiting for one another than they gain.
  const threads = readFields(plan).teacherDim >= 128 ? cores : 1;
  const choice: Choice = { backend: 'onnx', threads, ...wish };
  const running = isBusy(state);
  function run(errand: Errand): void {
    if (errand.type === 'archive') download(errand.name, errand.bytes);
    else if (errand.type === 'drawn')
      for (const { name, svg } of errand.figures) download(`${name}.svg`, svg);
    else if (errand.begin) begin(errand.plan);
    else setDraft({ base: errand.plan, changed: {} });
  }
  function begin(wanted: Plan): void {
    setChosen(undefined);
    act({ type: 'starting' });
    say({ type: 'start', plan: wanted, choice });
  }
  return {
    ...{
      state,
      act,
      say,
      draft,
      setDraft,
      choice,
      setWish,
      chosen,
      setChosen,
      cores,
      plan,
      running,
    },
    begin,
    pause(): void {
      act({ type: 'pausing' });
      say({ type: 'pause' });
    },
    stop(): void {
      if (running) say({ type: 'pause' });
      act({ type: 'leave' });
    },
  };
}

/** Opens what was going on when the tab was closed, ready to go on. */
function useUnfinished({ state, say }: Session): void {
  const done = useRef(false);
  useEffect(() => {
    if (done.current || state.studies === initial.studies) return;
    done.current = true;
    const unfinished = state.studies.find(({ status, error }) => status === 'unfinished' && !error);
    if (unfinished && state.status === 'idle') say({ type: 'open', folder: unfinished.folder });
  }, [state.studies]);
}

/** The value of the newest rendering, for listeners that outlive one. */
function useLatest<T>(value: T): { readonly current: T } {
  const latest = useRef(value);
  latest.current = value;
  return latest;
}

/** The space bar pauses and resumes. */
function useSpaceBar(session: Session): void {
  const latest = useLatest(session);
  useEffect(() => {
    const hear = (event: KeyboardEvent): void => {
      const { state, pause, begin } = latest.current;
      const { status, study } = state;
      if (event.key !== ' ' || event.target !== document.body || study === undefined) return;
      event.preventDefault();
      if (status === 'training') pause();
      else if (status === 'paused') begin(study.plan);
    };
    addEventListener('keydown', hear);
    return () => removeEventListener('keydown', hear);
  }, []);
}

/** Takes plans, specifications and folders that are dropped on the page. */
function useDropped(session: Session): void {
  const latest = useLatest(session);
  useEffect(() => {
    const over = (event: DragEvent): void => event.preventDefault();
    const drop = async (event: DragEvent): Promise<void> => {
      event.preventDefault();
      const { running, act, say } = latest.current;
      if (running || event.dataTransfer === null) return;
      const files = await dropped(event.dataTransfer).catch((error: Error) => error);
      if (files instanceof Error) act({ type: 'error', message: files.message });
      else say({ type: 'drop', files });
    };
    addEventListener('dragover', over);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('drop', drop);
    };
  }, []);
}

/** The page. */
export function App() {
  const session = useSession();
  useUnfinished(session);
  useSpaceBar(session);
  useDropped(session);
  return (
    <div class="page">
      <header class="title">
        <h1>Watch it grok</h1>
        <p>
          A small transformer learns to calculate modulo a prime. First it memorizes; much later, it
          suddenly generalizes. Then students learn from it.
        </p>
      </header>
      <Choices session={session} />
      <Results session={session} />
    </div>
  );
}

function Choices({ session }: { session: Session }) {
  const { state, say, draft, setDraft, choice, setWish, cores, plan, running, begin } = session;
  return (
    <aside>
      <Setup
        draft={draft}
        choice={choice}
        cores={cores}
        backends={state.ready?.backends ?? []}
        busy={state.study !== undefined || running}
        error={state.study === undefined ? state.error : undefined}
        onDraft={setDraft}
        onChoice={setWish}
        onStart={() => begin(plan)}
      />
      <Kept
        studies={state.studies}
        current={state.study?.folder}
        onOpen={(folder) => !running && say({ type: 'open', folder })}
        onRemove={(folder) => say({ type: 'remove', folder })}
      />
    </aside>
  );
}

function Results({ session }: { session: Session }) {
  const { state, say, plan, chosen, setChosen, running, begin, pause, stop } = session;
  const { study, pictures, figures, now, error, ready } = state;
  const dark = useDark();
  const planned = useMemo(() => runsIn(plan), [plan]);
  const runs: readonly RunView[] = study === undefined ? planned : state.runs;
  const latest = Math.max(0, ...Object.keys(pictures).map(Number));
  const shown = chosen ?? (running ? (now?.index ?? 0) : latest);
  return (
    <main>
      {ready?.fault && (
        <p class="error" role="note">
          Nothing is saved: training happens in memory and is lost when this page closes. Download
          the runs that you want to keep. <small>{ready.fault}</small>
        </p>
      )}
      {error && study && <ErrorMessage message={error} />}
      <Controls
        state={state}
        onPause={pause}
        onResume={() => study && begin(study.plan)}
        onStop={stop}
        onDownload={() => study && say({ type: 'export', folder: study.folder })}
        onFigure={() => study && say({ type: 'draw', folder: study.folder })}
      />
      {figures.length > 0 ? (
        <Figures figures={figures} />
      ) : (
        <div class="charts">
          <Chart runs={runs} measure="accuracy" dark={dark} />
          <Chart runs={runs} measure="loss" dark={dark} />
        </div>
      )}
      <Runs
        runs={runs}
        training={running ? now?.index : undefined}
        shown={shown}
        dark={dark}
        onShow={setChosen}
      />
      <Inside
        picture={pictures[shown]}
        name={runs[shown]?.name ?? 'teacher'}
        isOver={!running && runs[shown]?.state === 'finished'}
        dark={dark}
      />
    </main>
  );
}
