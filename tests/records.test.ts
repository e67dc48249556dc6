/** Records of finished runs: their runs count as done, and their teachers are trained again to the same bits when needed. */
import wasm from '@grok/backend-wasm';
import { createRegistry, memoryStore, type Registry, readManifest, type Store } from '@grok/core';
import data from '@grok/data';
import logit from '@grok/distill-logit';
import model from '@grok/model';
import optim from '@grok/optim';
import {
  checkPlan,
  decodeRecord,
  encodeRecord,
  hasBegun,
  inlineExecutor,
  isFinished,
  type Plan,
  runStudy,
  type StudyResult,
} from '@grok/study';
import { beforeAll, describe, expect, test } from 'vitest';

const registry: Registry = createRegistry([data, model, optim, logit, wasm]);
const small = { use: 'transformer', options: { dim: 8, depth: 1 } };
const optimizer = { use: 'adamw', options: { learningRate: 0.01 } };
const objective = [{ use: 'hard' }, { use: 'logit' }];
const plan = checkPlan(
  {
    name: 'recorded',
    summary: 'For tests.',
    shared: { task: { use: 'div', options: { p: 5 } }, batch: 8, epochs: 2 },
    teacher: { model: small, optimizer },
    student: { model: small, optimizer },
    arms: {
      none: { objective: [{ use: 'hard' }] },
      logit: { objective },
      untrained: { objective, teacher: { name: 'teacher', at: 0 } },
    },
    seeds: [0],
  },
  'plan',
);

/** Runs the plan in an empty folder. */
async function carryOut(
  records: ReadonlyMap<string, Store>,
  source: Plan = plan,
): Promise<StudyResult> {
  const stores = new Map<string, Store>();
  const open = (folder: string): Store => {
    const store = stores.get(folder) ?? memoryStore(folder);
    stores.set(folder, store);
    return store;
  };
  const execution = { backend: 'wasm' };
  const executor = inlineExecutor({ registry, open });
  return runStudy(source, { registry, root: memoryStore(), open, executor, execution, records });
}

let before: StudyResult;
const records = new Map<string, Store>();
beforeAll(async () => {
  before = await carryOut(new Map());
  for (const run of before.runs.filter(isFinished)) {
    const { run: id, store } = await decodeRecord(await encodeRecord(run.store), run.key);
    records.set(id, store);
  }
}, 60_000);
const hashes = ({ runs }: StudyResult) => runs.map(({ record }) => record?.paramsSha256);
const findId = (key: string): string =>
  before.runs.find((run) => run.key === key)?.run ?? expect.fail(key);
const without = (key: string) => new Map([...records].filter(([run]) => run !== findId(key)));

describe('records', () => {
  test('count as done, with their metrics', async () => {
    // Catches: a finished study trained again on a new machine.
    const after = await carryOut(records);
    expect([after.status, after.begun]).toEqual(['finished', 0]);
    expect(after.runs.map(({ history }) => history)).toEqual(before.runs.map((it) => it.history));
  });
  test.each(['logit@0', 'untrained@0'])(
    'have no parameters, so the teacher of %s is trained again first',
    async (key) => {
      // Catches: a student that waits forever, or learns from a teacher with other bits.
      const after = await carryOut(without(key));
      expect([after.status, after.begun]).toEqual(['finished', 2]);
      expect(hashes(after)).toEqual(hashes(before));
      expect(after.runs.filter(({ recorded }) => recorded).length).toBe(2);
    },
  );
  test('without a control train it alone, since it needs no teacher', async () => {
    expect((await carryOut(without('none@0'))).begun).toBe(1);
  });
  test('with other bits than this machine computes end the study', async () => {
    // Catches: students of one study taught by two different teachers.
    const teacher = records.get(findId('teacher@0')) ?? expect.fail('no teacher');
    const manifest = await readManifest(teacher);
    const forged = { ...teacher, read: (path: string) => read(path) };
    const read = async (path: string): Promise<Uint8Array | undefined> =>
      path === 'manifest.json'
        ? new TextEncoder().encode(JSON.stringify({ ...manifest, paramsSha256: 'f'.repeat(64) }))
        : teacher.read(path);
    const others = new Map([[findId('teacher@0'), forged]]);
    await expect(carryOut(others)).rejects.toThrow(/teacher@0: ended with different parameters/);
  });
  test('are read-only', async () => {
    const [store] = records.values();
    await expect(store?.write('manifest.json', new Uint8Array())).rejects.toThrow(/read-only/);
  });
  test('that are damaged are named', async () => {
    const [store] = records.values();
    const bytes = await encodeRecord(before.runs.find(isFinished)?.store ?? expect.fail('none'));
    for (const bad of [bytes.subarray(0, 40), new Uint8Array(9), new Uint8Array()])
      await expect(decodeRecord(bad, 'dir/none@0.json.gz')).rejects.toThrow(
        /^dir\/none@0.json.gz: /,
      );
    expect(store).toBeDefined();
  });
  test('of a failed run keep it failed, with its reason and its epochs', async () => {
    // Catches: failures that count as pending runs in a fresh clone, so that no test is ever
    // decided.
    const teacher = { ...plan.teacher, require: { trainAccuracy: { atLeast: 0.999 } } };
    const strict = checkPlan({ ...plan, teacher }, 'plan');
    const first = await carryOut(new Map(), strict);
    const failed = first.runs.find(({ state }) => state === 'failed') ?? expect.fail('none');
    const store = failed.store ?? expect.fail('no store');
    const { run, store: kept } = await decodeRecord(await encodeRecord(store), failed.key);
    const after = await carryOut(new Map([[run, kept]]), strict);
    expect(after.runs.map(({ key, state }) => [key, state])).toEqual(
      first.runs.map(({ key, state }) => [key, state]),
    );
    const again = after.runs.find(({ key }) => key === failed.key);
    expect(again).toMatchObject({ recorded: true, error: failed.error });
    expect(again && hasBegun(again) && again.history.length).toBe(2);
    expect(after.begun).toBe(1);
  });
  test('exist only for runs that have ended', async () => {
    await expect(encodeRecord(memoryStore('empty'))).rejects.toThrow(/empty: is not finished/);
  });
});
