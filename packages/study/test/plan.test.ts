import { describe, expect, it } from 'vitest';
import {
  armPart,
  checkPlan,
  describePlan,
  expandPlan,
  merge,
  type Plan,
  withChanges,
} from '../src/index.js';

const plan: Plan = {
  name: 'tiny',
  summary: 'A plan for tests.',
  shared: { task: { use: 'div', options: { p: 23 } }, batch: 512, epochs: 3 },
  teacher: {
    model: { use: 'transformer', options: { dim: 32 } },
    optimizer: { use: 'adamw', options: { learningRate: 1e-3, warmup: 10 } },
  },
  student: {
    model: { use: 'transformer', options: { dim: 16 } },
    optimizer: { use: 'adamw', options: { learningRate: 1e-3 } },
  },
  arms: {
    none: { objective: [{ use: 'hard' }] },
    logit: {
      epochs: 5,
      objective: [
        { use: 'hard', weight: 0.5 },
        { use: 'logit', weight: 0.5 },
      ],
    },
  },
  seeds: [7, 0],
};

describe('merge', () => {
  it('replaces a length in epochs with one in steps, and vice versa', () => {
    // Catches: a plan in epochs whose parts cannot set a number of steps.
    expect(merge({ epochs: 2, seed: 1 }, { steps: 3 })).toEqual({ steps: 3, seed: 1 });
    expect(merge({ steps: 3 }, { epochs: 2 })).toEqual({ epochs: 2 });
    expect(merge({ epochs: 2 }, { seed: 1 })).toEqual({ epochs: 2, seed: 1 });
    expect(merge({ epochs: 2 }, { epochs: 1, steps: 3 })).toEqual({ epochs: 1, steps: 3 });
  });
  it('merges nested objects and replaces lists', () => {
    // Catches: an arm's objective appended to the student's, or options lost.
    expect(merge({ a: { b: 1, c: [1, 2] } }, { a: { c: [3], d: 4 } })).toEqual({
      a: { b: 1, c: [3], d: 4 },
    });
  });
  it('drops the options of another component', () => {
    // Catches: AdamW's options passed to SGD.
    expect(
      merge(
        { optimizer: { use: 'adamw', options: { weightDecay: 1 } } },
        { optimizer: { use: 'sgd' } },
      ),
    ).toEqual({ optimizer: { use: 'sgd' } });
  });
  it('does not modify its arguments', () => {
    const under = { a: { b: 1 } };
    merge(under, { a: { b: 2 } });
    expect(under).toEqual({ a: { b: 1 } });
  });
});

describe('expandPlan', () => {
  it('lists each seed’s teacher first, then the arms in order', () => {
    // Catches: a student planned before its teacher.
    expect(expandPlan(plan).map(({ name, seed }) => `${name} ${seed}`)).toEqual([
      'teacher 7',
      'none 7',
      'logit 7',
      'teacher 0',
      'none 0',
      'logit 0',
    ]);
  });
  it('gives the control no teacher', () => {
    // Catches: a control whose hash changes with a teacher that it never reads.
    const needs = Object.fromEntries(expandPlan(plan).map((run) => [run.name, run.needs]));
    expect(needs).toEqual({
      teacher: {},
      none: {},
      logit: { teacher: { key: 'teacher@0', at: 'last' } },
    });
  });
  it('gives no teacher to an arm with an empty `teachers`, whatever its terms', () => {
    // Catches: a regularized control that waits for a teacher that it never reads.
    const shrink = { teachers: {}, objective: [{ use: 'hard' }, { use: 'shrink' }] };
    const arms = { ...plan.arms, shrink };
    const runs = expandPlan(checkPlan({ ...plan, arms }, 'shrink.json'));
    const [found] = runs.filter(({ name }) => name === 'shrink');
    expect(found).toMatchObject({ role: 'control', needs: {} });
    expect(found?.experiment).not.toHaveProperty('teachers');
  });
  it('merges shared, student and arm, with the seed', () => {
    // Catches: the teacher's warm-up leaking into students; an arm's epochs ignored.
    expect(armPart(plan, 'logit', 7)).toEqual({
      task: { use: 'div', options: { p: 23 } },
      batch: 512,
      epochs: 5,
      model: { use: 'transformer', options: { dim: 16 } },
      optimizer: { use: 'adamw', options: { learningRate: 1e-3 } },
      objective: [
        { use: 'hard', weight: 0.5 },
        { use: 'logit', weight: 0.5 },
      ],
      seed: 7,
    });
  });
  it('suggests the nearest arm', () => {
    expect(() => armPart(plan, 'logti', 7)).toThrow('unknown arm "logti": did you mean "logit"?');
  });
});

