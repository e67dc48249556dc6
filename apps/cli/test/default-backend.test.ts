/** What computes where nothing names a backend: onnxruntime where it is installed, else WebAssembly. */
import { describe, expect, it } from 'vitest';
import { requestExecution } from '../src/spec.js';

const io = { env: {} };
const byEnv = { env: { GROK_BACKEND: 'node-gpu' } };

describe('a run that names no backend', () => {
  it('computes on wasm without onnxruntime, and offers onnxruntime', () => {
    // Catches: a small installation whose first run fails for want of a package.
    const { defaults, advice } = requestExecution({}, {}, io, false);
    expect(defaults.backend).toBe('wasm');
    expect(advice).toContain('npm install onnxruntime-node');
  });
  it('is left to the default where onnxruntime is installed', () => {
    // Catches: a backend written into runs that named none.
    const { defaults, advice } = requestExecution({}, {}, io, true);
    expect([defaults.backend, advice]).toEqual([undefined, undefined]);
  });
});

describe('a backend that is named', () => {
  it.each([
    ['a flag', {}, { backend: 'onnx' }, io, undefined],
    ['the environment', {}, {}, byEnv, 'node-gpu'],
    ['a file', { backend: 'onnx' }, {}, io, 'onnx'],
  ])('by %s stays, with nothing offered', (_, file, flags, { env }, backend) => {
    // Catches: what is asked for overruled by what is installed.
    const { explicit, defaults, advice } = requestExecution(file, flags, { env }, false);
    expect(explicit.backend ?? defaults.backend).toBe(backend ?? 'onnx');
    expect(advice).toBeUndefined();
  });
});
