/**
 * The only entry to tfjs-core in Node: the whole API, with every gradient registered on the one
 * engine. tfjs-core must be evaluated before the gradients, so the bare import comes first.
 */
import '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';

export * from '@tensorflow/tfjs-core';
