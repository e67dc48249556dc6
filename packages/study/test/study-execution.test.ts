/** The recorded settings of a study apply to all of it. */
import { memoryStore } from '@grok/core';
import { expect, it } from 'vitest';
import { resolveStudyExecution, writeStudyExecution } from '../src/study-execution.js';

it('a default backend is recorded too (catches: half of a study on another backend)', async () => {
  const root = memoryStore('s');
  await writeStudyExecution(root, { threads: 1 });
  expect(await resolveStudyExecution(root, { defaults: { backend: 'wasm' } })).toEqual({
    backend: 'onnx',
    threads: 1,
  });
  await expect(
    resolveStudyExecution(root, { execution: { backend: 'wasm' } }),
  ).rejects.toMatchObject({
    message: expect.stringContaining('s: study was started with backend=onnx'),
    code: 'contradicts-recorded',
  });
});
