/** Folders and results of the first format, whose ids include the number of epochs, are converted to the second. */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import wasm from '@grok/backend-wasm';
import { createRegistry, type Experiment, startRun } from '@grok/core';
import { decodeCheckpoint, encodeCheckpoint } from '@grok/core/internal';
import { fileStore } from '@grok/core/node';
import data from '@grok/data';
import logit from '@grok/distill-logit';
import model from '@grok/model';
import optim from '@grok/optim';
import { expect, test } from 'vitest';
import { hashWithEpochs, rekeyFolder } from '../scripts/rekey.mjs';

const registry = createRegistry([data, model, optim, wasm, logit]);
const teacher = {
  task: { use: 'add', options: { p: 5 } },
  model: { use: 'transformer', options: { dim: 8, depth: 1 } },
  optimizer: { use: 'adamw' },
  ...{ batch: 16, epochs: 1, seed: 1 },
};

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => /\.\w+$/.test(name))
    .sort();
/** Files of a folder; checkpoints without the experiment's description, which the first format does not have. */
const bytesIn = (folder: string): [string, Uint8Array][] =>
  filesIn(folder).map((name) => {
    const bytes = readFileSync(join(folder, name));
    const isCheckpoint = name.endsWith('.safetensors');
    return [name, isCheckpoint ? encodeCheckpoint(decodeCheckpoint(bytes, name)) : bytes];
  });

async function train(root: string, name: string, experiment: Experiment, beside: object = {}) {
  const store = fileStore(join(root, name));
  const execution = { backend: 'wasm', teachers: { teacher: '../teacher' } };
  const { manifest } = await startRun({ experiment, execution }, { registry, store, ...beside });
  const folder = `${name}-${manifest.run.slice(0, 10)}`;
  renameSync(join(root, name), join(root, folder));
  return { folder, run: manifest.run, paramsSha256: manifest.paramsSha256 ?? '' };
}

/** Rewrites a folder in the first format: with old ids in every file that has them. */
function age(root: string, ids: ReadonlyMap<string, string>): void {
  for (const name of filesIn(root)) {
    const file = join(root, name);
    if (file.endsWith('.safetensors')) {
      const { run, ...state } = decodeCheckpoint(readFileSync(file), file);
      writeFileSync(file, encodeCheckpoint({ ...state, run: ids.get(run) ?? run }));
      continue;
    }
    let text = readFileSync(file, 'utf8').replace('grok run 2', 'grok run 1');
    for (const [id, old] of ids) text = text.replaceAll(id, old);
    writeFileSync(file, text);
  }
}

test('a teacher and its student get new ids in every file, and nothing else changes', async () => {
  // Catches: a student that refers to its teacher by the old id; a missed checkpoint; changed
  // parameters.
  const root = mkdtempSync(join(tmpdir(), 'grok-rekey-'));
  try {
    const { folder, ...ref } = await train(root, 'teacher', teacher);
    const objective = [{ use: 'hard' }, { use: 'logit' }];
    const teachers = { teacher: ref };
    const student = { ...teacher, seed: 2, splitSeed: 1, objective, teachers };
    const beside = { teacherStores: { teacher: fileStore(join(root, folder)) } };
    const learned = await train(root, 'student', student, beside);
    const whole = bytesIn(root);

    const oldTeacher = hashWithEpochs(teacher);
    const oldStudent = hashWithEpochs({
      ...student,
      teachers: { teacher: { ...ref, run: oldTeacher } },
    });
    const ids = new Map([
      [ref.run, oldTeacher],
      [learned.run, oldStudent],
    ]);
    age(root, ids);
    renameSync(join(root, folder), join(root, `teacher-${oldTeacher.slice(0, 10)}`));
    renameSync(join(root, learned.folder), join(root, `student-${oldStudent.slice(0, 10)}`));
    const store = fileStore(join(root, `student-${oldStudent.slice(0, 10)}`));
    await expect(startRun({ experiment: student }, { registry, store })).rejects.toThrow(
      /has the format "grok run 1".*convert the folder with scripts\/rekey\.mjs/,
    );

    const copy = `${root}-alone`;
    cpSync(store.where, copy, { recursive: true });
    expect(() => rekeyFolder(copy)).toThrow(`teacher ${oldTeacher}: is not under the folder`);
    rmSync(copy, { recursive: true });

    expect(rekeyFolder(root)).toEqual(new Map([...ids].map(([id, old]) => [old, id])));
    expect(bytesIn(root)).toEqual(whole);
    expect(rekeyFolder(root).size).toBe(0);
  } finally {
    rmSync(root, { recursive: true });
  }
}, 60_000);
