/** Two models on the same inputs, hidden state by hidden state, and by the frequencies that they use. */
import { type HostArray, isInputError, type Json, rng, type Site, type Task } from '@grok/core';
import {
  type CyclicGroup,
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

/** Activations of a model on some rows. */
export type Sites = Readonly<Record<Site, HostArray>>;

/** Similarity of every common site; observations are positions, permuted and sampled by input. */
export function compareStates(student: Sites, teacher: Sites): Json {
  const theirs = new Map(Object.entries(teacher));
  return Object.fromEntries(
    Object.entries(student).flatMap(([site, own]) => {
      const other = theirs.get(site);
      return other === undefined ? [] : [[site, similarity(own, other)]];
    }),
  );
}

/**
 * Debiased CKA with its null at the last position of every common site; observations are inputs. Sites without
 * positions are skipped.
 */
export function compareLastPosition(student: Sites, teacher: Sites): Json {
  const [mine, theirs] = [lastPosition(student), lastPosition(teacher)];
  return plain(
    Object.fromEntries(
      [...mine].flatMap(([site, own]) => {
        const other = theirs.get(site);
        return other === undefined ? [] : [[site, { cka: testCka(own, other, 1) }]];
      }),
    ),
  );
}

/** The last position of sites of [batch, pos, width], as [batch, width]. */
function lastPosition(sites: Sites): ReadonlyMap<Site, HostArray> {
  return new Map(
    Object.entries(sites).flatMap(([site, array]): (readonly [Site, HostArray])[] => {
      const { shape, data } = array;
      const [batch = 0, positions = 0, width = 0] = shape;
      if (shape.length !== 3 || positions === 0) return [];
      const out = new Float32Array(batch * width);
      for (let row = 0; row < batch; row++) {
        const from = (row * positions + positions - 1) * width;
        out.set(data.subarray(from, from + width), row * width);
      }
      return [[site, { ...array, shape: [batch, width], data: out }]];
    }),
  );
}

/** Number of samples of the permutation test and of the half-sampling interval. */
export const DRAWS = { permutations: 99, resamples: 100 } as const;

function similarity(student: HostArray, teacher: HostArray): Json {
  const group = student.shape.length === 3 ? student.shape[1]! : 1;
  const correlations = cca(teacher, student);
  return plain({
    cka: testCka(student, teacher, group),
    cca: correlations.reduce((sum, r) => sum + r, 0) / correlations.length,
    svcca: svcca(teacher, student),
    pwcca: pwcca(teacher, student),
    procrustes: procrustes(teacher, student),
    rsa: rsa(teacher, student),
  });
}

function testCka(student: HostArray, teacher: HostArray, group: number): object {
  const found = ckaTest(teacher, student, { rng: rng(0).split('cka'), ...DRAWS, group });
  const { biased, debiased, interval, null: chance } = found;
  return { biased, debiased, interval, null: chance };
}

/**
 * Key frequencies of the logits over all rows of a modular task.
 * @throws InputError if a pair of the group has no row.
 */
export function findFrequencies(
  group: CyclicGroup,
  task: Task,
  logits: HostArray,
): readonly number[] {
  const all = Array.from(task.labels.keys());
  const powers = gridPowers(layOutGrid(group, task, all, logits));
  return keyFrequencies(powers).map(({ frequency }) => frequency);
}

/** Key frequencies of both models and their overlap, with its null distribution. */
export function compareFrequencies(
  group: CyclicGroup,
  student: readonly number[],
  teacher: readonly number[],
): Json {
  const count = highest(group.order);
  return plain({ student, teacher, overlap: frequencyOverlap(student, teacher, count) });
}

/**
 * The cyclic group for Fourier measures of a task; undefined if there is none. `missed` is called with the
 * reason if the operation has a group only for other moduli.
 */
export function findGroup(
  task: Task,
  missed: (reason: string) => void = () => {},
): CyclicGroup | undefined {
  if (!['add', 'sub', 'mul', 'div'].includes(task.modular?.op ?? '')) return undefined;
  try {
    return cyclicGroup(task);
  } catch (error) {
    if (!isInputError(error)) throw error;
    missed(error.message);
    return undefined;
  }
}

/** Converts to JSON; NaN and infinities become null. */
export function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
