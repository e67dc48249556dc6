/**
 * The race in one page: a training step on `onnx`, on our `wasm`, on stock TensorFlow.js, and the
 * step's matrix products alone on onnxruntime-web. Laps alternate, so that a busy machine slows all
 * equally.
 */

import wasmFolder from 'virtual:wasm-folder';
import { onnx } from '@grok/backend-onnx';
import { wasm } from '@grok/backend-wasm';
import * as ort from 'onnxruntime-web/wasm';
import { onnxBytes } from '../onnx-bytes.mjs';
import { openTraining } from '../training.mjs';

/**
 * Starts all of them; returns their names, and a function that times one lap of each in
 * milliseconds.
 * @param {{ dim: number, dropout: number, threads: number }} how
 */
globalThis.openRace = async ({ dim, dropout, threads }) => {
  const how = { threads, dim, dropout, strategy: 'none' };
  const ours = await openTraining({ ...how, backend: await onnx({ threads }) });
  await ours.epoch();
  const products = await openProducts(Object.values(ours.programs));
  const eager = await openTraining({ ...how, backend: await wasm({ wasmPaths: wasmFolder }) });
  const stock = await openStock({ dim, dropout });
  await eager.epoch();
  await products();
  globalThis.lap = async () => {
    const { stepMs, epochMs, evalMs } = await ours.epoch();
    return {
      onnx: stepMs,
      'onnx epoch': epochMs + evalMs,
      products: await products(),
      wasm: (await eager.epoch()).stepMs,
      stock: stock.lap(),
    };
  };
  return [ours.device, eager.device, stock.name];
};

/** Stock TensorFlow.js in a frame; a same-origin frame computes in this thread. */
async function openStock(how) {
  const frame = document.createElement('iframe');
  frame.src = './stock.html';
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
  document.body.append(frame);
  await loaded;
  return frame.contentWindow.open(how);
}

/**
 * The matrix products of the whole batch's step as one graph; returns milliseconds per step.
 * Operands of one shape are one input, and one small result is fetched, so that copies are not
 * timed.
 */
async function openProducts(programs) {
  const { products } = programs.toSorted((a, b) => b.runs * b.flops - a.runs * a.flops)[0];
  const graph = { nodes: [], inputs: [], outputs: [] };
  const feeds = {};
  const operand = (role, shape) => {
    const name = `${role}_${shape.join('_')}`;
    if (!(name in feeds)) {
      graph.inputs.push({ name, shape });
      const size = shape.reduce((product, n) => product * n, 1);
      const data = Float32Array.from(
        { length: size },
        (_, at) => ((at * 7919) % 1000) / 1000 - 0.5,
      );
      feeds[name] = new ort.Tensor('float32', data, shape);
    }
    return name;
  };
  for (const [i, { op, domain, a, b, y, flags }] of products.entries()) {
    graph.nodes.push({
      op,
      domain,
      inputs: [operand('a', a), operand('b', b)],
      output: `y${i}`,
      flags,
    });
    graph.outputs.push({ name: `y${i}`, shape: y });
  }
  const size = ({ shape }) => shape.reduce((product, n) => product * n, 1);
  const { name } = graph.outputs.toSorted((a, b) => size(a) - size(b))[0];
  const session = await ort.InferenceSession.create(onnxBytes(graph), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'disabled',
  });
  return async () => {
    const began = performance.now();
    for (let i = 0; i < 10; i++) await session.run(feeds, [name]);
    return (performance.now() - began) / 10;
  };
}
