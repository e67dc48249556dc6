/** Looks into a model while it trains: reads each checkpoint as it is written, and computes its pictures. */
import {
  type Backend,
  type DeviceTensor,
  type Experiment,
  type HostArray,
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
  type Signature,
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
export interface Photographer {
  /** The picture of a step's checkpoint, or undefined where a newer one was asked for meanwhile. */
  at(step: number): Promise<Picture | undefined>;
  dispose(): Promise<void>;
}

type Inputs = { params: Params; inputs: tf.Tensor };

export function photographer(
  registry: Registry,
  experiment: Experiment,
  backendName: string,
  store: Store,
): Photographer {
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

  const open = async (params: object): Promise<Awaited<NonNullable<typeof ready>>> => {
    const backend = await openBackend(registry, { backend: backendName });
    const signature = { params, inputs } as unknown as Signature<Inputs>;
    return {
      backend,
      program: await backend.compile('picture', siteReader(model, sites), signature),
    };
  };

  const take = async (step: number): Promise<Picture> => {
    const { params: all, position } = await readCheckpoint(store, step);
    const params = withoutAuxiliary(all);
    const patterns: Picture['patterns'][number][] = [];
    if (sites.length > 0) {
      ready ??= open(params);
      const { backend, program } = await ready;
      const given = uploadTree(backend, { params, inputs } as never);
      const out = (await program.run(given as never)) as Record<string, DeviceTensor>;
      for (const [block, site] of sites.entries()) {
        const { shape, dtype } = out[site]!;
        const pattern: HostArray = { shape, dtype, data: await backend.read(out[site]!) };
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
