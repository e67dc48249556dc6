import '@tensorflow/tfjs-backend-cpu';
import { optimizerSuite } from '@grok/testing';
import { myOptimizer } from '../src/index.js';

optimizerSuite('my-optimizer', myOptimizer, { refuses: [{ learningRate: -1 }, { momentum: 1 }] });
