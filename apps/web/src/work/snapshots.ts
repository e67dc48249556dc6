/** Looks into a model while it trains: reads each checkpoint as it is written, and computes its pictures. */
import {
  type Backend,
  type Execution,
  type Experiment,
  type HostArray,
  type HostParams,
  openBackend,
  type Params,
  type Program,
  type Registry,
  type Store,
} from '@grok/core';
import {
  data,
  freeTree,
  readCheckpoint,
  siteReader,
  takeRows,
  uploadTree,
  withoutAuxiliary,
} from '@grok/core/internal';
import { meanPatterns, viewEmbedding } from '@grok/metrics';
import type * as tf from '@grok/tfjs';
import type { Picture } from '../protocol.js';

/** Validation rows whose attention is averaged. */
const ROWS = 64;
const SIGNS: Readonly<Record<string, string>> = { add: '+', sub: '−', mul: '×', div: '÷' };

/** Makes pictures of one run's checkpoints, one at a time; those that a newer one overtook are left out. */
export interface Snapshotter {
  /** The picture of a step's checkpoint, or undefined where a newer one was asked for meanwhile. */
  at(step: number): Promise<Picture | undefined>;
  dispose(): Promise<void>;
}

type Inputs = { params: Params; inputs: tf.Tensor };

export function createSnapshotter(
  registry: Registry,
  experiment: Experiment,
  execution: Execution,
  store: Store,
): Snapshotter {
  const { task, split, model } = data(experiment, registry);
  const known = new Set(model.sites().map(({ name }) => name));
  const sites = Array.from(
    { length: model.shape.layers },
    (_, l) => `blocks.${l}.attn.hook_pattern`,
  ).filter((name) => known.has(name));
  const rows = split.validation.subarray(0, ROWS);
  const inputs = takeRows(task.inputs, rows);
  const length = inputs.shape[1] ?? 0;
  const positions = task.modular
    ? ['a', SIGNS[task.modular.op] ?? task.modular.op, 'b', '=']
    : Array.from({ length }, (_, i) => String(i + 1));
  let ready: Promise<{ backend: Backend; program: Program<Inputs, Params> }> | undefined;

  const open = async (params: HostParams): Promise<Awaited<NonNullable<typeof ready>>> => {
    const backend = await openBackend(registry, execution);
    return {
      backend,
      program: await backend.compile('picture', siteReader(model, sites), { params, inputs }),
    };
  };

  const take = async (step: number): Promise<Picture> => {
    const { params: all, position } = await readCheckpoint(store, step);
    const params = withoutAuxiliary(all);
    const patterns: Picture['patterns'][number][] = [];
    if (sites.length > 0) {
      ready ??= open(params);
      const { backend, program } = await ready;
      const given = uploadTree(backend, { params, inputs });
      const out = await program.run(given);
      for (const [block, site] of sites.entries()) {
        const value = out[site];
        if (value === undefined) continue;
        const { shape, dtype } = value;
        const pattern: HostArray = { shape, dtype, data: await backend.read(value) };
        patterns.push(...meanPatterns(pattern).map((weights, head) => ({ block, head, weights })));
      }
      freeTree(backend, out);
      freeTree(backend, given);
    }
    const embedding = params['embed.W_E'];
    const views = embedding && viewEmbedding(embedding, task);
    return {
      epoch: position.epoch,
      patterns,
      positions,
      residues: views?.residues ?? [],
      spectrum: views?.spectrum ?? [],
      principal: views?.principal.flat() ?? [],
      circles: views?.circles.map((points) => points.flat()) ?? [],
    };
  };

  let newest = 0;
  let pending: Promise<unknown> = Promise.resolve();
  return {
    at(step) {
      newest = step;
      const mine = pending.then(() => (newest === step ? take(step) : undefined));
      pending = mine.catch(() => undefined);
      return mine;
    },
    async dispose() {
      await pending;
      const opened = await ready?.catch(() => undefined);
      opened?.program.dispose();
      await opened?.backend.dispose();
    },
  };
}
