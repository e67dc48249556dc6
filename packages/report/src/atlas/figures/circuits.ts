/** The heads and neurons that keep the answer, and what of them a student shares with its teacher. */
import { type AtlasFigure, averageOverSeeds, collectRows, SHARE } from '../figure.js';
import { bars, choose } from '../marks.js';

const group = 'Causes';

/** Share of components in the circuit. */
export const circuitFigure: AtlasFigure = {
  id: 'circuit',
  group,
  title: 'Size of the circuit',
  caption:
    'Share of a block’s heads and neurons that keeps 90 % of the logit difference while all else gives its mean, 1-minimal; means over seeds with 95 % t intervals. A model that used all alike would need 90 % of them.',
  data: (runs) => {
    const parts = collectRows(runs, 'circuit', 'components').map((row) => ({
      ...row,
      part: `block ${row.block}, ${row.kind}s`,
    }));
    const shares = averageBySeed(parts, 'part', 'member');
    return averageOverSeeds(shares, ['part'], 'member', { bounds: SHARE });
  },
  draw: (_, labels) =>
    bars({
      ...{ x: { field: 'part', title: 'components' }, labels, domain: [0, 1] },
      y: { field: 'value', title: 'share in the circuit' },
    }),
};

function averageBySeed(
  rows: ReturnType<typeof collectRows>,
  key: string,
  column: string,
): ReturnType<typeof collectRows> {
  const seeds = [...new Set(rows.map(({ seed }) => seed ?? null))];
  return seeds.flatMap((seed) =>
    averageOverSeeds(
      rows.filter((row) => row.seed === seed),
      [key],
      column,
    ).map(({ run = null, [key]: name = null, value = null }) => ({
      ...{ run, seed, [key]: name, [column]: value },
    })),
  );
}

/** Overlap with the teacher's circuit. */
export const overlapFigure: AtlasFigure = {
  id: 'circuit-overlap',
  group,
  title: 'Overlap with the teacher’s circuit',
  caption:
    'Jaccard index of the members and rank correlation of all effects, neurons matched by the correlation of their activations; means over seeds with 95 % t intervals. The mark across a bar is what circuits of the same size give when members are permuted within layers.',
  data: (runs) =>
    averageOverSeeds(
      collectRows(runs, 'overlap', 'overlap').map((row) => ({
        ...row,
        statistic: row.statistic === 'jaccard' ? 'Jaccard index' : 'rank correlation',
      })),
      ['statistic'],
      'value',
      { chance: 'chance' },
    ),
  draw: (_, labels) =>
    bars({
      ...{ x: { field: 'statistic', title: 'statistic' }, labels },
      y: { field: 'value', title: 'overlap' },
    }),
};

/** How well neurons find a partner. */
export const matchedNeuronsFigure: AtlasFigure = {
  id: 'matched-neurons',
  group: 'Neurons',
  title: 'Neurons matched with the teacher’s',
  caption:
    'Share of a student’s neurons by the absolute correlation of their activations with those of their partner in the teacher; means over seeds with 95 % t intervals. The control, whose teacher never taught it, shows what matching alone gives.',
  data: (runs) => {
    const binned = collectRows(runs, 'overlap', 'neurons').flatMap((row) =>
      BINS.map((bin) => ({
        ...{ run: row.run ?? null, seed: row.seed ?? null, block: row.block ?? null, bin },
        inside: findBin(Number(row.correlation)) === bin ? 1 : 0,
        key: `${row.block} ${bin}`,
      })),
    );
    return averageOverSeeds(averageBySeed(binned, 'key', 'inside'), ['key'], 'inside', {
      bounds: SHARE,
    }).map(({ key, ...row }) => {
      const [block = '', ...bin] = String(key).split(' ');
      return { ...row, block: Number(block), bin: bin.join(' ') };
    });
  },
  draw: (rows, labels) =>
    bars({
      ...{ x: { field: 'bin', title: 'correlation' }, labels },
      y: { field: 'value', title: 'share of neurons' },
      choices: choose(rows, [{ field: 'block', title: 'block' }]),
    }),
};

const BINS = ['0 to .2', '.2 to .4', '.4 to .6', '.6 to .8', '.8 to 1'];
const findBin = (correlation: number): string =>
  BINS[Math.min(BINS.length - 1, Math.floor(Math.abs(correlation) * BINS.length))] ?? '';
