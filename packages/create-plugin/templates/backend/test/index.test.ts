import { backendSuite } from '@grok/testing';
import { myBackend } from '../src/index.js';

// A single thread is bit-exact anyway; with more threads, remove `repeats`.
backendSuite('my-backend', () => myBackend(), { repeats: 0 });
