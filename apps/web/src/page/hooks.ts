/** The few things that every part of the page asks of the browser. */
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { FromWorker, ToWorker } from '../protocol.js';
import { type Action, initial, reduce, type State } from './state.js';

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

/** The worker: the state that it tells of, and a way to speak to it. */
export function useWorker(onArchive: (name: string, bytes: Uint8Array) => void): {
  state: State;
  say: (message: ToWorker) => void;
  act: (action: Action) => void;
} {
  const [state, act] = useReducer<State, Action>(reduce, initial);
  const worker = useRef<Worker | undefined>(undefined);
  useEffect(() => {
    const own = new Worker(new URL('../work/worker.ts', import.meta.url), {
      type: 'module',
      name: 'grok',
    });
    own.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === 'archive') onArchive(data.name, data.bytes);
      else act(data);
    };
    own.onerror = ({ message }) =>
      act({
        type: 'trouble',
        message: message || 'the worker could not be loaded',
        badInput: false,
      });
    own.postMessage({ type: 'hello' } satisfies ToWorker);
    worker.current = own;
    return () => own.terminate();
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
