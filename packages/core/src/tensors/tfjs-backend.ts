/**
 * tfjs has one engine with one current backend. These start a backend and make it the current one for
 * the extent of a function, so that several backends share a process.
 */
import * as tf from '@grok/tfjs';
import { RunError } from '../contracts/errors.js';

/**
 * Runs `body` with a started tfjs backend as the current one, and puts back the one before. Where
 * none was current it stays: tfjs would else start a second instance at the next `tf.ready()`.
 */
export function withTfjsBackend<T>(name: string, body: () => T): T {
  const engine = tf.engine();
  const before = engine.backendName as string | null | undefined;
  if (before === name) return body();
  // Synchronous once the backend is started.
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
 * Starts a registered tfjs backend without making it the current one; `tf.setBackend` would leave
 * every other backend unusable while an asynchronous factory is at work.
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
