/**
 * What a neuron is on a modular task: its activation over all pairs (a, b), an image that says everything of it;
 * the rows that it answers most strongly, and the image's two-dimensional spectrum.
 */
import { type HostArray, InputError, isInputError, type Rng, type Task } from '@grok/core';
import { dropRounding } from '@grok/core/internal';
import { gridPowers, type Powers } from './fourier.js';
import { neuronFrequencies } from './frequencies.js';
import { type CyclicGroup, cyclicGroup, type Grid, layOutGrid, readOperands } from './modular.js';
import { average, drawPermutations } from './sample.js';

/** A row and what a neuron says of it. */
export interface StrongRow {
  /** Number of the row in its task. */
  readonly row: number;
  readonly a: number;
  readonly b: number;
  readonly label: number;
  readonly activation: number;
}
/** How an image is made of waves. */
export interface ImageSpectrum {
  /** Share of the variance at frequency (of a, of b), `[side, side]`, row-major from the constant 0 on. */
  readonly shares: readonly number[];
  readonly side: number;
  /** The frequency that explains most as `neuronFrequencies` has it, 0 of a constant, and the share that it explains. */
  readonly frequency: number;
  readonly share: number;
  readonly null: {
    /** Mean share of the best frequency when the pairs are permuted. */
    readonly share: number;
    /** Share of permutations with at least as much, the one seen counted. */
    readonly p: number;
  };
}
/** One neuron over all pairs. */
export interface NeuronImage {
  readonly neuron: number;
  /** Activation at (a, b), `[p, p]`, row-major; null of a pair that the task does not have. */
  readonly image: readonly (number | null)[];
  readonly mean: number;
  readonly std: number;
  /** The rows with the largest activation, the largest first. */
  readonly strongest: readonly StrongRow[];
  /** Null where no cyclic group lies behind the task. */
  readonly spectrum: ImageSpectrum | null;
}
/** Neurons of one layer. */
export interface NeuronImages {
  readonly p: number;
  /** Residues in the group's order, in which products show as sums; null where there is no group. */
  readonly residues: readonly number[] | null;
  readonly neurons: readonly NeuronImage[];
}
/** Which neurons to look at, and how. */
export interface NeuronImageOptions {
  readonly rng: Rng;
  /** By number; default the `most` that vary most. */
  readonly neurons?: readonly number[];
  /** Default 12. */
  readonly most?: number;
  /** Strong rows of each, default 8. */
  readonly strongest?: number;
  /** Draws of the null, default 99. */
  readonly permutations?: number;
}

/**
 * Images of neurons from their activations `[rows, neurons]` over all rows of a modular task.
 * @throws InputError for a task that is not modular, other rows than its own, or a neuron that is not there
 */
export function neuronImages(
  task: Task,
  activations: HostArray,
  options: NeuronImageOptions,
): NeuronImages {
  const { labels, modular } = task;
  const [rows = 0, width = 0] = activations.shape;
  if (modular === undefined || rows !== labels.length || activations.shape.length !== 2)
    throw new InputError(
      `neuron images: need [rows, neurons] over all ${labels.length} rows of a modular task, got [${activations.shape}]${modular === undefined ? ' of another task' : ''}`,
    );
  const columns = new Map(
    chooseNeurons(activations, options).map((neuron) => {
      if (!Number.isInteger(neuron) || neuron < 0 || neuron >= width)
        throw new InputError(
          `neuron images: neurons must be integers from 0 to ${width - 1}, got ${neuron}`,
        );
      return [neuron, readColumn(activations, neuron)] as const;
    }),
  );
  const group = findGroup(task);
  const spectra =
    group === undefined ? [] : computeSpectra(group, task, [...columns.values()], options);
  const operands = readOperands(task, [...labels.keys()]);
  return {
    p: modular.p,
    residues: group?.residues ?? null,
    neurons: Array.from(columns, ([neuron, values], i) => ({
      neuron,
      image: layOutImage(modular.p, operands, values),
      ...describe(values),
      strongest: findStrongest(values, options.strongest ?? 8).map((row) => ({
        row,
        a: operands.a[row] ?? 0,
        b: operands.b[row] ?? 0,
        label: labels[row] ?? 0,
        activation: values[row] ?? 0,
      })),
      spectrum: spectra[i] ?? null,
    })),
  };
}

