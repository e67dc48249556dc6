/** What neurons do: how many are dead or speak of one thing, pictures of the strongest over all pairs, and what they seek. */
import { type HostArray, rng } from '@grok/core';
import { ascendNeuron, getActName } from '@grok/interp';
import {
  atPosition,
  describeNeurons,
  type NeuronImage,
  neuronImages,
  readOperands,
} from '@grok/metrics';
import type { AtlasMeasure, Subject } from '../measure.js';
import { cell, packValues, type TableRow } from '../tables.js';

/** Neurons of a run that are drawn, and of these those whose inputs are sought by ascent. */
const [STRONGEST, SOUGHT] = [12, 2];

/** A neuron and its strength: the deviation of its activation over rows times the norm of its output weights. */
interface Neuron {
  readonly block: number;
  readonly neuron: number;
  readonly strength: number;
}
/** A block's activations at the last position over all rows, `[rows, neurons]`. */
interface Layer {
  readonly block: number;
  readonly activations: HostArray;
}

/**
 * Table `kinds`: the share of each block's neurons that is dead, or specialized in the label, a or b. Table
 * `strongest`: the neurons with the largest effect, packed over (a, b), and their spectra over frequency pairs.
 */
export const neuronsMeasure: AtlasMeasure = {
  name: 'neurons',
  async measure(subject) {
    const { task } = subject;
    const layers = await readLayers(subject);
    const groupings = { label: task.labels, ...readPairs(subject) };
    const strongest = rankNeurons(subject, layers).slice(0, STRONGEST);
    const images = layers.flatMap((layer) => describeImages(subject, layer, strongest));
    return {
      kinds: layers.flatMap(({ block, activations }) => {
        const { count, dead, specialised } = describeNeurons(activations, { groupings });
        return Object.entries({ dead, ...specialised }).map(([kind, list]) => ({
          ...{ block, kind, share: cell(list.length / count), count },
        }));
      }),
      strongest: strongest.map(({ block, neuron, strength }, rank) => ({
        ...{ rank: rank + 1, block, neuron, strength: cell(strength) },
        name: `${rank + 1}: block ${block}, neuron ${neuron}`,
        ...images.find((image) => image.block === block && image.neuron === neuron)?.row,
      })),
    };
  },
};

/**
 * Table `sought`: activations of the strongest neurons on the inputs that gradient ascent finds and on random
 * ones, over that of the strongest row of all.
 */
export const soughtInputsMeasure: AtlasMeasure = {
  name: 'sought-inputs',
  async measure(subject) {
    const { task, model } = subject;
    const { a, b } = readPairs(subject);
    if (a === undefined || b === undefined) return {};
    const layers = await readLayers(subject);
    const both = new Set(b);
    const tokens = [...new Set(a)].filter((token) => both.has(token));
    const free = ['a', 'b'].map((place) => task.format?.indexOf(place) ?? -1);
    const [, positions = 0] = task.inputs.shape;
    const row = task.inputs.data.subarray(0, positions);
    const found: TableRow[] = [];
    for (const { block, neuron } of rankNeurons(subject, layers).slice(0, SOUGHT)) {
      const best = findLargest(layers, { block, neuron });
      const result = await ascendNeuron(model, { layer: block, neuron, row, free, tokens });
      const values = { 'found by ascent': result.found[0]?.activation, random: result.chance };
      found.push(
        ...Object.entries(values).map(([inputs, value]) => ({
          ...{ block, neuron, inputs, share: cell((value ?? Number.NaN) / best) },
        })),
      );
    }
    return { sought: found };
  },
};

function readPairs({ task }: Subject): Partial<ReturnType<typeof readOperands>> {
  return task.modular === undefined ? {} : readOperands(task, [...task.labels.keys()]);
}

async function readLayers({ model, task, readSites }: Subject): Promise<readonly Layer[]> {
  const rows = Int32Array.from(task.labels.keys());
  const layers: Layer[] = [];
  for (let block = 0; block < model.model.shape.layers; block++) {
    const site = getActName('post', block);
    if (!model.sites.some(({ name }) => name === site)) continue;
    const values = atPosition((await readSites([site], rows))(site), -1);
    const data = Float32Array.from(values.to1DArray());
    layers.push({
      block,
      activations: { data, shape: [values.rows, values.columns], dtype: 'float32' },
    });
  }
  return layers;
}

function rankNeurons({ model }: Subject, layers: readonly Layer[]): readonly Neuron[] {
  return layers
    .flatMap(({ block, activations }) => {
      const output = model.params[`blocks.${block}.mlp.W_out`];
      const width = output?.shape[1] ?? 0;
      return computeDeviations(activations).map((deviation, neuron) => {
        const weights = output?.data.subarray(neuron * width, (neuron + 1) * width) ?? [1];
        return { block, neuron, strength: deviation * Math.hypot(...weights) };
      });
    })
    .toSorted((x, y) => y.strength - x.strength);
}

function computeDeviations({ data, shape }: HostArray): readonly number[] {
  const [rows = 1, width = 0] = shape;
  const [sums, squares] = [new Float64Array(width), new Float64Array(width)];
  for (const [i, value] of data.entries()) {
    sums[i % width] = (sums[i % width] ?? 0) + value / rows;
    squares[i % width] = (squares[i % width] ?? 0) + value ** 2 / rows;
  }
  return Array.from(squares, (square, i) => Math.sqrt(Math.max(0, square - (sums[i] ?? 0) ** 2)));
}

function findLargest(
  layers: readonly Layer[],
  { block, neuron }: Pick<Neuron, 'block' | 'neuron'>,
): number {
  const { data, shape } = layers.find((layer) => layer.block === block)?.activations ?? {
    data: new Float32Array(),
    shape: [0, 1],
  };
  const [rows = 0, width = 1] = shape;
  let largest = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < rows; row++)
    largest = Math.max(largest, data[row * width + neuron] ?? largest);
  return largest;
}

/** Images of a block's neurons that are among the strongest; none for a task that is not modular. */
function describeImages(
  { task }: Subject,
  { block, activations }: Layer,
  strongest: readonly Neuron[],
): readonly { readonly block: number; readonly neuron: number; readonly row: TableRow }[] {
  const chosen = strongest.filter((it) => it.block === block).map(({ neuron }) => neuron);
  if (task.modular === undefined || chosen.length === 0) return [];
  const drawing = { rng: rng(0).split('atlas neurons'), neurons: chosen, permutations: 19 };
  const { p, neurons: images } = neuronImages(task, activations, drawing);
  return images.map((image) => ({ block, neuron: image.neuron, row: packImage(p, image) }));
}

function packImage(p: number, { image, spectrum }: NeuronImage): TableRow {
  const picture = packValues(
    'picture',
    image.map((value) => value ?? Number.NaN),
  );
  if (spectrum === null) return { p, ...picture };
  const { side, frequency, share, shares, null: chance } = spectrum;
  return {
    ...{ p, ...picture, side, frequency, share: cell(share), chance: cell(chance.share) },
    ...packValues('spectrum', shares),
  };
}
