/** Probes and analyses of training runs; the functions behind them work on plain data. */
import { definePlugin, type Plugin } from '@grok/core';
import * as probes from './probes/index.js';

export * from './alignment.js';
export * from './attention.js';
export * from './attention-flow.js';
export * from './attention-modes.js';
export * from './cca.js';
export { cka, debiasedCka } from './cka.js';
export * from './cka-matrix.js';
export * from './cka-test.js';
export {
  type Association,
  associate,
  type ClusterOptions,
  type Clusters,
  kMeans,
  silhouette,
} from './clusters.js';
export * from './curves.js';
export * from './embedding.js';
export * from './fourier.js';
export * from './frequencies.js';
export * from './geometry.js';
export * from './gradients.js';
export * from './layout.js';
export * from './modular.js';
export * from './neuron-images.js';
export * from './neurons.js';
export * from './norms.js';
export * from './pca.js';
export * from './progress.js';
export * from './published.js';
export * from './rank.js';
export { atPosition, type Rows, singularValues, toMatrix } from './rows.js';
export { gini } from './sample.js';
export * from './score.js';
export * from './spectrum.js';
export * from './trajectories.js';
export * from './tsne.js';
export * from './umap.js';
export * from './weights.js';
export { probes };

/** Probes, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/metrics',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: Object.values(probes),
});
export default plugin;
