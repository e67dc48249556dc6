/** Finds and loads the optional native package; if it is missing, the error says in one line how to install it. */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import util from 'node:util';
import { InputError } from '@grok/core';
import { withTfjsBackend } from '@grok/core/internal';
import * as tf from '@grok/tfjs';

const PACKAGE = '@tensorflow/tfjs-node-gpu';
const INSTALL = `npm install ${PACKAGE}@4.22.0`;

/** The loaded package. */
export interface Tensorflow {
  /** Version of the npm package. */
  readonly version: string;
  /** Version of libtensorflow. */
  readonly tensorflow: string;
  readonly threads: number;
  readonly gpu: boolean;
}
interface TfjsNode {
  readonly version: Readonly<Record<string, string>>;
}
interface NodeBackend extends tf.KernelBackend {
  readonly binding: { readonly TF_Version: string };
  readonly isUsingGpuDevice: boolean;
}

let loaded: Tensorflow | undefined;

/**
 * Loads the package from a folder's `node_modules` (`from`, else `GROK_NODE_GPU`), or else from the
 * folders of this package and the process. There is one copy per process: the first one loaded
 * stays.
 * @throws InputError with the install command when it is not installed or was not built.
 */
export function loadTensorflow(
  from: string | undefined = process.env.GROK_NODE_GPU,
  threads?: number,
): Tensorflow {
  if (loaded !== undefined) return loaded;
  const { require, file } = find(from);
  const before = tf.engine().backendName as string | undefined;
  const restore = setEnvironment({
    TF_NUM_INTRAOP_THREADS: threads === undefined ? undefined : String(threads),
    // Keeps warnings and errors; set the variable to see everything.
    TF_CPP_MIN_LOG_LEVEL: process.env.TF_CPP_MIN_LOG_LEVEL ?? '1',
  });
  let library: TfjsNode;
  try {
    addRemovedUtilities();
    library = require(file) as TfjsNode;
  } catch (error) {
    const message = (error as Error).message.split('\n', 1)[0];
    throw new InputError(
      `backend "node-gpu": ${PACKAGE} is at ${file} but does not load (${message}); reinstall it where its download works: ${INSTALL}`,
      { cause: error },
    );
  } finally {
    restore();
    // The package makes itself the current backend on load.
    if (before && before in tf.engine().registry) void tf.setBackend(before);
  }
  const backend = withTfjsBackend('tensorflow', () => tf.backend()) as NodeBackend;
  loaded = {
    version: library.version['tfjs-node'] ?? 'unknown',
    tensorflow: backend.binding.TF_Version,
    threads: threads ?? (Number(process.env.TF_NUM_INTRAOP_THREADS) || availableParallelism()),
    gpu: backend.isUsingGpuDevice,
  };
  return loaded;
}

function find(from: string | undefined): { require: NodeJS.Require; file: string } {
  const places = from ? [join(resolve(from), '_')] : [import.meta.url, join(process.cwd(), '_')];
  for (const place of places) {
    const require = createRequire(place);
    try {
      return { require, file: require.resolve(PACKAGE) };
    } catch {}
  }
  throw new InputError(
    `backend "node-gpu" needs ${PACKAGE}, which is not installed${from ? ` in ${resolve(from)}` : ''}: ${INSTALL}, or name a folder that has it: --backend node-gpu:from=FOLDER, or GROK_NODE_GPU`,
  );
}

/** Sets environment variables, and returns a function that restores them. */
function setEnvironment(values: Readonly<Record<string, string | undefined>>): () => void {
  const before = Object.keys(values).map((key) => [key, process.env[key]] as const);
  const set = (key: string, value: string | undefined): void => {
    if (value === undefined) delete process.env[key];
    else process.env[key] = value;
  };
  for (const [key, value] of Object.entries(values)) if (value !== undefined) set(key, value);
  return () => {
    for (const [key, value] of before) set(key, value);
  };
}

/** tfjs-node 4.22 calls two utilities that Node 23 removed. */
function addRemovedUtilities(): void {
  const isNullOrUndefined = (value: unknown): boolean => value === null || value === undefined;
  for (const [name, utility] of Object.entries({ isNullOrUndefined, isArray: Array.isArray }))
    if (!(name in util)) Object.assign(util, { [name]: utility });
}
