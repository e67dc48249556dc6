/** Studies whose students teach: chains of runs, teachers in the middle of their training, runs without a plan. */
import wasm from '@grok/backend-wasm';
import {
  createRegistry,
  definePlugin,
  defineTask,
  memoryStore,
  type Registry,
  type Store,
  schema,
} from '@grok/core';
import { readCheckpoint } from '@grok/core/internal';
import data from '@grok/data';
import logit from '@grok/distill-logit';
import model from '@grok/model';
import optim from '@grok/optim';
import { studyTable } from '@grok/report';
import {
  checkPlan,
  expandPlan,
  inlineExecutor,
  loadStudy,
  orderByTeachers,
  type Plan,
  planRuns,
  runStudy,
  type StudyHost,
  type StudyRun,
} from '@grok/study';
import { describe, expect, test } from 'vitest';

/** The class of a row is its first token, so training generalizes quickly. */
const first = defineTask({
  name: 'first',
  summary: 'The first of two tokens.',
  options: schema({}),
  create() {
    const pairs = Array.from({ length: 64 }, (_, i) => [i % 2, Math.floor(i / 2)] as const);
    return {
      vocabulary: 32,
      inputs: { shape: [64, 2], dtype: 'int32', data: Int32Array.from(pairs.flat()) },
      labels: Int32Array.from(pairs, ([a]) => a),
      show: (row) => String(pairs[row]),
    };
  },
});
const tasks = definePlugin({ name: 'tasks', version: '0.0.0', core: '*', components: [first] });
const registry: Registry = createRegistry([tasks, data, model, optim, logit, wasm]);
const taught = [
  { use: 'hard', weight: 0.5 },
  { use: 'logit', weight: 0.5 },
];
const small = { use: 'transformer', options: { dim: 8, depth: 1 } };
const written = {
  name: 'generations',
  summary: 'For tests.',
  shared: { task: { use: 'first' }, batch: 8, epochs: 14 },
  teacher: { model: small, optimizer: { use: 'adamw', options: { learningRate: 0.01 } } },
  student: { model: small, optimizer: { use: 'adamw', options: { learningRate: 0.01 } } },
  arms: {
    grandchild: { objective: taught, teacher: 'child' },
    child: { objective: taught },
    early: { objective: taught, teacher: { name: 'teacher', at: 'crossing' } },
    half: { objective: taught, teacher: { name: 'teacher', at: { validationAccuracy: 0.8 } } },
    fifth: { objective: taught, teacher: { name: 'teacher', at: 5 } },
    none: { objective: [{ use: 'hard' }] },
  },
  seeds: [0],
};
const plan: Plan = checkPlan(written, 'generations');

function open(): StudyHost {
  const stores = new Map<string, Store>();
  const at = (name: string): Store => {
    const store = stores.get(name) ?? memoryStore(name);
    stores.set(name, store);
    return store;
  };
  const executor = inlineExecutor({ registry, open: at });
  const defaults = { backend: 'wasm', checkpointEvery: 3 };
  return { registry, root: memoryStore('study'), open: at, executor, defaults };
}
async function formatTable(host: StudyHost): Promise<string> {
  return studyTable(plan, await loadStudy(expandPlan(plan), host), { style: 'text', times: false });
}
const find = (runs: readonly StudyRun[], key: string): StudyRun => {
  const found = runs.find((run) => run.key === key);
  if (found === undefined) throw new Error(`no run ${key}`);
  return found;
};
const whole = (async () => {
  const host = open();
  const { status, runs } = await runStudy(plan, host);
  return { host, status, runs, table: await formatTable(host) };
})();

describe('a chain of three generations', () => {
  test('uses the teachers that its runs name, wherever they are in the plan', async () => {
    const { status, runs } = await whole;
    expect(status).toBe('finished');
    const [teacher, child, grandchild] = ['teacher@0', 'child@0', 'grandchild@0'].map((key) =>
      find(runs, key),
    );
    const describeRef = (run?: StudyRun): object => ({
      run: run?.manifest?.run,
      paramsSha256: run?.manifest?.paramsSha256,
    });
    expect(child?.manifest?.teachers?.teacher).toMatchObject(describeRef(teacher));
    expect(grandchild?.manifest?.teachers?.teacher).toMatchObject(describeRef(child));
  });

  test('interrupted again and again, gives the same table', async () => {
    // Catches: a student of a half-trained student; a chain that starts over.
    const host = open();
    let status = '';
    let rounds = 0;
    for (; status !== 'finished' && rounds < 50; rounds++) {
      const stop = new AbortController();
      let epochs = 0;
      const { executor: _, ...rest } = host;
      const executor = inlineExecutor({ registry, open: host.open }); // the coordinator's, which ends with it
      ({ status } = await runStudy(plan, {
        ...{ ...rest, executor, signal: stop.signal },
        onEvent: (event) => {
          if (event.type === 'run' && event.event.type === 'epoch' && ++epochs === 30) stop.abort();
        },
      }));
    }
    expect(rounds).toBeGreaterThan(3);
    expect(await formatTable(host)).toBe((await whole).table);
  });
});

