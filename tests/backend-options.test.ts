/** A backend's own options: passed from the specification to its `create`, and kept by a resumed run. */
import wasmPlugin, { wasm } from '@grok/backend-wasm';
import {
  buildSpecSchema,
  type ComponentDefinition,
  createRegistry,
  experimentHash,
  type Host,
  memoryStore,
  type RunEvent,
  readConfig,
  resumeRun,
  startRun,
} from '@grok/core';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';
import { expect, test } from 'vitest';

const experiment = {
  task: { use: 'add', options: { p: 7 } },
  model: { use: 'transformer', options: { dim: 8, depth: 1, heads: 1 } },
  optimizer: { use: 'adamw' },
  ...{ batch: 12, epochs: 1, seed: 1 },
};
const seen: unknown[] = [];
const registry = createRegistry([data, model, optim, wasmPlugin]);
registry.add({
  ...{ name: 'grok-picky', version: '1.2.3', core: '>=0.1.0 <1' },
  components: [
    {
      ...{ kind: 'backend', name: 'picky', summary: 'Needs a key.' },
      options: {
        type: 'object',
        properties: { key: { type: 'string' }, deep: { type: 'boolean', default: true } },
        required: ['key'],
        additionalProperties: false,
      },
      create(options: unknown, host: Host) {
        seen.push(options);
        return wasm.create({}, host);
      },
    } as ComponentDefinition,
  ],
});
const execution = { backend: 'picky', backendOptions: { key: 'a' }, threads: 2 };

test('reach its create, checked and filled in (catches: a required option that nobody can set)', async () => {
  const store = memoryStore();
  const { manifest } = await startRun({ experiment, execution }, { registry, store });
  expect(seen.at(-1)).toEqual({ key: 'a', deep: true });
  expect(manifest.run).toBe(experimentHash(experiment as never));
  expect(manifest.execution.backendOptions).toEqual({ key: 'a' });
  expect((await readConfig(store)).execution.backendOptions).toEqual({ key: 'a' });
});

test('that are missing or unknown are refused before anything is written', async () => {
  const refused = async (backendOptions: object, rule: string): Promise<void> => {
    const store = memoryStore();
    const spec = { experiment, execution: { ...execution, backendOptions } };
    await expect(startRun(spec, { registry, store })).rejects.toThrow(rule);
    expect(await store.list('')).toEqual([]);
  };
  await refused({}, 'backend "picky": option "key"');
  await refused({ key: 'a', kye: 1 }, 'backend "picky": unknown option "kye": did you mean "key"');
});

test('are kept by a resumed run, which accepts no others (catches: a run on two backends)', async () => {
  const store = memoryStore();
  const stop = new AbortController();
  const listener = (event: RunEvent): void => {
    if (event.type === 'step') stop.abort();
  };
  const host = { registry, store, listeners: [listener] };
  await startRun({ experiment, execution }, { ...host, signal: stop.signal });
  await expect(resumeRun(host, { backendOptions: { key: 'b' } })).rejects.toThrow(
    'run was started with backendOptions={"key":"a"}; resuming with backendOptions={"key":"b"} would not be bit-exact',
  );
  seen.length = 0;
  expect((await resumeRun(host)).status).toBe('finished');
  expect(seen).toEqual([{ key: 'a', deep: true }]);
});

test('are completed by editors', () => {
  const { allOf } = buildSpecSchema(registry).properties!.execution!;
  expect(JSON.stringify(allOf)).toContain(
    '"then":{"properties":{"backendOptions":{"type":"object","properties":{"key":',
  );
});
