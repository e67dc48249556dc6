/** `--backend name:key=value`: a backend's own options from the command line and `GROK_BACKEND`. */
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bench, configIn, root, TINY } from './helpers.js';

const RULES = 'onnx:rules={"rope":false}';
const at = bench();
const byEnv = bench({ GROK_BACKEND: RULES });
afterAll(() => {
  at.remove();
  byEnv.remove();
});

test('are written down, and kept by a run that goes on (a second backend in one run)', async () => {
  const args = ['train', ...TINY.slice(0, -1), '--backend', RULES, '--out', 'run'];
  expect((await at.stopped((text) => /epoch 1\/2/.test(text), ...args)).code).toBe(130);
  const { execution } = configIn(at)('run');
  expect(execution).toMatchObject({ backend: 'onnx', backendOptions: { rules: { rope: false } } });
  const other = await at.grok('resume', 'run', '--backend', 'onnx:rules={"rope":true}');
  expect([other.code, other.err]).toEqual([
    2,
    expect.stringContaining('run was started with backendOptions='),
  ]);
  const resumed = await at.grok('resume', 'run', '--backend', 'onnx');
  expect(resumed.code, resumed.err).toBe(0);
  const again = await at.grok(...args);
  expect(again.out, again.err).toContain('already finished');
});

test('stay with their backend when another is named (options of one handed to another)', async () => {
  const plain = await byEnv.grok('train', ...TINY, '--out', 'plain');
  expect(plain.code, plain.err).toBe(0);
  expect(configIn(byEnv)('plain').execution.backendOptions).toEqual({ rules: { rope: false } });
  const named = await byEnv.grok('train', ...TINY, '--backend', 'wasm', '--out', 'named');
  expect(named.code, named.err).toBe(0);
  const judged = await at.grok('eval', 'run', '--backend', 'wasm', '--json');
  expect(judged.code, judged.err).toBe(0);
  expect(judged.json<{ backend: string }>().backend).toBe('wasm');
  const { backends } = (await byEnv.grok('doctor', '--json')).json<{
    backends: { name: string; isDefault: boolean; available: boolean }[];
  }>();
  expect(backends[0]).toMatchObject({ name: 'onnx', isDefault: true, available: true });
});

test('doctor lists a plugin’s backend too (a backend that no command could look at)', async () => {
  const { backends } = (
    await at.grok('doctor', '--plugin', join(root, 'examples/gallery'), '--json')
  ).json<{
    backends: { name: string; available: boolean }[];
  }>();
  expect(backends).toContainEqual(expect.objectContaining({ name: 'counted', available: true }));
});
