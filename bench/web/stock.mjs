/**
 * Stock TensorFlow.js for the race, in a frame of the page with its own modules and kernels, so
 * that it does not use the training kernels that our `wasm` registers.
 */
import wasmFolder from 'virtual:wasm-folder';
import * as tf from '@grok/tfjs';
import { getThreadsCount, setWasmPaths, version_wasm } from 'tfjs-backend-wasm';
import { openStock } from '../peers/stock-model.mjs';

const ROWS = 512;

/** @param {{ dim: number, dropout: number }} how */
globalThis.open = async ({ dim, dropout }) => {
  setWasmPaths(wasmFolder);
  await tf.setBackend('wasm');
  await tf.ready();
  const { kernelFunc } = tf.getKernel('BatchMatMul', 'wasm');
  if (Symbol.for('@grok/backend-wasm/kernel') in kernelFunc)
    throw new Error('stock TensorFlow.js has kernels of ours; give it modules of its own');
  const { step } = openStock({ dim, rate: dropout });
  const threads = getThreadsCount();
  const rowsFrom = (first) => Array.from({ length: ROWS }, (_, row) => row + first);
  step(rowsFrom(0));
  return {
    name: `stock ${version_wasm}, ${threads} thread${threads === 1 ? '' : 's'}`,
    /** Milliseconds per step, the mean of two. */
    lap() {
      const began = performance.now();
      for (let i = 0; i < 2; i++) step(rowsFrom(i));
      return (performance.now() - began) / 2;
    },
  };
};
