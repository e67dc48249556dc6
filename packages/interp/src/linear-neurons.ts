/** Neurons that enter the logits linearly, so that ablating one is `logits − change · (W_out W_U)`. */
import { type HostArray, type Params, sizeOf } from '@grok/core';
import { createRowPrograms, EVAL_ROWS, own, reader, takeRows } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { Matrix } from 'ml-matrix';
import { ablationHooks, type CircuitComponent } from './components.js';
import type { HookedModel } from './hooked-model.js';
import type { Hook } from './hooks.js';
import { type LabeledBatch, type Metric, meanMetric, metricFunction } from './metrics.js';
import { getActName } from './sites.js';

/** What is measured, and what ablation leaves. */
export interface EvaluatorOptions {
  readonly batch: LabeledBatch;
  readonly metric: Metric;
  readonly ablate?: 'mean' | 'zero';
}
/** What updates start from. */
export interface NeuronState {
  /** `[rows, d_vocab]`. */
  readonly logits: HostArray;
  /** What ablation takes from each neuron where the logits are read, `[d_mlp][rows]`. */
  readonly changes: readonly Float32Array[];
}
/** The last block's neurons. */
export interface LinearNeurons {
  has(name: string): boolean;
  /** The state under hooks, by a forward pass. */
  read(hooks: readonly Hook[]): Promise<NeuronState>;
  /** The state with one more neuron ablated. */
  update(state: NeuronState, name: string): NeuronState;
  /** The metric with one more neuron ablated. */
  measureWithout(state: NeuronState, name: string): Promise<number>;
  dispose(): void;
}

/** Rows on which the updates are compared with forward passes. */
const PROBE_ROWS = 64;
/** Largest difference of logits, relative to the largest logit. */
const CLOSE = 1e-4;

/** The positions that the logits are read from: the last, or the mean of all. */
type Pool = 'last' | 'mean';
interface UpdateInputs {
  readonly params: Params;
  readonly [data: string]: tf.Tensor | Params;
}

/** The last block's neurons; undefined where none is searched over, or where updates are not what forward passes give. */
export async function createLinearNeurons(
  model: HookedModel,
  components: readonly CircuitComponent[],
  { batch, metric, ablate = 'mean' }: EvaluatorOptions,
): Promise<LinearNeurons | undefined> {
  const layer = model.model.shape.layers - 1;
  const neurons = components.filter((it) => it.kind === 'neuron' && it.layer === layer);
  const [out, unembed] = [`blocks.${layer}.mlp.W_out`, 'unembed.W_U'].map((name) =>
    own(model.params, name),
  );
  if (neurons.length === 0 || out === undefined || unembed === undefined) return undefined;
  const directions = toMatrix(out).mmul(toMatrix(unembed)); // [d_mlp, d_vocab]
  const site = getActName('post', layer);
  const read = createStateReader(model, site, ablate);
  const pool = await findPool(model, neurons, { batch, metric, ablate }, directions, read);
  if (pool === undefined) return undefined;
  const numbers = new Map(neurons.map(({ name, index }) => [name, index]));
  const direction = (name: string): Float32Array =>
    Float32Array.from(directions.getRow(numbers.get(name) ?? 0));
  const change = (state: NeuronState, name: string): Float32Array =>
    state.changes[numbers.get(name) ?? 0] ?? new Float32Array(batch.labels.length);
  const program = createRowPrograms<UpdateInputs>(
    model.backend,
    'interp-update',
    ({ params, ...data }) => {
      const get = (name: string): tf.Tensor =>
        reader('input', { ...data, ...params })(name) as tf.Tensor;
      const logits = tf.sub(get('logits'), tf.mul(get('change'), get('direction')));
      return {
        metric: metricFunction(metric)(logits, {
          labels: get('labels') as tf.Tensor1D,
          ...(batch.wrong && { wrong: get('wrong') as tf.Tensor1D }),
        }),
      };
    },
  );
  const rows = Int32Array.from(batch.labels.keys());
  return {
    has: (name) => numbers.has(name),
    read: (hooks) => read(batch.inputs, hooks, pool),
    update: (state, name) => ({
      ...state,
      logits: subtractOuter(state.logits, change(state, name), direction(name)),
    }),
    async measureWithout(state, name) {
      const ofRows = (data: Int32Array): HostArray => ({
        data,
        shape: [rows.length],
        dtype: 'int32',
      });
      const values: number[] = [];
      const input = {
        params: {
          direction: {
            data: direction(name),
            shape: [1, directions.columns],
            dtype: 'float32',
          } as const,
        },
        data: {
          logits: state.logits,
          change: { data: change(state, name), shape: [rows.length, 1], dtype: 'float32' } as const,
          labels: ofRows(batch.labels),
          ...(batch.wrong && { wrong: ofRows(batch.wrong) }),
        },
        ...{ rows, most: EVAL_ROWS },
      };
      for await (const part of program.run(input))
        values.push(...reader('output', part.values)('metric').data);
      return meanMetric(metric, Float32Array.from(values));
    },
    dispose: program.dispose,
  };
}

