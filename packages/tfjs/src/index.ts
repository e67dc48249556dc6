/**
 * The one door to tfjs-core (Node): the whole API, with every gradient registered on the one engine.
 * tfjs-core must be evaluated before the gradients, hence the bare import first.
 */
import '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';

export * from '@tensorflow/tfjs-core';
