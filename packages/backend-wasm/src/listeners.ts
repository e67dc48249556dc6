/**
 * Emscripten's loader installs process-wide handlers in Node that rethrow, so an uncaught error
 * would end the process with code 7 instead of 1. Only those handlers are removed.
 */
const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;
type Listener = (...args: unknown[]) => void;
interface Emitter {
  listeners(event: string): Listener[];
  removeListener(event: string, listener: Listener): void;
}

/** Awaits `body`, then removes the rethrowing handlers that it left on `process`. */
export async function withoutNewListeners(body: () => Promise<void>): Promise<void> {
  const emitter = (globalThis as { process?: Partial<Emitter> }).process;
  if (typeof emitter?.listeners !== 'function') return body();
  const { listeners, removeListener } = emitter as Emitter;
  const before = EVENTS.map((event) => [event, new Set(listeners.call(emitter, event))] as const);
  await body();
  for (const [event, others] of before)
    for (const listener of listeners.call(emitter, event))
      if (!others.has(listener) && isLoaders(listener))
        removeListener.call(emitter, event, listener);
}

/** Recognized by their source: they have no name, and other code may have added handlers meanwhile. */
function isLoaders(listener: Listener): boolean {
  return /ExitStatus|^function ?\(reason\) ?\{\s*throw reason;?\s*\}$/.test(String(listener));
}
