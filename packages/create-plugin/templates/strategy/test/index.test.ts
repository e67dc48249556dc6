import '@tensorflow/tfjs-backend-cpu';
import { strategySuite } from '@grok/testing';
import { myStrategy } from '../src/index.js';

strategySuite('my-strategy', myStrategy, { refuses: [{ scale: 0 }] });
