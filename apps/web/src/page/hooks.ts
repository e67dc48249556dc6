/** The few things that every part of the page asks of the browser. */
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { FromWorker, ToWorker } from '../protocol.js';
import { type Action, initial, reduceState, type State } from './state.js';

/** True while the visitor prefers dark. */
export function useDark(): boolean {
  const query = matchMedia('(prefers-color-scheme: dark)');
  const [dark, set] = useState(query.matches);
  useEffect(() => {
    const hear = (): void => set(query.matches);
    query.addEventListener('change', hear);
    return () => query.removeEventListener('change', hear);
  }, []);
  return dark;
}

/** Milliseconds between two looks at what the worker told: people cannot read faster, and each draws the page. */
const GLANCE = 100;

/** Words of the worker that change no state: something to be done with once. */
export type Errand = Extract<FromWorker, { type: 'archive' | 'drawn' | 'plan' }>;
const isErrand = (message: FromWorker): message is Errand =>
  message.type === 'archive' || message.type === 'drawn' || message.type === 'plan';

/** The worker: the state that it tells of, and a way to speak to it. */
export function useWorker(onErrand: (errand: Errand) => void): {
  state: State;
  say: (message: ToWorker) => void;
  act: (action: Action) => void;
} {
  const [state, take] = useReducer<State, readonly Action[]>(
    (before, actions) => actions.reduce(reduceState, before),
    initial,
  );
  const pending = useRef<Action[]>([]);
  // In the order of what happened: what the worker told before comes first.
  const act = (action: Action): void => take([...pending.current.splice(0), action]);
  const worker = useRef<Worker | undefined>(undefined);
  const errand = useRef(onErrand);
  errand.current = onErrand;
  useEffect(() => {
    const own = new Worker(new URL('../work/worker.ts', import.meta.url), {
      type: 'module',
      name: 'grok',
    });
    let looking: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      looking = undefined;
      take(pending.current.splice(0));
    };
    own.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (isErrand(data)) return errand.current(data);
      pending.current.push(data);
      looking ??= setTimeout(look, GLANCE);
    };
    own.onerror = ({ message }) =>
      act({ type: 'error', message: message || 'the worker could not be loaded' });
    own.postMessage({ type: 'hello' } satisfies ToWorker);
    worker.current = own;
    return () => {
      clearTimeout(looking);
      own.terminate();
    };
  }, []);
  return { state, act, say: (message) => worker.current?.postMessage(message) };
}

/** Hands a file to the visitor. */
export function download(name: string, parts: BlobPart): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([parts]));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
