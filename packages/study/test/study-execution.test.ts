/** What a study was started with holds for the whole of it, named or not. */
import { memoryStore } from '@grok/core';
import { expect, it } from 'vitest';
import { resolveStudyExecution, writeStudyExecution } from '../src/study-execution.js';

it('the backend that nobody named is kept too (catches: half a study on another one)', async () => {
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
