/**
 * A contestant that computes only matrix products in onnxruntime, a lower bound for a training
 * step. Each program is one graph of independent products. Operands of one shape share their
 * memory, and one result is fetched, so that only the products are timed.
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { onnxBytes } from './onnx-bytes.mjs';
import { serve } from './protocol.mjs';

const { values } = parseArgs({
  options: { threads: { type: 'string', default: '2' }, work: { type: 'string' } },
});
/**
 * @typedef {{ op: string, domain: string, a: number[], b: number[], y: number[], flags: Record<string, number> }} Product
 * @typedef {{ products: Product[], runs: number }} Part a graph and how often a lap runs it
 * @type {{ whole: Part[], last: Part[], evaluation: Part[] }}
 */
const work = JSON.parse(values.work);
const threads = Number(values.threads);

const near = createRequire(new URL('../packages/backend-onnx/package.json', import.meta.url));
process.env.ORT_DISABLE_TELEMETRY ||= '1'; // read once, when the library is loaded
const ort = near('onnxruntime-node');

const buffers = new Map();
/** A tensor over the one buffer of its shape and role. */
function tensorOf(role, shape) {
  const key = `${role} ${shape}`;
  if (!buffers.has(key)) {
    const data = new Float32Array(shape.reduce((size, n) => size * n, 1));
    // Varied and small: denormal or huge numbers would slow down the products.
    for (let i = 0; i < data.length; i++) data[i] = ((i * 7919) % 1000) / 1000 - 0.5;
    buffers.set(key, new ort.Tensor('float32', data, shape));
  }
  return buffers.get(key);
}

async function open({ products, runs }) {
  const graph = { nodes: [], inputs: [], outputs: [] };
  const feeds = {};
  const fetches = {};
  for (const [i, { op, domain, a, b, flags }] of products.entries()) {
    const names = [`a${i}`, `b${i}`];
    graph.nodes.push({ op, domain, inputs: names, output: `y${i}`, flags });
    graph.inputs.push({ name: names[0], shape: a }, { name: names[1], shape: b });
    feeds[names[0]] = tensorOf('a', a);
    feeds[names[1]] = tensorOf('b', b);
  }
  // The binding copies every output; unread products are still computed.
  const sizes = products.map(({ y }) => y.reduce((size, n) => size * n, 1));
  const smallest = sizes.indexOf(Math.min(...sizes));
  const { y } = products[smallest];
  graph.outputs.push({ name: `y${smallest}`, shape: y });
  fetches[`y${smallest}`] = tensorOf('y', y);
  const session = await ort.InferenceSession.create(onnxBytes(graph), {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Equal products would be merged.
    graphOptimizationLevel: 'disabled',
  });
  return async () => {
    for (let run = 0; run < runs; run++) await session.run(feeds, fetches);
  };
}

const openAll = (parts) => Promise.all(parts.map(open));
const [whole, last, evaluation] = await Promise.all(
  [work.whole, work.last, work.evaluation].map(openAll),
);
const steps = work.whole.reduce((sum, { runs }) => sum + runs, 0);
async function time(runs) {
  const start = performance.now();
  for (const run of runs) await run();
  return performance.now() - start;
}
async function lap() {
  const wholeMs = await time(whole);
  const lastMs = await time(last);
  return {
    stepMs: wholeMs / steps,
    epochMs: wholeMs + lastMs,
    evalMs: await time(evaluation),
  };
}
for (let i = 0; i < 3; i++) await lap();
await serve(
  { version: `onnxruntime-node ${near('onnxruntime-node/package.json').version}`, threads },
  lap,
);
