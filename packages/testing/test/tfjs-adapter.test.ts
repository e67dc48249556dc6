/** The adapter of tfjs backends on tfjs's plain JavaScript backend, which keeps and returns arrays by reference. */
import '@tensorflow/tfjs-backend-cpu';
import { tfjsAdapter } from '@grok/core';
import { createBackend } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { afterEach, expect, it } from 'vitest';
import { backendSuite } from '../src/index.js';

// Suppresses tfjs's advice to install a faster backend.
tf.env().set('IS_TEST', true);

const timeouts = new Map<string, number>();
afterEach(({ task }) => void timeouts.set(task.name, task.timeout));

backendSuite(
  'cpu',
  async () =>
    createBackend(
      'cpu',
      await tfjsAdapter({ tfjs: 'cpu', device: 'tfjs 4.22.0, cpu', threads: 1, bitExact: true }),
    ),
  { repeats: 2 },
);

it('gives repetitions enough time (catches: a runner’s default of 5 s)', () => {
  const [, timeout] = [...timeouts].find(([name]) => name.includes('2 times alike'))!;
  expect(timeout).toBe(62_000);
});
