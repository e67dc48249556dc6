import {
  type Experiment,
  isInputError,
  isRunError,
  type Manifest,
  type MetricsRow,
  memoryStore,
  readConfig,
  readManifest,
  readMetrics,
  type Store,
} from '@grok/core';
import {
  appendEvent,
  appendMetrics,
  type Checkpoint,
  checkpointFile,
  cutBack,
  encodeCheckpoint,
  findConfig,
  listCheckpoints,
  newestCheckpoint,
  paramsSha256,
  readCheckpoint,
  readEvents,
  saveCheckpoint,
  writeAnalysis,
  writeConfig,
  writeManifest,
} from '@grok/core/internal';
import { describe, expect, it } from 'vitest';

const experiment: Experiment = {
  task: { use: 'div', options: { p: 23 } },
  model: { use: 'transformer' },
  optimizer: { use: 'adamw', options: { learningRate: 1e-3 } },
  batch: 64,
  epochs: 30,
  seed: 1,
};
const HASH = '0123456789abcdef'.repeat(4);
const row = (epoch: number): MetricsRow => ({
  epoch,
  step: epoch * 10,
  train: { loss: 1 / epoch, accuracy: 0.5 },
  terms: { hard: 0.1 + 0.2 },
  validation: { loss: 1, accuracy: 0.25 },
  time: { seconds: 0.5 },
});
const manifest: Manifest = {
  format: 'grok manifest 1',
  run: HASH,
  slug: 'div23',
  status: 'finished',
  parameters: 1,
  epoch: 3,
  step: 30,
  splitHash: HASH,
  seeds: { seed: 1, splitSeed: 1 },
  backend: 'b',
  device: 'd',
  threads: 1,
  execution: {},
  versions: {},
  seconds: 1.5,
};
const checkpoint = (step: number): Checkpoint => ({
  run: 'c'.repeat(64),
  params: { w: { shape: [1], dtype: 'float32', data: Float32Array.of(step) } },
  state: {},
  position: { epoch: step / 10, batch: 0, step, sums: { loss: 0, correct: 0, terms: {} } },
});
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = async (store: Store, path: string): Promise<string> =>
  new TextDecoder().decode(await store.read(path));
const failure = async (action: Promise<unknown>): Promise<Error> =>
  action.then(
    () => expect.unreachable('must fail'),
    (error: Error) => error,
  );

describe('config.json', () => {
  it('reads back with the experiment’s hash as the run id', async () => {
    // Catches: an experiment changed on its way to disk.
    const store = memoryStore();
    expect(await findConfig(store)).toBeUndefined();
    const written = await writeConfig(store, experiment);
    expect(await readConfig(store)).toEqual(written);
    expect(written.experiment).toEqual(experiment);
    expect(written.run).toMatch(/^[0-9a-f]{64}$/);
    expect(await text(store, 'config.json')).toContain('\n  "experiment": {\n');
  });

  it('is bad input when missing, foreign, edited or not JSON, and the error names the folder', async () => {
    // Catches: somebody's own config.json overwritten or trained on; an edit mixed in by resume.
    const store = memoryStore('runs/x');
    const missing = await failure(readConfig(store));
    expect(missing.message).toBe(
      'runs/x: not a run folder (config.json missing); give the folder of a run',
    );
    expect(isInputError(missing)).toBe(true);
    const foreign = {
      '{"name":"vite"}': 'key "format": is missing (must be "grok run 2")',
      null: 'must be an object, got null',
      '[]': 'must be an object, got []',
      '"x"': 'must be an object, got "x"',
      '{"format":"grok run 2"}': 'key "run": is missing (must be a text)',
    };
    for (const [content, problem] of Object.entries(foreign)) {
      await store.write('config.json', bytes(content));
      const error = await failure(readConfig(store));
      expect(isInputError(error)).toBe(true);
      expect(error.message).toContain(`runs/x/config.json: line 1: ${problem}`);
      expect(error.message).toMatch(/; give the folder of a run$/);
    }
    await store.write('config.json', bytes('{"format":'));
    expect((await failure(findConfig(store))).message).toContain(
      'runs/x/config.json: must be JSON',
    );
    await writeConfig(store, experiment);
    await store.write(
      'config.json',
      bytes((await text(store, 'config.json')).replace('"seed": 1', '"seed": 2')),
    );
    expect((await failure(readConfig(store))).message).toContain('was edited');
  });

  it('refuses values that JSON would change silently', async () => {
    // Catches: a learning rate of NaN stored as null.
    const bad = { ...experiment, optimizer: { use: 'adamw', options: { lr: Number.NaN } } };
    await expect(writeConfig(memoryStore(), bad)).rejects.toThrow('optimizer.options.lr: NaN');
  });
});

