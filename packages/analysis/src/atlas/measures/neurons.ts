/** What neurons do: how many are dead or speak of one thing, and pictures of the strongest over all pairs of operands. */
import type { HostArray } from '@grok/core';
import { getActName } from '@grok/interp';
import {
  atPosition,
  describeNeurons,
  gridPowers,
  layOutGrid,
  type NeuronFrequency,
  neuronFrequencies,
  type Powers,
  readOperands,
} from '@grok/metrics';
import { findGroup } from '../../compare.js';
import type { Measure, Subject } from '../measure.js';
import { cell, packValues, type TableRow } from '../tables.js';

/** Neurons of a run that are drawn. */
const STRONGEST = 12;

/** A neuron's activations at the last position over all rows. */
interface Neuron {
  readonly block: number;
  readonly neuron: number;
  readonly values: readonly number[];
  /** Standard deviation over rows times the norm of its output weights. */
  readonly strength: number;
}

/**
 * Table `kinds`: the share of each block's neurons that is dead, or specialized in the label, a or b. Table
 * `strongest`: the neurons with the largest effect, packed over (a, b), and their spectra over frequency pairs.
 */
export const neurons: Measure = {
  name: 'neurons',
  async measure(subject) {
    const { task, model } = subject;
    const rows = Int32Array.from(task.labels.keys());
    const groupings = {
      label: task.labels,
      ...(task.modular === undefined ? {} : readOperands(task, rows)),
    };
    const kinds: TableRow[] = [];
    const all: Neuron[] = [];
    const powers = new Map<number, Powers>();
    for (let block = 0; block < model.model.shape.layers; block++) {
      const activations = await readActivations(subject, block, rows);
      if (activations === undefined) continue;
      const { count, dead, specialised } = describeNeurons(activations, { groupings });
      const named = Object.entries({ dead, ...specialised });
      kinds.push(
        ...named.map(([kind, list]) => ({ block, kind, share: cell(list.length / count), count })),
      );
      all.push(...listNeurons(subject, block, activations.transpose().to2DArray()));
      const group = findGroup(task);
      if (group !== undefined)
        powers.set(block, gridPowers(layOutGrid(group, task, rows, toArray(activations))));
    }
    const strongest = all.toSorted((x, y) => y.strength - x.strength).slice(0, STRONGEST);
    return {
      kinds,
      strongest: strongest.map((neuron, rank) => ({
        ...{ rank: rank + 1, block: neuron.block, neuron: neuron.neuron },
        ...{ name: `${rank + 1}: block ${neuron.block}, neuron ${neuron.neuron}` },
        strength: cell(neuron.strength),
        ...describePicture(subject, neuron),
        ...describeSpectrum(neuron, powers.get(neuron.block)),
      })),
    };
  },
};

async function readActivations(
  { model, readSites }: Subject,
  block: number,
  rows: Int32Array,
): Promise<ReturnType<typeof atPosition> | undefined> {
  const site = getActName('post', block);
  if (!model.sites.some(({ name }) => name === site)) return undefined;
  return atPosition((await readSites([site], rows))(site), -1);
}

function listNeurons(
  { model }: Subject,
  block: number,
  columns: readonly (readonly number[])[],
): readonly Neuron[] {
  const output = model.params[`blocks.${block}.mlp.W_out`];
  const width = output?.shape[1] ?? 0;
  return columns.map((values, neuron) => {
    const weights = output?.data.subarray(neuron * width, (neuron + 1) * width) ?? [1];
    const norm = Math.sqrt([...weights].reduce((sum, w) => sum + w * w, 0));
    return { block, neuron, values, strength: norm * deviation(values) };
  });
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
}

/** The activation at every (a, b), a by a; empty for a task that is not modular. */
function describePicture({ task }: Subject, { values }: Neuron): TableRow {
  if (task.modular === undefined) return {};
  const { p } = task.modular;
  const { a, b } = readOperands(task, Int32Array.from(task.labels.keys()));
  const picture = new Float64Array(p * p).fill(Number.NaN);
  for (const [row, value] of values.entries()) picture[(a[row] ?? 0) * p + (b[row] ?? 0)] = value;
  return { p, ...packValues('picture', picture) };
}

/** The share of the neuron's variance at each pair of frequencies, and the one frequency that explains most of it. */
function describeSpectrum({ neuron }: Neuron, powers: Powers | undefined): TableRow {
  if (powers === undefined) return {};
  const side = powers.highest + 1;
  const total = powers.total(neuron);
  const shares = Array.from({ length: side * side }, (_, at) =>
    at === 0 ? 0 : powers.at(Math.floor(at / side), at % side, neuron) / total,
  );
  const { frequency, share } = neuronFrequencies(powers, powers.order)[neuron] ?? NO_FREQUENCY;
  return { side, frequency, frequencyShare: cell(share), ...packValues('spectrum', shares) };
}

const NO_FREQUENCY: NeuronFrequency = { frequency: 0, share: 0 };

function toArray(activations: ReturnType<typeof atPosition>): HostArray {
  const { rows, columns } = activations;
  return {
    shape: [rows, columns],
    dtype: 'float32',
    data: Float32Array.from(activations.to1DArray()),
  };
}