describe('a teacher in the middle of its training', () => {
  test.each([
    ['early', 0.99],
    ['half', 0.8],
  ])('%s learns from the first epoch at a validation accuracy of %d', async (arm, accuracy) => {
    // Catches: the last checkpoint used for an earlier one; a checkpoint that was removed
    // meanwhile.
    const { host, runs } = await whole;
    const teacher = find(runs, 'teacher@0');
    const row = teacher.history?.find(({ validation }) => validation.accuracy >= accuracy);
    expect(row?.epoch, 'the trial is of use').toBeLessThan(12);
    const ref = find(runs, `${arm}@0`).experiment.teachers?.teacher;
    expect(ref).toMatchObject({ run: teacher.run, step: row?.step });
    expect(ref?.paramsSha256).not.toBe(teacher.manifest?.paramsSha256);
    const { position } = await readCheckpoint(host.open(teacher.folder ?? ''), row?.step ?? 0);
    expect(position.epoch).toBe(row?.epoch);
  });

  test('may be used at a step, including within an epoch', async () => {
    const { runs } = await whole;
    const [fifth, child] = ['fifth@0', 'child@0'].map((key) => find(runs, key));
    expect(fifth?.experiment.teachers?.teacher?.step).toBe(5);
    expect(fifth?.manifest?.paramsSha256).not.toBe(child?.manifest?.paramsSha256);
  });

  test('that never reached the requested point blocks its student, with the reason', async () => {
    // Catches: a student that waits forever, or learns from the last state instead.
    const host = open();
    const short = checkPlan({ ...plan, shared: { ...plan.shared, epochs: 1 } }, 'short');
    const { status, runs } = await runStudy(short, { ...host, only: ['early', 'none'] });
    expect(status).toBe('failed');
    expect(find(runs, 'early@0')).toMatchObject({
      state: 'blocked',
      error:
        'its teacher teacher@0 never reached a validation accuracy of 0.99; choose another point of its training',
    });
    expect(find(runs, 'none@0').state).toBe('finished');
  });
});

describe('planned runs without a plan', () => {
  const experiment = { ...expandPlan(plan)[0]?.experiment, epochs: 2 } as StudyRun['experiment'];
  const student = { ...experiment, objective: taught };
  const needs = (key: string) => ({ teacher: { key, at: 'last' as const } });

  test('are executed, and found again when the study resumes', async () => {
    const host = open();
    const drafts = [
      { key: 'c', experiment: student, needs: needs('b') },
      { key: 'b', experiment: student, needs: needs('a') },
      { key: 'a', experiment },
    ];
    const { status, runs } = await runStudy(planRuns(drafts), host);
    expect([status, ...runs.map(({ key, role }) => `${key} ${role}`)]).toEqual([
      ...['finished', 'c student', 'b student', 'a teacher'],
    ]);
    expect(await host.root.list('')).toEqual(['journal.jsonl', 'runs.json', 'study.json']);
    const again = await runStudy(planRuns(drafts), { ...host });
    expect(again).toMatchObject({ status: 'finished', begun: 0 });
    const other = planRuns([{ key: 'a', experiment: { ...experiment, seed: 9 } }]);
    await expect(runStudy(other, host)).rejects.toThrow('contains another study of 3 runs');
  });

  test.each([
    [[{ key: 'b', experiment, needs: needs('a') }], 'run "b", teacher "teacher": unknown run "a"'],
    [
      [
        { key: 'a', experiment, needs: needs('b') },
        { key: 'b', experiment, needs: needs('a') },
      ],
      'run "a": its teachers form a cycle (a → b → a)',
    ],
    [
      [
        { key: 'a', experiment },
        { key: 'a', experiment: student, needs: needs('a') },
      ],
      'run "a": two runs have this key',
    ],
  ])('that are invalid are errors: %#', (drafts, message) => {
    expect(() => planRuns(drafts)).toThrow(message);
  });

  test('may form a chain of ten thousand teachers (catches: recursion)', () => {
    const drafts = Array.from({ length: 10_000 }, (_, i) => ({
      ...{ key: `r${i}`, experiment },
      needs: i === 9999 ? {} : needs(`r${i + 1}`),
    }));
    expect(orderByTeachers(planRuns(drafts)).map(({ key }) => key)).toEqual(
      drafts.map(({ key }) => key).reverse(),
    );
  });

  test('and so may plans', () => {
    const arms = { a: { objective: taught, teacher: 'b' }, b: { objective: taught, teacher: 'a' } };
    const circle = { ...written, arms };
    expect(() => checkPlan(circle, 'circle')).toThrow(
      'circle: run "a@0": its teachers form a cycle (a@0 → b@0 → a@0)',
    );
    const at = { name: 'teacher', at: 'midway' };
    const midway = { ...written, arms: { a: { objective: taught, teacher: at } } };
    expect(() => checkPlan(midway, 'odd')).toThrow('midway');
  });
});

test('a coordinator that restarts waits for jobs that are still running', async () => {
  // Catches: a run started a second time in parallel; a result that nobody collects.
  const host = open();
  const [teacher] = expandPlan(plan);
  if (teacher === undefined) throw new Error('a plan without runs');
  const { key, experiment } = teacher;
  const job = {
    key,
    experiment,
    ...(host.defaults === undefined ? {} : { defaults: host.defaults }),
  };
  await host.executor.submit([job], []);
  const { status, begun, runs } = await runStudy(plan, { ...host, only: ['child@0'] });
  expect([status, begun]).toEqual(['finished', 1]);
  expect(runs.map(({ state }) => state)).toEqual(['finished', 'finished']);
});
