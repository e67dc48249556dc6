/** The figures of the atlas, in its order. */
import type { AtlasFigure } from './figure.js';
import {
  attentionFlowFigure,
  attentionModesFigure,
  entropyByPositionFigure,
  entropyFigure,
  flowEdgesFigure,
  modesFollowFigure,
  modesMatchedFigure,
  patternsFigure,
} from './figures/attention.js';
import { circuitFigure, matchedNeuronsFigure, overlapFigure } from './figures/circuits.js';
import {
  agreementFigure,
  gradientNormsFigure,
  hessianFigure,
  signalToNoiseFigure,
  termCosinesFigure,
} from './figures/gradients.js';
import {
  barriersFigure,
  connectionsFigure,
  lineFigure,
  planeFigure,
  sliceFigure,
  trajectoryFigure,
} from './figures/landscape.js';
import {
  neuronKindsFigure,
  neuronPicturesFigure,
  neuronSpectraFigure,
  soughtInputsFigure,
} from './figures/neurons.js';
import {
  activationPatchingFigure,
  directAttributionFigure,
  logitLensFigure,
  pathPatchingFigure,
} from './figures/patching.js';
import { ranksFigure } from './figures/ranks.js';
import {
  ckaArmsFigure,
  ckaFigure,
  procrustesFigure,
  stitchingFigure,
  svccaFigure,
} from './figures/similarity.js';
import { layoutsFigure, principalComponentsFigure, trajectoriesFigure } from './figures/states.js';
import { accuracyFigure, lossFigure } from './figures/training.js';
import {
  histogramsFigure,
  kurtosisFigure,
  magnitudesFigure,
  sparsityFigure,
  spectraFigure,
  weightRanksFigure,
} from './figures/weights.js';

/** All figures; those that nothing was measured for are left out of a page. */
export const atlasFigures: readonly AtlasFigure[] = [
  ...[accuracyFigure, lossFigure],
  ...[ckaFigure, ckaArmsFigure, svccaFigure, procrustesFigure, ranksFigure, stitchingFigure],
  ...[principalComponentsFigure, layoutsFigure, trajectoriesFigure],
  ...[entropyFigure, patternsFigure, entropyByPositionFigure],
  ...[
    attentionModesFigure,
    modesFollowFigure,
    modesMatchedFigure,
    attentionFlowFigure,
    flowEdgesFigure,
  ],
  ...[
    activationPatchingFigure,
    pathPatchingFigure,
    directAttributionFigure,
    logitLensFigure,
    circuitFigure,
    overlapFigure,
  ],
  ...[
    neuronKindsFigure,
    neuronPicturesFigure,
    neuronSpectraFigure,
    soughtInputsFigure,
    matchedNeuronsFigure,
  ],
  ...[
    magnitudesFigure,
    histogramsFigure,
    kurtosisFigure,
    sparsityFigure,
    spectraFigure,
    weightRanksFigure,
  ],
  ...[gradientNormsFigure, signalToNoiseFigure, agreementFigure, termCosinesFigure],
  ...[
    lineFigure,
    sliceFigure,
    planeFigure,
    trajectoryFigure,
    barriersFigure,
    connectionsFigure,
    hessianFigure,
  ],
];
