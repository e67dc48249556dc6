/** What the page offers to begin with, and the teacher that comes with it. */
import { readFileSync } from 'node:fs';
import { experimentHash, paramsSha256 } from '@grok/core';
import { decodeCheckpoint, withoutAuxiliary } from '@grok/core/internal';
import { checkPlan, expandPlan } from '@grok/study';
import { describe, expect, it } from 'vitest';
import { fieldsOf, presets, runsIn, withFields } from '../src/page/presets.js';
import { readStoredPlan } from '../src/work/documents.js';

const shipped = new URL('../public/teacher/', import.meta.url);
const json = (file: string) => JSON.parse(readFileSync(new URL(file, shipped), 'utf8'));

describe.each(Object.entries(presets))('preset %s', (name, plan) => {
  it('is a plan, and stays as it is where nothing is changed (catches: an id that differs from the command line’s)', () => {
    expect(checkPlan(plan, name)).toStrictEqual(plan);
    expect(withFields(plan, {})).toBe(plan);
  });
  it('reads back what the form writes (catches: a field that changes another part, or none)', () => {
    const wanted = { ...fieldsOf(plan), op: 'mul', p: 31, epochs: 7, seed: 9, teacherDim: 48 };
    const changed = withFields(plan, wanted);
    expect(fieldsOf(changed)).toEqual(wanted);
    for (const { experiment } of expandPlan(changed)) {
      expect(experiment).toMatchObject({
        epochs: 7,
        seed: 9,
        task: { use: 'mul', options: { p: 31 } },
      });
    }
    expect(runsIn(changed).map((run) => run.epochs)).toEqual(expandPlan(changed).map(() => 7));
    const arms = wanted.arms.slice(0, 1);
    expect(Object.keys(withFields(plan, { arms }).arms)).toEqual(arms);
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

describe('a specification', () => {
  const experiment = {
    task: { use: 'add', options: { p: 7 } },
    model: { use: 'transformer' },
    optimizer: { use: 'adamw' },
    batch: 8,
    epochs: 2,
    seed: 3,
  };
  it('becomes a plan of one run with the same id (catches: a run that the command line would call another)', () => {
    const [run, ...others] = expandPlan(readStoredPlan({ experiment }));
    expect(others).toEqual([]);
    expect(experimentHash(run!.experiment)).toBe(experimentHash(experiment));
  });
  it('that names a teacher is refused (catches: a student trained without the teacher it asks for)', () => {
    const teachers = { teacher: { run: 'a'.repeat(64), paramsSha256: 'b'.repeat(64) } };
    expect(() => readStoredPlan({ experiment: { ...experiment, teachers } })).toThrow(
      /names a teacher/,
    );
  });
});
