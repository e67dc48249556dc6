/** What neurons do. */
import { type AtlasFigure, averageOverSeeds, collectRows, SHARE } from '../figure.js';
import { bars, choose, picture } from '../marks.js';
import { block, whose } from './columns.js';

const group = 'Neurons';
const neuron = { field: 'name', title: 'neuron' };
const readStrongest: AtlasFigure['data'] = (runs) => collectRows(runs, 'neurons', 'strongest');

const KINDS: Readonly<Record<string, string>> = {
  dead: 'dead',
  label: 'the answer',
  a: 'a',
  b: 'b',
};

/** Specialized and dead neurons. */
export const neuronKindsFigure: AtlasFigure = {
  id: 'neuron-kinds',
  group,
  title: 'Dead and specialized neurons',
  caption:
    'Share of neurons that say the same of every row (dead), and of those whose variance is explained by more than half by the answer or by one operand; means over seeds with 95 % t intervals. The measure of explained variance is 0 in the mean for a neuron that knows nothing, so chance is 0.',
  data: (runs) =>
    averageOverSeeds(collectRows(runs, 'neurons', 'kinds'), ['block', 'kind'], 'share', {
      bounds: SHARE,
    }).map((row) => ({ ...row, kind: KINDS[String(row.kind)] ?? row.kind ?? null })),
  draw: (rows, labels) =>
    bars({
      ...{ x: { field: 'kind', title: 'kind' }, labels },
      y: { field: 'value', title: 'share of neurons' },
      choices: choose(rows, [block]),
    }),
};

/** Neurons as pictures. */
export const neuronPicturesFigure: AtlasFigure = {
  id: 'neuron-pictures',
  group,
  title: 'Neurons as pictures',
  caption:
    'The activation at the last position for every pair of operands: all there is to know of the neuron. The 12 neurons with the largest effect (deviation over rows times the norm of the output weights). A neuron that knows nothing is noise without bands.',
  canvas: true,
  data: (runs) =>
    readStrongest(runs)
      .filter((row) => row.picture !== undefined)
      .map(({ spectrum, spectrumLow, spectrumHigh, side, ...row }) => row),
  draw: (rows) =>
    picture({
      ...{ packed: 'picture', side: 'p', x: 'b', y: 'a', value: 'activation' },
      choices: choose(rows, [...whose, neuron]),
    }),
};

/** Spectra of neurons. */
export const neuronSpectraFigure: AtlasFigure = {
  id: 'neuron-spectra',
  group,
  title: 'Spectra of neurons',
  caption:
    'Share of a neuron’s variance at each pair of frequencies of the operands (by discrete logarithm for products). Noise would spread it evenly: at modulus 97 each cell would have about .04 %. The share that one frequency explains, and that with permuted pairs, are in the data.',
  canvas: true,
  data: (runs) =>
    readStrongest(runs)
      .filter((row) => row.spectrum !== undefined)
      .map(({ picture, pictureLow, pictureHigh, p, ...row }) => row),
  draw: (rows) =>
    picture({
      ...{ packed: 'spectrum', side: 'side', value: 'share of variance' },
      ...{ x: 'frequency of b', y: 'frequency of a' },
      choices: choose(rows, [...whose, neuron]),
    }),
};

/** What neurons seek. */
export const soughtInputsFigure: AtlasFigure = {
  id: 'feature-visualization',
  group,
  title: 'Inputs that neurons seek',
  caption:
    'The activation of a run’s two strongest neurons on the best input that gradient ascent in embedding space finds, over that on the strongest of all rows: 1 where ascent finds it. Beside it the best of as many random inputs, which is chance; means with 95 % t intervals over neurons and seeds.',
  data: (runs) =>
    averageOverSeeds(collectRows(runs, 'sought-inputs', 'sought'), ['inputs'], 'share'),
  draw: (_, labels) =>
    bars({
      ...{ x: { field: 'inputs', title: 'inputs' }, labels },
      y: { field: 'value', title: 'share of the largest activation' },
    }),
};
