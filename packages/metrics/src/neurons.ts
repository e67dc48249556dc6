/** Neurons that never speak, and neurons that speak of one thing. */
import { InputError } from '@grok/core';
import { chooseTolerance, isConstant } from '@grok/core/internal';
import { type Rows, toMatrix } from './rows.js';
import { average } from './sample.js';

/** Dead and specialized neurons of a layer. */
export interface NeuronReport {
  readonly count: number;
  /** Neurons whose activation does not vary by more than `dead` times the layer's root mean square. */
  readonly dead: readonly number[];
  /**
   * For each grouping, the neurons whose variance it explains above the threshold and better than other
   * groupings.
   */
  readonly specialised: Readonly<Record<string, readonly number[]>>;
  /** For each grouping, its share of each neuron's variance (ε², may be negative). */
  readonly explained: Readonly<Record<string, readonly number[]>>;
}

/**
 * Dead and specialized neurons of activations `[rows, neurons]`. A neuron is dead if its activations are
 * constant to within `dead` (1e-3) times the RMS of the whole layer; this works for ReLU and gated units. A
 * neuron is specialized in a grouping of the rows (by label, by a, by b: an integer per row) if the group
 * explains more than `specialised` (.5) of its variance. The measure is ε² = 1 − (1 − η²)(n − 1)/(n − k), which
 * is 0 on average for an unrelated neuron, where plain η² is (k − 1)/(n − 1).
 * @throws InputError on a grouping of another length.
 */
export function describeNeurons(
  activations: Rows,
  options: {
    groupings?: Readonly<Record<string, ArrayLike<number>>>;
    dead?: number;
    specialised?: number;
  } = {},
): NeuronReport {
  const { groupings = {}, dead = 1e-3, specialised = 0.5 } = options;
  const columns = toMatrix(activations).transpose().to2DArray();
  const rows = columns[0]?.length ?? 0;
  for (const [name, groups] of Object.entries(groupings))
    if (groups.length !== rows)
      throw new InputError(
        `grouping "${name}": ${groups.length} rows, the activations have ${rows}`,
      );
  const square = columns.reduce((sum, c) => sum + c.reduce((s, v) => s + v * v, 0), 0);
  const rms = Math.sqrt(square / (rows * columns.length));
  const isDead = new Set(
    columns.flatMap((column, i) => (halfRange(column) <= dead * rms ? [i] : [])),
  );
  const explained = Object.fromEntries(
    Object.entries(groupings).map(([name, groups]) => [
      name,
      columns.map((column) => explainedShare(column, groups)),
    ]),
  );
  const best = columns.map((_, i) => {
    const [first] = Object.entries(explained)
      .map(([name, { [i]: share = 0 }]) => ({ name, share }))
      .filter(({ share }) => share > specialised && !isDead.has(i))
      .toSorted((a, b) => b.share - a.share);
    return first?.name;
  });
  return {
    count: columns.length,
    dead: [...isDead],
    specialised: Object.fromEntries(
      Object.keys(groupings).map((name) => [
        name,
        best.flatMap((grouping, i) => (grouping === name ? [i] : [])),
      ]),
    ),
    explained,
  };
}

/** Distance of the values from the middle between the least and the largest. */
function halfRange(values: readonly number[]): number {
  const [low, high] = values.reduce(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  return (high - low) / 2;
}

/** ε² of a one-way analysis of variance; 0 for a constant, and if every row is its own group. */
export function explainedShare(
  values: ArrayLike<number> & Iterable<number>,
  groups: ArrayLike<number>,
): number {
  const n = values.length;
  const members = new Map<number, number[]>();
  for (const [i, value] of Array.from(values).entries()) {
    const key = groups[i]!;
    const group = members.get(key);
    if (group === undefined) members.set(key, [value]);
    else group.push(value);
  }
  const all = scatter(Array.from(values));
  const within = [...members.values()].reduce((sum, group) => sum + scatter(group), 0);
  if (n === members.size || isConstant(values, chooseTolerance(values))) return 0;
  return 1 - ((within / all) * (n - 1)) / (n - members.size);
}

/** Σ of squared distances from the mean. */
function scatter(values: readonly number[]): number {
  const mean = average(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}
