/** Which backends start on this machine. */
import { type Execution, openBackend, type Registry } from '@grok/core';

/** A backend that was started and ended. */
export interface TriedBackend {
  readonly available: boolean;
  readonly device?: string;
  readonly threads?: number;
  /** What is missing, and how to get it. */
  readonly missing?: string;
}

/** Names of the backends that start here. */
export async function findBackends(registry: Registry): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { kind, name } of registry.list())
    if (kind === 'backend' && (await tryBackend(registry, { backend: name })).available)
      found.push(name);
  return found;
}

/** Starts a backend and ends it, to say what it runs on or what is missing. */
export async function tryBackend(registry: Registry, execution: Execution): Promise<TriedBackend> {
  try {
    const backend = await openBackend(registry, execution);
    const { device, capabilities } = backend;
    await backend.dispose();
    return { available: true, device, threads: capabilities.threads };
  } catch (error) {
    const [missing = ''] = String(error instanceof Error ? error.message : error).split('\n');
    return { available: false, missing };
  }
}