function chooseNeurons(
  activations: HostArray,
  { neurons, most = 12 }: NeuronImageOptions,
): readonly number[] {
  if (neurons !== undefined) return neurons;
  const [, width = 0] = activations.shape;
  const spread = Array.from({ length: width }, (_, neuron) => ({
    neuron,
    std: describe(readColumn(activations, neuron)).std,
  }));
  return spread
    .toSorted((x, y) => y.std - x.std)
    .slice(0, most)
    .map(({ neuron }) => neuron);
}

function readColumn({ data, shape }: HostArray, column: number): Float64Array {
  const [rows = 0, width = 0] = shape;
  return Float64Array.from({ length: rows }, (_, row) => data[row * width + column] ?? 0);
}

function describe(values: Float64Array): { readonly mean: number; readonly std: number } {
  const mean = average(values);
  return { mean, std: Math.sqrt(average(values.map((v) => (v - mean) ** 2))) };
}

function layOutImage(
  p: number,
  { a, b }: ReturnType<typeof readOperands>,
  values: Float64Array,
): readonly (number | null)[] {
  const image = new Array<number | null>(p * p).fill(null);
  for (const [row, value] of values.entries()) image[(a[row] ?? 0) * p + (b[row] ?? 0)] = value;
  return image;
}

function findStrongest(values: Float64Array, count: number): readonly number[] {
  return [...values.keys()]
    .sort((i, j) => (values[j] ?? 0) - (values[i] ?? 0) || i - j)
    .slice(0, count);
}

function findGroup(task: Task): CyclicGroup | undefined {
  try {
    return cyclicGroup(task);
  } catch (error) {
    if (isInputError(error)) return undefined;
    throw error;
  }
}

function computeSpectra(
  group: CyclicGroup,
  task: Task,
  columns: readonly Float64Array[],
  { rng, permutations = 99 }: NeuronImageOptions,
): readonly ImageSpectrum[] {
  const rows = [...task.labels.keys()];
  const [count, width] = [rows.length, columns.length];
  const data = Float32Array.from(
    { length: count * width },
    (_, at) => columns[at % width]?.[Math.floor(at / width)] ?? 0,
  );
  const grid = layOutGrid(group, task, rows, { data, shape: [count, width], dtype: 'float32' });
  const powers = gridPowers(grid);
  const found = neuronFrequencies(powers, group.order);
  const draws = Array.from(drawPermutations(rng, group.order ** 2, permutations), (order) =>
    neuronFrequencies(gridPowers(permuteCells(grid, order)), group.order),
  );
  return found.map(({ frequency, share }, channel) => {
    const drawn = draws.map((each) => each[channel]?.share ?? 0);
    return {
      ...{ shares: listShares(powers, channel), side: powers.highest + 1, frequency, share },
      null: {
        share: average(drawn),
        p: (1 + drawn.filter((each) => each >= share).length) / (1 + permutations),
      },
    };
  });
}

function permuteCells({ order, width, data }: Grid, cells: Int32Array): Grid {
  const out = new Float64Array(data.length);
  for (const [to, from] of cells.entries())
    out.set(data.subarray(from * width, (from + 1) * width), to * width);
  return { order, width, data: out };
}

function listShares(powers: Powers, channel: number): readonly number[] {
  const side = powers.highest + 1;
  const total = dropRounding(powers.total(channel), powers.at(0, 0, channel));
  return Array.from({ length: side ** 2 }, (_, at) =>
    at === 0 || total === 0 ? 0 : powers.at(Math.floor(at / side), at % side, channel) / total,
  );
}
