/** The exporter `onnx` in a browser: the file computes the same in onnxruntime-web. */
import * as ort from 'onnxruntime-web/wasm';
import { expect, test } from 'vitest';
import { largestDistance, MODELS } from './exported/model.js';

test.each(Object.entries(MODELS))(
  'a model %s has equal values at every site',
  async (_, options) => {
    // Catches: an operator or a type that onnxruntime-web lacks.
    expect((await largestDistance(ort, options, 3)).distance).toBeLessThan(1e-5);
  },
);
