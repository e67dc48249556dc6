import { backendSuite } from '@grok/testing';
import { wasm } from '../src/index.js';

backendSuite('wasm', () => wasm());
