/** The figures of the atlas, in its order. */
import type { AtlasFigure } from './figure.js';
import {
  attentionFlow,
  attentionModes,
  entropy,
  entropyByPosition,
  flowEdges,
  modesFollow,
  modesMatched,
  patterns,
} from './figures/attention.js';
import { circuit, matchedNeurons, overlap } from './figures/circuits.js';
import {
  agreement,
  gradientNorms,
  hessian,
  signalToNoise,
  termCosines,
} from './figures/gradients.js';
import { barriers, connections, line, plane, slice, trajectory } from './figures/landscape.js';
import { neuronKinds, neuronPictures, neuronSpectra, soughtInputs } from './figures/neurons.js';
import {
  activationPatching,
  directAttribution,
  logitLens,
  pathPatching,
} from './figures/patching.js';
import { ranks } from './figures/ranks.js';
import { cka, ckaArms, procrustes, stitching, svcca } from './figures/similarity.js';
import { layouts, principalComponents, trajectories } from './figures/states.js';
import { accuracy, loss } from './figures/training.js';
import {
  histograms,
  kurtosis,
  magnitudes,
  sparsity,
  spectra,
  weightRanks,
} from './figures/weights.js';

/** All figures; those that nothing was measured for are left out of a page. */
export const atlasFigures: readonly AtlasFigure[] = [
  ...[accuracy, loss],
  ...[cka, ckaArms, svcca, procrustes, ranks, stitching],
  ...[principalComponents, layouts, trajectories],
  ...[entropy, patterns, entropyByPosition],
  ...[attentionModes, modesFollow, modesMatched, attentionFlow, flowEdges],
  ...[activationPatching, pathPatching, directAttribution, logitLens, circuit, overlap],
  ...[neuronKinds, neuronPictures, neuronSpectra, soughtInputs, matchedNeurons],
  ...[magnitudes, histograms, kurtosis, sparsity, spectra, weightRanks],
  ...[gradientNorms, signalToNoise, agreement, termCosines],
  ...[line, slice, plane, trajectory, barriers, connections, hessian],
];
