/** The conformance suite on libtensorflow if it was built; otherwise the error message. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isInputError } from '@grok/core';
import { backendSuite } from '@grok/testing';
import * as tf from '@grok/tfjs';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeGpu } from '../src/index.js';

const built = process.env.GROK_NODE_GPU;

describe('without the native package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'grok-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('says in one line how to install it (catches: a stack trace of module resolution)', async () => {
    const error = await Promise.resolve()
      .then(() => nodeGpu({ from: folder }))
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(isInputError(error)).toBe(true);
    const { message } = error as Error;
    expect(message).toContain('npm install @tensorflow/tfjs-node-gpu@4.22.0');
    expect(message).toContain(folder);
    expect(message).toContain('--backend node-gpu:from=FOLDER');
    expect(message).not.toContain('\n');
  });
});

describe.skipIf(!built)('GROK_NODE_GPU names a folder that has it (skipped without it)', () => {
  backendSuite('node-gpu', () => nodeGpu());

  it('loads beside the current backend (catches: tfjs-node making itself the current one)', async () => {
    const before = tf.getBackend();
    const backend = await nodeGpu();
    expect(tf.getBackend()).toBe(before);
    expect(backend.device).toMatch(/^tfjs-node-gpu 4\.22\.0, libtensorflow \d/);
    expect(process.env.TF_NUM_INTRAOP_THREADS).toBeUndefined();
    await backend.dispose();
  });
});