describe('manifest, metrics and events', () => {
  it('read back as written', async () => {
    // Catches: rounding through JSON; rows that run together.
    const store = memoryStore();
    expect(await readManifest(store)).toBeUndefined();
    await writeManifest(store, { ...manifest, status: 'running' });
    await writeManifest(store, manifest);
    expect(await readManifest(store)).toEqual(manifest);
    await writeAnalysis(store, 'cka', 'end', { value: 0.1 + 0.2 });
    expect(JSON.parse(await text(store, 'analysis/cka-end.json'))).toEqual({ value: 0.1 + 0.2 });
    expect(await readMetrics(store)).toEqual([]);
    for (const epoch of [1, 2, 3]) await appendMetrics(store, row(epoch));
    expect(await readMetrics(store)).toEqual([row(1), row(2), row(3)]);
    await appendEvent(store, { type: 'notice', message: 'two\nlines' });
    expect(await readEvents(store)).toEqual([{ type: 'notice', message: 'two\nlines' }]);
  });

  it('an invalid manifest’s error says that the run can continue without it', async () => {
    // Catches: "restore it" as the only advice, when the run's other files are enough to continue.
    const store = memoryStore('runs/x');
    for (const bad of ['{"a":', '{}', 'null']) {
      await store.write('manifest.json', bytes(bad));
      const error = await failure(readManifest(store));
      expect(isInputError(error)).toBe(true);
      expect(error.message).toMatch(/^runs\/x\/manifest.json: .* remove it and resume the run$/);
    }
  });

  it('drop a partial last line and name a bad one', async () => {
    // Catches: a run that cannot be read or resumed because it was killed while writing a line.
    const store = memoryStore('runs/x');
    await appendMetrics(store, row(1));
    await store.append('metrics.jsonl', bytes('{"epoch":2,"st'));
    expect(await readMetrics(store)).toEqual([row(1)]);
    await store.append('metrics.jsonl', bytes('\n'));
    const error = await failure(readMetrics(store));
    expect(isRunError(error)).toBe(true);
    expect(error.message).toContain('runs/x/metrics.jsonl: line 2 is not JSON');
  });
});

describe('cutBack', () => {
  it('truncates metrics and events to the checkpoint, including a partial last line', async () => {
    // Catches: epochs listed twice after a resume; a partial line joined with the next row.
    for (const torn of ['', '{"epoch":4', '{"epoch":4,"é']) {
      const store = memoryStore();
      for (const epoch of [1, 2, 3]) {
        await appendMetrics(store, row(epoch));
        await appendEvent(store, { type: 'step', epoch, step: epoch * 10, loss: 1 });
        await appendEvent(store, { type: 'epoch', row: row(epoch) });
        await appendEvent(store, { type: 'notice', message: `é after ${epoch}` });
      }
      await store.append('metrics.jsonl', bytes(torn));
      await store.append('events.jsonl', bytes(torn));
      await cutBack(store, 20);
      expect(await text(store, 'metrics.jsonl')).toBe(
        [row(1), row(2)].map((r) => `${JSON.stringify(r)}\n`).join(''),
      );
      const events = await readEvents(store);
      expect(events).toHaveLength(6);
      expect(events.at(-1)).toEqual({ type: 'notice', message: 'é after 2' });
      await appendMetrics(store, row(3));
      expect(await readMetrics(store)).toEqual([row(1), row(2), row(3)]);
    }
  });

  it('goes to the start without a checkpoint, and does nothing in an empty folder', async () => {
    // Catches: rows of the first attempt kept when a run starts over at step 0.
    const store = memoryStore();
    await cutBack(store, 0);
    expect(await store.list('')).toEqual([]);
    const from = { epoch: 0, step: 0 };
    await appendEvent(store, {
      type: 'start',
      run: HASH,
      parameters: 1,
      epochs: 3,
      stepsPerEpoch: 10,
      from,
      backend: 'b',
      device: 'd',
    });
    await appendMetrics(store, row(1));
    await appendEvent(store, { type: 'epoch', row: row(1) });
    await cutBack(store, 0);
    expect(await readMetrics(store)).toEqual([]);
    expect((await readEvents(store)).map(({ type }) => type)).toEqual(['start']);
  });

  it('removes later checkpoints that were skipped', async () => {
    // Catches: a damaged later file kept among "the newest two", so that only one good one remains.
    const store = memoryStore();
    for (const step of [100, 200, 300])
      await store.write(checkpointFile(step), encodeCheckpoint(checkpoint(step)));
    await cutBack(store, 100);
    expect(await listCheckpoints(store)).toEqual([100]);
  });
});

