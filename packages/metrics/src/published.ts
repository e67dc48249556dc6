/**
 * The paper's section 4.3 as its script computed it, in the layout of its
 * `mechanistic_analysis_results.json`: "layers" 0 and 1 are the hidden states 0 and 1 (the embedding,
 * and block 0 after attention), positions count as rows, CKA is biased, ranks are uncentered.
 */
import type { HostArray, HostParams, Json } from '@grok/core';
import { attentionEntropy } from './attention.js';
import { cka } from './cka.js';
import { parameterCount } from './norms.js';
import { participation } from './rank.js';
import { singularValues, toMatrix } from './rows.js';
import { computeWeightStatistics } from './weights.js';

/** Data of one model for the published analysis, which used the first 500 training rows. */
export interface AnalyzedModel {
  /** The model's parameters, without auxiliary parameters. */
  readonly params: HostParams;
  /** Hidden states in order, `[batch, pos, d]` each. */
  readonly states: readonly HostArray[];
  /** Attention patterns by block, `[batch, head, query, key]` each. */
  readonly patterns: readonly HostArray[];
}

/**
 * The published analysis of a teacher and its students by strategy. It uses as many "layers" of hidden states
 * as the teacher has blocks, or all of them with `layers: 'all'`; values are null if a student is not that
 * deep.
 */
export function asPublished(
  teacher: AnalyzedModel,
  students: Readonly<Record<string, AnalyzedModel>>,
  options: { layers?: 'published' | 'all' } = {},
): Json {
  const all = { teacher, ...students };
  const each = <T>(
    models: Readonly<Record<string, AnalyzedModel>>,
    of: (model: AnalyzedModel) => T,
  ) => Object.fromEntries(Object.entries(models).map(([name, model]) => [name, of(model)]));
  const layers = <T>(values: readonly HostArray[], of: (layer: number, value: HostArray) => T) =>
    Object.fromEntries(values.map((value, l) => [`layer_${l}`, of(l, value)]));
  const states =
    options.layers === 'all' ? teacher.states : teacher.states.slice(0, teacher.patterns.length);
  const ifThere = (value: HostArray | undefined, of: (value: HostArray) => number) =>
    value === undefined ? null : of(value);
  const rank = (value: HostArray) => participation(singularValues(toMatrix(value)), 0.01);
  return {
    weight_statistics: Object.fromEntries(
      Object.entries(each(all, weights)).map(([name, value]) => [
        name === 'teacher' ? name : `student_${name}`,
        value,
      ]),
    ),
    cka_scores: layers(states, (l, theirs) =>
      each(students, (model) => ifThere(model.states[l], (own) => cka(theirs, own))),
    ),
    effective_ranks: layers(states, (l) => each(all, (model) => ifThere(model.states[l], rank))),
    attention_entropies: layers(teacher.patterns, (l) =>
      each(all, (model) => ifThere(model.patterns[l], (own) => attentionEntropy(own).mean)),
    ),
  };
}

function weights({ params }: AnalyzedModel): Json {
  const { l0, l1, l2, sparsity } = computeWeightStatistics(params).all;
  return { L0: l0, L1: l1, L2: l2, total_params: parameterCount(params), sparsity };
}
