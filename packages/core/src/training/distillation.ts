/** Helpers shared by strategies: which layers are paired, which sites they need, how terms are combined. */
import * as tf from '@grok/tfjs';
import { InputError } from '../contracts/errors.js';
import type { ModelInfo, ObjectiveTerm, Site } from '../contracts/types.js';
import { own } from '../tensors/params.js';

/** Pairs of sites to compare, `[teacher's, student's]`. */
export type SitePairs = readonly (readonly [Site, Site])[];

/** Finds a teacher by name; errors name `subject`. @throws InputError that lists the known teachers. */
export function requireTeacher(
  subject: string,
  { teachers }: { readonly teachers: Readonly<Record<string, ModelInfo>> },
  name: string,
): ModelInfo {
  const found = own(teachers, name);
  if (found !== undefined) return found;
  throw new InputError(
    `${subject}: needs a teacher named "${name}", the run has ${Object.keys(teachers).join(', ') || 'none'}; name a finished run under "teachers"`,
  );
}

/**
 * Pairs sites of teacher layers with sites of student layers. `layers` maps teacher → student; without it,
 * depths must be equal and layers of the same index are paired.
 * @throws InputError if depths differ without a map, or if a map names a missing layer.
 */
export function layerPairs(
  models: { student: ModelInfo; teachers: Readonly<Record<string, ModelInfo>> },
  map: Readonly<Record<string, number>> | undefined,
  site: (layer: number) => Site,
  options: { teacher?: string; layers?: (model: ModelInfo) => number; what?: string } = {},
): SitePairs {
  const { teacher = 'teacher', layers = (model) => model.layers, what = 'blocks' } = options;
  const source = requireTeacher('distillation', models, teacher);
  const [t, s] = [layers(source), layers(models.student)];
  if (map === undefined) {
    if (t !== s)
      throw new InputError(
        `distillation: teacher has ${t} ${what}, student ${s}; give a layer map (teacher → student) such as {"${t - 1}": ${s - 1}}`,
      );
    return Array.from({ length: t }, (_, l) => [site(l), site(l)] as const);
  }
  return Object.entries(map).map(([from, to]) => {
    if (Number(from) >= t || to >= s)
      throw new InputError(
        `layer map {"${from}": ${to}}: teacher has ${what} 0 to ${t - 1}, student 0 to ${s - 1}`,
      );
    return [site(Number(from)), site(to)] as const;
  });
}

/** The `needs` of a term that compares pairs of sites. */
export function listNeeds(pairs: SitePairs, teacher = 'teacher'): ObjectiveTerm['needs'] {
  return {
    student: [...new Set(pairs.map(([, student]) => student))],
    teachers: { [teacher]: [...new Set(pairs.map(([site]) => site))] },
  };
}

/**
 * The parameter names of the tables behind a pair of sites, `[teacher's, student's]`, if both sites
 * are looked up by token. Such states are compared once per token instead of once per position,
 * with each token weighted by `tokenShares`.
 */
export function findTables(
  models: { student: ModelInfo; teachers: Readonly<Record<string, ModelInfo>> },
  [theirs, own]: SitePairs[number],
  teacher = 'teacher',
): readonly [string, string] | undefined {
  const findTable = (model: ModelInfo | undefined, site: Site): string | undefined =>
    model?.sites.find(({ name }) => name === site)?.table;
  const [from, to] = [findTable(models.teachers[teacher], theirs), findTable(models.student, own)];
  return from === undefined || to === undefined ? undefined : [from, to];
}
/** The share of each token in a batch, `[d_vocab, 1]`; tokens are int32 `[batch, pos]`. */
export function tokenShares(tokens: tf.Tensor, vocabulary: number): tf.Tensor2D {
  const ones = tf.fill([tokens.size, 1], 1 / tokens.size);
  const flat = tf.reshape(tokens, [-1]) as tf.Tensor1D;
  return tf.unsortedSegmentSum(ones, flat, vocabulary) as tf.Tensor2D;
}

/** Mean or sum of scalars. */
export function combine(how: 'mean' | 'sum', terms: readonly tf.Scalar[]): tf.Scalar {
  const total = terms.reduce((sum, term) => tf.add(sum, term));
  return how === 'sum' ? total : tf.mul(total, 1 / terms.length);
}

/**
 * The hidden states in order: embedding, then each block after attention and after the MLP, then the final
 * norm.
 */
export function hiddenStates(model: ModelInfo): readonly Site[] {
  const blocks = Array.from({ length: model.layers }, (_, l) => [
    `blocks.${l}.hook_resid_mid`,
    `blocks.${l}.hook_resid_post`,
  ]);
  return ['hook_embed', ...blocks.flat(), 'ln_final.hook_out'];
}
