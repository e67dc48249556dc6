/** Two models on the same inputs, hidden state by hidden state, and by the frequencies that they use. */
import { type HostArray, type Json, rng, type Site, type Task } from '@grok/core';
import {
  cca,
  ckaTest,
  cyclicGroup,
  frequencyOverlap,
  gridPowers,
  highest,
  keyFrequencies,
  layOutGrid,
  procrustes,
  pwcca,
  rsa,
  svcca,
} from '@grok/metrics';

/** Sites of a model over some rows. */
export type Sites = Readonly<Record<Site, HostArray>>;

/** Similarity of every site that both have; positions are rows, permuted and sampled by input. */
export function compareStates(student: Sites, teacher: Sites): Json {
  const shared = Object.keys(student).filter((site) => teacher[site] !== undefined);
  return Object.fromEntries(
    shared.map((site) => [site, similarity(student[site]!, teacher[site]!)]),
  );
}

/** Draws of the permutation null and of the half-sampling interval. */
export const DRAWS = { permutations: 99, resamples: 100 } as const;

function similarity(student: HostArray, teacher: HostArray): Json {
  const group = student.shape.length === 3 ? student.shape[1]! : 1;
  const {
    biased,
    debiased,
    interval,
    null: chance,
  } = ckaTest(teacher, student, {
    rng: rng(0).split('cka'),
    ...DRAWS,
    group,
  });
  const correlations = cca(teacher, student);
  return plain({
    cka: { biased, debiased, interval, null: chance },
    cca: correlations.reduce((sum, r) => sum + r, 0) / correlations.length,
    svcca: svcca(teacher, student),
    pwcca: pwcca(teacher, student),
    procrustes: procrustes(teacher, student),
    rsa: rsa(teacher, student),
  });
}

/** Key frequencies of logits over all rows of a modular task; null where the task has none. */
export function frequenciesOf(task: Task, logits: HostArray): readonly number[] | null {
  if (!hasFrequencies(task)) return null;
  const all = Array.from(task.labels.keys());
  const powers = gridPowers(layOutGrid(cyclicGroup(task), task, all, logits));
  return keyFrequencies(powers).map(({ frequency }) => frequency);
}

/** Key frequencies of both and their overlap, with what chance would give. */
export function compareFrequencies(
  task: Task,
  student: readonly number[],
  teacher: readonly number[],
): Json {
  const count = highest(cyclicGroup(task).order);
  return plain({ student, teacher, overlap: frequencyOverlap(student, teacher, count) });
}

/** True where the Fourier measures of a cyclic group apply. */
export function hasFrequencies(task: Task): boolean {
  return ['add', 'sub', 'mul', 'div'].includes(task.modular?.op ?? '');
}

/** As JSON has it: a number that does not exist is null. */
export function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
