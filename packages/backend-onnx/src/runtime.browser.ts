/** onnxruntime-web behind `session.ts`; not there yet. */
import { InputError } from '@grok/core';
import type { Runtime } from './session.js';

/** @throws InputError always, for now. */
export async function loadRuntime(): Promise<Runtime> {
  throw new InputError('backend "onnx": it runs in Node only; use backend "wasm" in a browser');
}
