/** `#runtime` in Node: onnxruntime-node, loaded together with the encoder on first use. */
import { createRequire } from 'node:module';
import type { Runtime, RuntimeOptions } from './session.js';
import { readTelemetry, type Telemetry } from './telemetry.js';

/** Loads onnxruntime-node. @throws InputError as in `native.node.ts`. */
export async function loadRuntime(options?: RuntimeOptions): Promise<Runtime> {
  const { loadNative } = await import('./native.node.js');
  return loadNative(options);
}

/** Whether onnxruntime-node, an optional peer dependency, is installed. */
export function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('onnxruntime-node');
    return true;
  } catch {
    return false;
  }
}

/** The state of onnxruntime's telemetry. */
export function telemetry(): Telemetry {
  return readTelemetry(process.env, process.platform);
}
