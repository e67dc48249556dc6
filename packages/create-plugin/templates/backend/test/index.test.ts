import { backendSuite } from '@grok/testing';
import { myBackend } from '../src/index.js';

// One thread adds in one order: where there are more, leave `repeats` out.
backendSuite('my-backend', () => myBackend(), { repeats: 0 });
