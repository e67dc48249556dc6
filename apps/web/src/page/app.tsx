/** The page as a whole: what to train on the left, what comes of it on the right. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Choice, RunView } from '../protocol.js';
import { Chart, figureOf } from './charts.js';
import { Controls } from './controls.js';
import { dropped } from './drop.js';
import { download, useDark, useWorker } from './hooks.js';
import { Inside } from './inside.js';
import { Kept } from './kept.js';
import { fieldsOf, presets, runsIn, withFields } from './presets.js';
import { Runs } from './runs.js';
import { type Draft, Setup } from './setup.js';

export function App() {
  const dark = useDark();
  const { state, act, say } = useWorker((name, bytes) => download(name, bytes as BlobPart));
  const [draft, setDraft] = useState<Draft>({ base: presets.small!, changed: {} });
  const [wish, setWish] = useState<Partial<Choice>>({});
  const [chosen, setChosen] = useState<number>();
  const cores = state.ready?.cores ?? 1;
  // Threads cost small models more in waiting for one another than they gain.
  const wide = (changed: Draft): boolean =>
    fieldsOf(withFields(changed.base, changed.changed)).teacherDim >= 128;
  const choice: Choice = { backend: 'onnx', threads: wide(draft) ? cores : 1, ...wish };
  const { status, study } = state;
  const running = status === 'training' || status === 'starting' || status === 'pausing';

  const begin = (plan: unknown): void => {
    setChosen(undefined);
    act({ type: 'starting' });
    say({ type: 'start', plan, choice });
  };
  const pause = (): void => {
    act({ type: 'pausing' });
    say({ type: 'pause' });
  };
  const stop = (): void => {
    if (running) say({ type: 'pause' });
    act({ type: 'leave' });
  };

  // What was going on when the tab was closed stands ready to go on.
  const first = useRef(true);
  useEffect(() => {
    const unfinished = state.studies.find((one) => one.status === 'unfinished');
    if (first.current && state.ready && unfinished)
      say({ type: 'open', folder: unfinished.folder });
    if (state.studies.length > 0) first.current = false;
  }, [state.studies]);

  const drop = async (event: DragEvent): Promise<void> => {
    event.preventDefault();
    if (running) return;
    const found = await dropped(event.dataTransfer!).catch((error: Error) => error);
    if (found instanceof Error) act({ type: 'trouble', message: found.message, badInput: true });
    else if ('plan' in found) setDraft({ base: found.plan, changed: {} });
    else if ('spec' in found) begin(found.spec);
    else say({ type: 'import', files: found.files });
  };

  useEffect(() => {
    const hear = (event: KeyboardEvent): void => {
      if (event.key !== ' ' || event.target !== document.body || study === undefined) return;
      event.preventDefault();
      if (status === 'training') pause();
      else if (status === 'paused') begin(study.plan);
    };
    const over = (event: DragEvent): void => event.preventDefault();
    addEventListener('keydown', hear);
    addEventListener('dragover', over);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('keydown', hear);
      removeEventListener('dragover', over);
      removeEventListener('drop', drop);
    };
  });

  const planned = useMemo(() => runsIn(withFields(draft.base, draft.changed)), [draft]);
  const runs: readonly RunView[] = study === undefined ? planned : state.runs;
  const latest = Math.max(0, ...Object.keys(state.pictures).map(Number));
  const shown = chosen ?? (running ? (state.now?.index ?? 0) : latest);

  return (
    <div class="page">
      <header class="title">
        <h1>Watch it grok</h1>
        <p>
          A small transformer learns to calculate modulo a prime. First it memorises; long after,
          and all at once, it understands. Then students learn from it.
        </p>
      </header>
      <aside>
        <Setup
          draft={draft}
          choice={choice}
          cores={cores}
          backends={state.ready?.backends ?? []}
          busy={study !== undefined}
          onDraft={setDraft}
          onChoice={setWish}
          onStart={() => begin(withFields(draft.base, draft.changed))}
        />
        <Kept
          studies={state.studies}
          current={study?.folder}
          onOpen={(folder) => !running && say({ type: 'open', folder })}
          onRemove={(folder) => say({ type: 'remove', folder })}
        />
      </aside>
      <main>
        {state.trouble && (
          <p class="trouble" role="alert">
            {state.trouble.message}
          </p>
        )}
        <Controls
          state={state}
          onPause={pause}
          onResume={() => begin(study!.plan)}
          onStop={stop}
          onDownload={() => say({ type: 'export', folder: study!.folder })}
          onFigure={async () => download('curves.png', await figureOf(runs, dark))}
        />
        <div class="charts">
          <Chart runs={runs} measure="accuracy" dark={dark} />
          <Chart runs={runs} measure="loss" dark={dark} />
        </div>
        <Runs
          runs={runs}
          training={running ? state.now?.index : undefined}
          shown={shown}
          dark={dark}
          onShow={setChosen}
        />
        <Inside picture={state.pictures[shown]} name={runs[shown]?.name ?? 'teacher'} dark={dark} />
      </main>
    </div>
  );
}
