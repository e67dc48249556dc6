// grok in plain JavaScript, in Node or in a page: a teacher, and a student that learns from it.
import { createRegistry, memoryStore, startRun } from '@grok/core';
import data from '@grok/data';
import logit from '@grok/distill-logit';
import model from '@grok/model';
import optim from '@grok/optim';
import gallery from './index.js'; // for its backend, which runs everywhere

const registry = createRegistry([data, model, optim, logit, gallery]);
const shared = {
  task: { use: 'add', options: { p: 7 } },
  optimizer: { use: 'adamw', options: { learningRate: 0.01, weightDecay: 0 } },
  batch: 24,
  epochs: 5,
  seed: 1,
};

/** Trains both and returns the student's history; `say` is called with each epoch. @param {(line: string) => void} [say] */
export async function teachAndLearn(say = () => {}) {
  const execution = { backend: 'counted' };
  const tell = (who) => (event) => {
    if (event.type === 'epoch') say(`${who} ${event.row.epoch}: ${event.row.validation.accuracy}`);
  };
  const teacherStore = memoryStore();
  const large = { ...shared, model: { use: 'transformer', options: { dim: 16 } } };
  const teacher = await startRun(
    { experiment: large, execution },
    { registry, store: teacherStore, listeners: [tell('teacher')] },
  );
  const { run, paramsSha256 } = teacher.manifest;
  const small = {
    ...shared,
    model: { use: 'transformer', options: { dim: 8 } },
    teachers: { teacher: { run, paramsSha256 } },
    objective: [
      { use: 'hard', weight: 0.5 },
      { use: 'logit', weight: 0.5 },
    ],
  };
  const student = await startRun(
    { experiment: small, execution },
    {
      registry,
      store: memoryStore(),
      teacherStores: { teacher: teacherStore },
      listeners: [tell('student')],
    },
  );
  return student.history;
}