describe('several teachers and overrides', () => {
  const grown: Plan = {
    ...plan,
    teachers: { memorised: { optimizer: { options: { weightDecay: 0 } }, epochs: 9 } },
    arms: {
      ...plan.arms,
      'logit-memorised': { ...plan.arms.logit!, teachers: { teacher: 'memorised' } },
    },
  };
  it('gives an arm the teacher it names, based on the first', () => {
    // Catches: every arm taught by the first teacher; a second teacher without the first's options.
    const runs = expandPlan(checkPlan(grown, 'grown.json')).filter(({ seed }) => seed === 7);
    expect(runs.map(({ name, role, needs }) => [name, role, needs])).toEqual([
      ['teacher', 'teacher', {}],
      ['memorised', 'teacher', {}],
      ['none', 'control', {}],
      ['logit', 'student', { teacher: { key: 'teacher@7', at: 'last' } }],
      ['logit-memorised', 'student', { teacher: { key: 'memorised@7', at: 'last' } }],
    ]);
    const [first, second] = runs.map(({ experiment }) => experiment);
    expect(second).toEqual({
      ...first,
      epochs: 9,
      optimizer: { use: 'adamw', options: { learningRate: 1e-3, warmup: 10, weightDecay: 0 } },
    });
    expect('teachers' in runs.at(-1)!.experiment).toBe(false);
  });
  it('repeats the plan for each override, with the override in the keys', () => {
    const overrides = { base: {}, short: { student: { epochs: 2 } } };
    const runs = expandPlan(checkPlan({ ...plan, overrides }, 'over.json'));
    expect(runs.map(({ key }) => key)).toEqual([
      ...['base/teacher@7', 'base/none@7', 'base/logit@7', 'base/teacher@0', 'base/none@0'],
      ...['base/logit@0', 'short/teacher@7', 'short/none@7', 'short/logit@7', 'short/teacher@0'],
      ...['short/none@0', 'short/logit@0'],
    ]);
    const [base, short] = [0, 6].map((at) => runs[at]!.experiment);
    expect(short).toEqual(base); // one run for both, since the hash is the same
    expect(runs[7]?.experiment.epochs).toBe(2);
  });
  it.each([
    [{ teachers: { none: {} } }, 'key "arms.none": an arm cannot have the same name as a teacher'],
    [{ teachers: { teacher: {} } }, 'cannot be named "teacher"'],
    [
      { arms: { a: { teachers: { teacher: 'memorized' } } } },
      'key "arms.a.teachers.teacher": unknown teacher "memorized"',
    ],
    [{ arms: { 'a@b': {} } }, 'may hold letters'],
    [{ arms: { 10: {} } }, 'key "arms.10": the name of an arm must not be an integer'],
    [{ name: 'study/../../escaped' }, 'key "name": must be a name of letters'],
    [
      { arms: { logit: { objective: { use: 'logit' } } } },
      'key "arms.logit.objective": must be a list, got {"use":"logit"}',
    ],
    [
      { teacher: { model: { options: 3 } } },
      'key "teacher.model.options": must be an object, got 3',
    ],
    [{ overrides: { a: { arms: {} } } }, 'overrides.a: unknown key "arms"'],
    [{ family: ['logti'] }, 'key "family.0": unknown arm "logti": did you mean "logit"'],
  ])('refuses %j', (changes, message) => {
    expect(() => checkPlan({ ...plan, ...changes }, 'odd.json')).toThrow(message);
  });
});

describe('a changed plan', () => {
  it('shows its changes in title and summary', () => {
    const { name: title, summary } = plan;
    expect(describePlan(withChanges(plan, []))).toEqual({ title, summary });
    const once = withChanges(plan, ['shared.epochs=2']);
    expect(describePlan(once)).toEqual({
      title: 'tiny with shared.epochs=2',
      summary: 'The plan "tiny" with shared.epochs=2. Without this change it is: A plan for tests.',
    });
    const thrice = withChanges(once, ['seeds=[1]', 'shared.batch=8']);
    expect(describePlan(thrice).title).toBe('tiny with 3 changes');
    expect(checkPlan(thrice, 'plan').changes).toEqual([
      ...['shared.epochs=2', 'seeds=[1]', 'shared.batch=8'],
    ]);
  });
});

describe('checkPlan', () => {
  it('refuses a run that lacks a required key', () => {
    // Catches: an invalid plan reported only when its first run is composed.
    const { optimizer: _, ...student } = plan.student;
    expect(() => checkPlan({ ...plan, student }, 'plan p.json')).toThrow(
      'plan p.json: run "none": key "optimizer": is missing',
    );
  });
  const bad: [string, unknown, string][] = [
    ['not an object', 3, 'tiny.json: must be an object, got 3'],
    ['unknown key', { ...plan, seed: [1] }, 'unknown key "seed": did you mean "seeds"?'],
    [
      'unknown key in a part',
      { ...plan, shared: { epoch: 3 } },
      'shared: unknown key "epoch": did you mean "epochs"?',
    ],
    [
      'unknown key in an arm',
      { ...plan, arms: { none: { objectiv: [] } } },
      'arms.none: unknown key "objectiv"',
    ],
    [
      'no teacher',
      { ...plan, teacher: undefined },
      'key "teacher": is missing (must be an object)',
    ],
    ['no seeds', { ...plan, seeds: [] }, 'key "seeds": must not be empty, got []'],
    [
      'a fraction of a seed',
      { ...plan, seeds: [1.5] },
      'key "seeds.0": must be an integer, got 1.5',
    ],
    ['a seed twice', { ...plan, seeds: [1, 1] }, 'key "seeds": must differ, got [1,1]'],
    [
      'an arm called teacher',
      { ...plan, arms: { teacher: {} } },
      'cannot have the same name as a teacher, got "teacher"',
    ],
  ];
  it.each(bad)('refuses %s', (_, value, message) => {
    expect(() => checkPlan(value, 'tiny.json')).toThrow(message);
  });
  it('accepts a valid plan unchanged', () => {
    expect(checkPlan(structuredClone(plan), 'tiny.json')).toEqual(plan);
  });
});
