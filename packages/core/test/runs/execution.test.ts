/** Where execution settings come from, and which of them a started run may not change. */
import { resolveExecution } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';

describe('a new run', () => {
  it('prefers flags over the environment over a file over defaults (catches: any two swapped)', () => {
    const sources = {
      defaults: { backend: 'a', threads: 1, checkpointEvery: 1, out: 'a' },
      file: { backend: 'b', threads: 2, checkpointEvery: 2 },
      env: { backend: 'c', threads: 3 },
      flags: { backend: 'd' },
    };
    expect(resolveExecution(sources)).toEqual({
      backend: 'd',
      threads: 3,
      checkpointEvery: 2,
      out: 'a',
    });
  });

  it('drops backend options when another backend is named, and keeps them for the same one', () => {
    const file = { backend: 'wasm', backendOptions: { simd: true } };
    expect(resolveExecution({ file, flags: { backend: 'onnx' } })).toEqual({ backend: 'onnx' });
    expect(resolveExecution({ file, flags: { backend: 'wasm' } })).toEqual(file);
    expect(resolveExecution({ file, flags: { threads: 2 } })).toEqual({ ...file, threads: 2 });
    const unnamed = { backendOptions: { key: 1 } }; // options of the default backend
    expect(resolveExecution({ file: unnamed, env: { backend: 'onnx' } })).toEqual({
      backend: 'onnx',
      ...unnamed,
    });
  });
});

describe('a recorded execution', () => {
  const recorded = {
    subject: 'run',
    where: 'runs/x',
    requested: { backend: 'alias', threads: 8, checkpointEvery: 5 },
    used: { backend: 'wasm', threads: 1 },
  } as const;

  it('overrides the environment, files and defaults', () => {
    const other = { backend: 'onnx', threads: 2, checkpointEvery: 9 };
    expect(resolveExecution({ recorded, env: other, file: other, defaults: other })).toEqual({
      backend: 'wasm',
      threads: 1,
      checkpointEvery: 5,
    });
  });

  it('accepts flags that match the requested or used settings, or that do not affect the bits', () => {
    const trackers = [{ use: 'csv' }];
    for (const flags of [{ threads: 8 }, { threads: 1 }, { backend: 'alias' }])
      expect(resolveExecution({ recorded, flags })).toMatchObject(recorded.used);
    const free = { checkpointEvery: 2, trackers };
    expect(resolveExecution({ recorded, flags: free })).toEqual({ ...recorded.used, ...free });
  });

  it.each([
    [
      { threads: 4 },
      'runs/x: run was started with threads=1; resuming with threads=4 would not be bit-exact; use --threads 1, or use a new --out folder',
    ],
    [
      { backend: 'onnx' },
      'runs/x: run was started with backend=wasm; resuming with backend=onnx would not be bit-exact; use --backend wasm, or use a new --out folder',
    ],
    [
      { backendOptions: { key: 'b' } },
      'runs/x: run was started with backendOptions={}; resuming with backendOptions={"key":"b"} would not be bit-exact; leave them out, or use a new --out folder',
    ],
  ])('refuses %j', (flags, message) => {
    expect(() => resolveExecution({ recorded, flags })).toThrow(
      expect.objectContaining({ message, code: 'contradicts-recorded' }),
    );
  });

  it('applies to studies', () => {
    const study = { ...recorded, subject: 'study' } as const;
    expect(() => resolveExecution({ recorded: study, flags: { threads: 4 } })).toThrow(
      'runs/x: study was started with threads=1',
    );
  });
});
