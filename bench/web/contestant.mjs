/** Grok's trainer in a page: `contestant(how)` opens it, and `epoch()` of the result is one lap. */

import wasmFolder from 'virtual:wasm-folder';
import { onnx } from '@grok/backend-onnx';
import { wasm } from '@grok/backend-wasm';
import { openTraining } from '../training.mjs';

globalThis.contestant = async ({ backend, threads, ...how }) =>
  openTraining({
    ...how,
    threads,
    backend: await (backend === 'wasm'
      ? wasm({ threads, wasmPaths: wasmFolder })
      : onnx({ threads })),
  });
