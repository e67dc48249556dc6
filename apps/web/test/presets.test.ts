/** What the page offers to begin with, and the teacher that comes with it. */
import { readdirSync, readFileSync } from 'node:fs';
import { experimentHash, paramsSha256 } from '@grok/core';
import { decodeCheckpoint, withoutAuxiliary } from '@grok/core/internal';
import { checkPlan, expandPlan } from '@grok/study';
import { describe, expect, it } from 'vitest';
import { presets, readFields, runsIn, withFields } from '../src/page/presets.js';

const shipped = new URL('../public/teacher/', import.meta.url);
const json = (file: string) => JSON.parse(readFileSync(new URL(file, shipped), 'utf8'));

describe.each(Object.entries(presets))('preset %s', (name, plan) => {
  it('is a plan, and stays as it is where nothing is changed (catches: an id that differs from the command line’s)', () => {
    expect(checkPlan(plan, name)).toStrictEqual(plan);
    expect(withFields(plan, {})).toBe(plan);
  });
  it('reads back what the form writes (catches: a field that changes another part, or none)', () => {
    const wanted = {
      ...readFields(plan),
      ...{ op: 'mul', p: 31, teacherEpochs: 7, studentEpochs: 8, seed: 9, teacherDim: 48 },
    };
    const changed = withFields(plan, wanted);
    expect(checkPlan(changed, name)).toEqual(changed);
    const hasStudents = Object.keys(plan.arms).length > 0;
    expect(readFields(changed)).toEqual(hasStudents ? wanted : { ...wanted, studentEpochs: 7 });
    const lengths = expandPlan(changed).map(({ role }) => (role === 'teacher' ? 7 : 8));
    for (const [i, { experiment }] of expandPlan(changed).entries()) {
      expect(experiment).toMatchObject({
        epochs: lengths[i],
        seed: 9,
        task: { use: 'mul', options: { p: 31 } },
      });
    }
    expect(runsIn(changed).map((run) => run.epochs)).toEqual(lengths);
    const arms = wanted.arms.slice(0, 1);
    expect(Object.keys(withFields(plan, { arms }).arms)).toEqual(arms);
  });
});

describe('the lengths in the form', () => {
  it.each(Object.entries(presets))('are those of the runs of %s', (_, plan) => {
    // Catches: a form that says 150 epochs over students that train for 250.
    const lengths = (isTeacher: boolean) =>
      new Set(
        expandPlan(plan)
          .filter(({ role }) => (role === 'teacher') === isTeacher)
          .map(({ experiment }) => experiment.epochs),
      );
    const { teacherEpochs, studentEpochs } = readFields(plan);
    expect(lengths(true)).toEqual(new Set([teacherEpochs]));
    const students = lengths(false);
    if (students.size === 1) expect([...students]).toEqual([studentEpochs]);
    if (students.size > 1) expect(studentEpochs).toBeNull();
  });
  it('stay as they are where students differ and another field is changed (catches: one length for all)', () => {
    const small = presets.small!;
    const long = { ...small, arms: { ...small.arms, none: { ...small.arms.none, epochs: 9 } } };
    expect(readFields(long).studentEpochs).toBeNull();
    const changed = withFields(long, { p: 31, studentEpochs: null });
    expect(runsIn(changed).map(({ epochs }) => epochs)).toEqual([150, 9, 250, 250, 250]);
    expect(runsIn(withFields(long, { studentEpochs: 7 })).map(({ epochs }) => epochs)).toEqual([
      150, 7, 7, 7, 7,
    ]);
  });
});

describe('the teacher that comes with the page', () => {
  it('is the one of the preset (catches: a preset that was changed, and its teacher trained in vain)', () => {
    const { run, epochs, files } = json('files.json') as {
      run: string;
      epochs: number;
      files: string[];
    };
    const { experiment } = expandPlan(presets.small!)[0]!;
    expect([run, epochs]).toEqual([experimentHash(experiment), experiment.epochs]);
    expect(run).toBe(json('config.json').run);
    const file = files.find((path) => path.endsWith('.safetensors'))!;
    const bytes = readFileSync(new URL(file, shipped));
    expect(bytes.length).toBeLessThan(3e6);
    const { params } = decodeCheckpoint(bytes, file);
    expect(paramsSha256(withoutAuxiliary(params))).toBe(json('manifest.json').paramsSha256);
  });
});

describe('the page before its worker', () => {
  it('runs no code of packages but the palette (catches: a first sight that loads the registry, and fails)', () => {
    const folder = new URL('../src/page/', import.meta.url);
    const found = readdirSync(folder).flatMap((file) =>
      [
        ...readFileSync(new URL(file, folder), 'utf8').matchAll(
          /import (?!type)[^;]*?'(@grok\/[^']+)'/g,
        ),
      ]
        .map(([, name]) => name)
        .filter((name) => name !== '@grok/report'),
    );
    expect(found).toEqual([]);
  });
});
