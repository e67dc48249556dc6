/**
 * The `node-gpu` backend: TensorFlow.js on libtensorflow (CUDA if there is a GPU, otherwise the
 * CPU), eager. The native package is an optional peer dependency of 300 MB or more, loaded on
 * demand.
 */
import {
  type BackendAdapter,
  type Component,
  defineBackend,
  definePlugin,
  integer,
  type Plugin,
  schema,
  text,
  tfjsAdapter,
} from '@grok/core';
import { loadTensorflow } from './load.js';

/** Options of `node-gpu`. */
export interface NodeGpuOptions {
  /**
   * Folder whose `node_modules` has `@tensorflow/tfjs-node-gpu`; default: `GROK_NODE_GPU`, else this package
   * and the working directory.
   */
  readonly from?: string;
  /** Threads of one operation on the CPU (default: all cores), fixed at the first start. */
  readonly threads?: number;
}

/** TensorFlow.js on libtensorflow. @throws InputError with the install command if it is not installed. */
export const nodeGpu: Component<'backend', NodeGpuOptions> = defineBackend({
  name: 'node-gpu',
  summary: 'TensorFlow.js on libtensorflow, eager; needs @tensorflow/tfjs-node-gpu (Node only).',
  options: schema({
    from: text().optional().describe('folder whose node_modules has @tensorflow/tfjs-node-gpu'),
    threads: integer()
      .positive()
      .optional()
      .describe('threads of one operation on the CPU (default: all cores)'),
  }),
  create: ({ from, threads }) => start(from, threads),
});

async function start(from?: string, threads?: number): Promise<BackendAdapter> {
  const library = await loadTensorflow(from, threads);
  const note =
    threads === undefined || threads === library.threads
      ? ''
      : ` (${threads} asked: fixed at the first start)`;
  return tfjsAdapter({
    tfjs: 'tensorflow',
    device: `tfjs-node-gpu ${library.version}, libtensorflow ${library.tensorflow}, ${library.gpu ? 'cuda' : `cpu, ${library.threads} thread${library.threads === 1 ? '' : 's'}`}${note}`,
    threads: library.threads,
    // Segment sums race on a GPU, and their order on the CPU is not guaranteed either.
    bitExact: false,
  });
}

/** The backend `node-gpu`, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/backend-node-gpu',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [nodeGpu],
});
export default plugin;
