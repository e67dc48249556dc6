/** The length of a run: epochs or steps, partial epochs, and extended runs. */
import { type RunEvent, readConfig, readManifest, readMetrics, resumeRun } from '@grok/core';
import { listCheckpoints, readEvents } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';
import { inSteps, registry, trainSmall, withoutTimes } from '../helpers/small.js';

describe('an extended run', () => {
  it('from 5 to 10 epochs has the bits and rows of 10 at once', async () => {
    // Catches: a length that affects the id; a stream or a state that restarts.
    const whole = await trainSmall({ epochs: 10 });
    const { store, manifest } = await trainSmall({ epochs: 5 });
    const longer = await trainSmall({ epochs: 10 }, { store });
    expect([longer.already, longer.manifest.run]).toEqual([false, manifest.run]);
    expect(longer.manifest.paramsSha256).toBe(whole.manifest.paramsSha256);
    expect(longer.manifest).toMatchObject({ status: 'finished', epoch: 10, step: 30 });
    expect(withoutTimes(await readMetrics(store))).toEqual(withoutTimes(whole.history));
    expect((await readConfig(store)).experiment.epochs).toBe(10);
  });
  it('drops the row and the crossing at its old end (catches: a row of an epoch that is not evaluated)', async () => {
    const sparse = { evalEvery: 4, optimizer: { use: 'momentum', options: { learningRate: 3 } } };
    const whole = await trainSmall({ ...sparse, epochs: 10 });
    const short = await trainSmall({ ...sparse, epochs: 6 });
    expect(short.history.map(({ epoch }) => epoch)).toEqual([4, 6]);
    const { store, history, manifest } = await trainSmall(
      { ...sparse, epochs: 10 },
      { store: short.store },
    );
    expect(withoutTimes(history)).toEqual(withoutTimes(whole.history));
    expect(withoutTimes(await readMetrics(store))).toEqual(withoutTimes(whole.history));
    expect(manifest.paramsSha256).toBe(whole.manifest.paramsSha256);
    const crossings = async (of: typeof store): Promise<readonly RunEvent[]> =>
      (await readEvents(of)).filter(({ type }) => type === 'crossing');
    expect(await crossings(store)).toEqual(await crossings(whole.store));
    expect(await listCheckpoints(store)).toEqual(await listCheckpoints(whole.store));
  });
  it('keeps a pinned checkpoint at its old end although the row there goes', async () => {
    const how = { pin: { steps: [8] } };
    const part = await trainSmall(inSteps(8), { how });
    await trainSmall({ epochs: 10 }, { store: part.store, how });
    const whole = await trainSmall({ epochs: 10 }, { how });
    expect(await listCheckpoints(part.store)).toEqual(await listCheckpoints(whole.store));
    expect(await listCheckpoints(part.store)).toContain(8);
  });
  it('resumes after a kill between dropping the row and training (catches: rows reported as lost)', async () => {
    const sparse = { evalEvery: 4 };
    const { store, manifest } = await trainSmall({ ...sparse, epochs: 6 });
    expect(manifest.status).toBe('finished');
    const dying = {
      ...store,
      truncate: async (path: string, length: number) => {
        await store.truncate(path, length);
        throw new Error('killed');
      },
    };
    await expect(resumeRun({ registry, store: dying }, {}, { epochs: 9 })).rejects.toThrow(
      'killed',
    );
    const { history } = await resumeRun({ registry, store });
    expect(history.map(({ epoch }) => epoch)).toEqual([4, 8, 9]);
  });
  it('resumes after a kill between its new length and its first step (catches: taken for finished)', async () => {
    const { store } = await trainSmall({ epochs: 2 });
    const stop = new AbortController();
    stop.abort();
    await trainSmall({ epochs: 3 }, { store, signal: stop.signal });
    const manifest = await readManifest(store);
    const finished = JSON.stringify({ ...manifest, status: 'finished' });
    await store.write('manifest.json', new TextEncoder().encode(finished));
    const resumed = await resumeRun({ registry, store });
    expect(resumed.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
  });
  it('cannot get shorter', async () => {
    const { store } = await trainSmall();
    await expect(trainSmall({ epochs: 3 }, { store })).rejects.toThrow(
      /has 4 epochs \(12 steps\), 3 epochs requested; a run can only be made longer/,
    );
    await expect(resumeRun({ registry, store }, {}, { steps: 11 })).rejects.toThrow(
      '11 steps requested',
    );
    expect((await resumeRun({ registry, store }, {}, { steps: 12 })).already).toBe(true);
    const longer = await resumeRun({ registry, store }, {}, { epochs: 5 });
    expect(longer.history.at(-1)).toMatchObject({ epoch: 5, step: 15 });
  });
});

describe('a length in steps', () => {
  it('equals the same length in epochs when it fills them', async () => {
    const epochs = await trainSmall();
    const steps = await trainSmall(inSteps(12));
    expect(withoutTimes(steps.history)).toEqual(withoutTimes(epochs.history));
    expect(steps.manifest.paramsSha256).toBe(epochs.manifest.paramsSha256);
    expect(steps.manifest.run).toBe(epochs.manifest.run);
  });
  it('may end within an epoch, evaluates there, and continues to the same bits', async () => {
    // Catches: one step too many, means over rows that were not trained on, sums that restart.
    const whole = await trainSmall();
    const part = await trainSmall(inSteps(8));
    expect(part.history.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 3],
      [2, 6],
      [3, 8],
    ]);
    expect(part.manifest).toMatchObject({ status: 'finished', epoch: 2, step: 8 });
    const { train, validation } = part.history.at(-1) ?? {};
    expect(train?.loss).toBeGreaterThan(0);
    expect(train?.loss).toBeLessThan(10);
    expect(validation?.accuracy).toBeLessThanOrEqual(1);
    expect((await trainSmall(inSteps(8), { store: part.store })).already).toBe(true);
    const longer = await trainSmall({}, { store: part.store });
    expect(withoutTimes(longer.history)).toEqual(withoutTimes(whole.history));
    expect(longer.manifest.paramsSha256).toBe(whole.manifest.paramsSha256);
  });
  it('excludes a length in epochs', async () => {
    await expect(trainSmall({ steps: 3 })).rejects.toThrow('cannot be combined with "epochs"');
    await expect(trainSmall({ epochs: undefined })).rejects.toThrow(
      'required unless "steps" is given',
    );
  });
});

it('a full batch is one step per epoch, whatever the number of rows', async () => {
  const full = await trainSmall({ batch: 'full' });
  const wide = await trainSmall({ batch: 17 });
  expect(full.history.at(-1)?.step).toBe(4);
  expect(full.manifest.paramsSha256).toBe(wide.manifest.paramsSha256);
});