describe('checkpoints', () => {
  it('keep the newest two and the pinned ones', async () => {
    // Catches: the last good one removed before its successor is verified; pins lost after a
    // resume.
    const store = memoryStore();
    const kept: (readonly number[])[] = [];
    for (const step of [100, 200, 300, 400, 1_000_000, 1_000_100]) {
      const file = await saveCheckpoint(store, checkpoint(step), { pinned: step === 200 });
      expect(file).toBe(checkpointFile(step));
      kept.push(await listCheckpoints(store));
    }
    expect(kept).toEqual([
      [100],
      [100, 200],
      [200, 300],
      [200, 300, 400],
      [200, 400, 1_000_000],
      [200, 1_000_000, 1_000_100],
    ]);
    expect(checkpointFile(900)).toBe('checkpoints/step-000900.safetensors');
    expect((await readCheckpoint(store, 200)).position.step).toBe(200);
    await saveCheckpoint(store, checkpoint(200)); // saved again, now without the pin
    await saveCheckpoint(store, checkpoint(1_000_200));
    expect(await listCheckpoints(store)).toContain(200);
  });

  it('record a pin before the file', async () => {
    // Catches: killed between the two, a resumed run is past the crossing and never pins it.
    const store = memoryStore();
    const order: string[] = [];
    const watched: Store = {
      ...store,
      write: (path, data) => {
        order.push(path);
        return store.write(path, data);
      },
    };
    await saveCheckpoint(watched, checkpoint(100), { pinned: true });
    expect(order).toEqual(['checkpoints/pinned.json', checkpointFile(100)]);
  });

  it('are skipped when damaged, with name and reason', async () => {
    // Catches: a resume that fails on a bad newest file, or starts over although the one before is
    // good.
    const store = memoryStore('runs/x');
    for (const step of [100, 200, 300, 400])
      await store.write(checkpointFile(step), encodeCheckpoint(checkpoint(step)));
    await store.write('checkpoints/notes.txt', bytes('mine'));
    await store.truncate(checkpointFile(400), 200);
    const flipped = (await store.read(checkpointFile(300)))!;
    flipped[flipped.length - 1]! ^= 1;
    await store.write(checkpointFile(300), flipped);
    const found = await newestCheckpoint(store);
    expect(found.checkpoint).toEqual(checkpoint(200));
    expect(found.damaged.map(({ file }) => file)).toEqual([
      checkpointFile(400),
      checkpointFile(300),
    ]);
    for (const { file, reason } of found.damaged) expect(reason).toContain(`runs/x/${file}: `);
    const error = await failure(readCheckpoint(store, 300));
    expect(isRunError(error)).toBe(true);
  });

  it('are skipped when their parameters do not match the manifest', async () => {
    // Catches: a checkpoint put in another's place with its own valid checksum.
    const store = memoryStore('runs/x');
    for (const step of [100, 200])
      await store.write(checkpointFile(step), encodeCheckpoint(checkpoint(step)));
    const named = paramsSha256(checkpoint(200).params);
    await writeManifest(store, { ...manifest, step: 200, paramsSha256: named });
    expect((await newestCheckpoint(store)).damaged).toEqual([]);
    await writeManifest(store, { ...manifest, step: 200, paramsSha256: 'ab'.repeat(32) });
    const { checkpoint: found, damaged } = await newestCheckpoint(store);
    expect(found?.position.step).toBe(100);
    expect(damaged).toMatchObject([
      {
        file: checkpointFile(200),
        reason: `checkpoint runs/x/${checkpointFile(200)}: the hash of its parameters is ${named.slice(0, 10)}, manifest.json says ababababab; one of the two was changed: restore it`,
      },
    ]);
  });

  it('are reported when renamed or missing', async () => {
    // Catches: a run that continues from step 100 as if it were at 200.
    const store = memoryStore('runs/x');
    expect(await newestCheckpoint(store)).toEqual({ checkpoint: undefined, damaged: [] });
    await store.write(checkpointFile(100), encodeCheckpoint(checkpoint(100)));
    await store.write(checkpointFile(200), encodeCheckpoint(checkpoint(100)));
    const found = await newestCheckpoint(store);
    expect(found.checkpoint?.position.step).toBe(100);
    expect(found.damaged[0]?.reason).toContain('holds step 100; the file was renamed');
    const missing = await failure(readCheckpoint(store, 300));
    expect(isInputError(missing)).toBe(true);
    expect(missing.message).toBe('runs/x: no checkpoint of step 300; there are 100, 200');
  });
});
