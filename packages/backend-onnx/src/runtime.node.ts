/** `#runtime` in Node: onnxruntime-node, loaded with what writes its models when a run first asks for it. */
import type { Runtime, RuntimeOptions } from './session.js';
import { readTelemetry, type Telemetry } from './telemetry.js';

/** Loads onnxruntime-node. @throws InputError as `native.node.ts` says. */
export async function loadRuntime(options?: RuntimeOptions): Promise<Runtime> {
  const native = await import('./native.node.js');
  return native.loadRuntime(options);
}

/** The state of onnxruntime's telemetry. */
export function telemetry(): Telemetry {
  return readTelemetry(process.env, process.platform);
}
