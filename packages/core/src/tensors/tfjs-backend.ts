/**
 * tfjs has one engine with one current backend. These functions start a backend and make it current
 * while a function runs, so that several backends can share a process.
 */
import * as tf from '@grok/tfjs';
import { RunError } from '../contracts/errors.js';

/**
 * Runs `body` with a started tfjs backend as the current one, then restores the previous one. If
 * there was no current backend it stays current, or tfjs would start a second instance at the next
 * `tf.ready()`.
 */
export function withTfjsBackend<T>(name: string, body: () => T): T {
  const engine = tf.engine();
  const before = engine.backendName as string | null | undefined;
  if (before === name) return body();
  // synchronous once the backend is started
  void tf.setBackend(name);
  try {
    return body();
  } finally {
    if (before && before in engine.registry) void tf.setBackend(before);
    else if (before) engine.backendName = before;
  }
}

const starting = new Map<string, Promise<void>>();
/**
 * Starts a registered tfjs backend without making it current; with `tf.setBackend`, no other
 * backend would be usable while an asynchronous factory runs.
 * @throws RunError when tfjs does not know the backend or its factory fails.
 */
export async function startTfjsBackend(name: string): Promise<void> {
  const { registry } = tf.engine();
  if (name in registry) return;
  const factory = tf.findBackendFactory(name);
  if (factory == null)
    throw new RunError(
      `tfjs backend "${name}" is not registered; known: ${tf.engine().backendNames().join(', ') || 'none'}`,
    );
  const start = async (): Promise<void> => {
    const instance = await factory();
    registry[name] ??= instance;
  };
  const pending = starting.get(name) ?? start().finally(() => starting.delete(name));
  starting.set(name, pending);
  try {
    await pending;
  } catch (error) {
    const message = (error as Error | undefined)?.message ?? String(error);
    throw new RunError(`tfjs backend "${name}" did not start: ${message}`, { cause: error });
  }
}