type StateReader = (inputs: HostArray, hooks: readonly Hook[], pool: Pool) => Promise<NeuronState>;

function createStateReader(model: HookedModel, site: string, ablate: 'mean' | 'zero'): StateReader {
  const means = new WeakMap<HostArray, Float64Array>();
  return async (inputs, hooks, pool) => {
    const plain =
      means.get(inputs) ??
      computeMean(reader('site', (await model.runWithCache(inputs, [site])).cache)(site));
    means.set(inputs, plain);
    const { logits, cache } = await model.runWithHooks(inputs, hooks, [site]);
    const left = ablate === 'mean' ? plain : new Float64Array(plain.length);
    return { logits, changes: poolChanges(reader('site', cache)(site), left, pool) };
  };
}

/** How the model reads its positions, if ablating all neurons by updates gives the logits of a forward pass. */
async function findPool(
  model: HookedModel,
  neurons: readonly CircuitComponent[],
  { batch, ablate = 'mean' }: EvaluatorOptions,
  directions: Matrix,
  read: StateReader,
): Promise<Pool | undefined> {
  const [rows = 0] = batch.inputs.shape;
  const inputs = takeRows(
    batch.inputs,
    Array.from({ length: Math.min(rows, PROBE_ROWS) }, (_, i) => i),
  );
  const hooks = ablationHooks(neurons, new Set(neurons.map(({ name }) => name)), ablate);
  const { logits: wanted } = await model.runWithHooks(inputs, hooks);
  const size = Math.max(...Array.from(wanted.data, Math.abs));
  for (const pool of ['last', 'mean'] as const) {
    const state = await read(inputs, [], pool);
    const changed = neurons.reduce(
      (logits, { index }) =>
        subtractOuter(
          logits,
          state.changes[index] ?? new Float32Array(),
          Float32Array.from(directions.getRow(index)),
        ),
      state.logits,
    );
    if (changed.data.every((x, i) => Math.abs(x - (wanted.data[i] ?? 0)) <= CLOSE * size))
      return pool;
  }
  return undefined;
}

const toMatrix = ({ data, shape: [rows = 0, columns = 0] }: HostArray): Matrix =>
  Matrix.from1DArray(rows, columns, data);

/** The mean over rows, `[pos · d_mlp]`. */
function computeMean({ data, shape: [rows = 1, ...rest] }: HostArray): Float64Array {
  const sums = new Float64Array(sizeOf(rest));
  for (const [i, value] of data.entries())
    sums[i % sums.length] = (sums[i % sums.length] ?? 0) + value / rows;
  return sums;
}

/** `[rows, pos, d_mlp]` less what ablation leaves, at the last position or the mean of all: `[d_mlp][rows]`. */
function poolChanges(
  { data, shape: [rows = 0, positions = 1, width = 0] }: HostArray,
  left: Float64Array,
  pool: Pool,
): readonly Float32Array[] {
  const changes = Array.from({ length: width }, () => new Float32Array(rows));
  const first = pool === 'last' ? positions - 1 : 0;
  for (const [neuron, values] of changes.entries())
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let position = first; position < positions; position++) {
        const at = position * width + neuron;
        sum += (data[row * positions * width + at] ?? 0) - (left[at] ?? 0);
      }
      values[row] = sum / (positions - first);
    }
  return changes;
}

/** `logits − change ⊗ direction`. */
function subtractOuter(
  { data, shape }: HostArray,
  change: Float32Array,
  direction: Float32Array,
): HostArray {
  const width = direction.length;
  const out = Float32Array.from(data);
  for (let row = 0; row < change.length; row++) {
    const by = change[row] ?? 0;
    for (let i = 0; i < width; i++)
      out[row * width + i] = (out[row * width + i] ?? 0) - by * (direction[i] ?? 0);
  }
  return { data: out, shape, dtype: 'float32' };
}
