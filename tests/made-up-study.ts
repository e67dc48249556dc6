/** Synthetic runs for tests: curves with a known crossing, without training. */

import type { PublishedAnalysis } from '@grok/analysis';
import { type Experiment, type MetricsRow, memoryStore } from '@grok/core';
import { type BegunRun, buildRecord } from '@grok/study';

/** The results of a synthetic run. */
export interface MadeUp {
  readonly name: string;
  readonly seed?: number;
  /** Epoch of 99 % validation accuracy; null: never. */
  readonly crossing?: number | null;
  readonly final?: number;
  readonly epochs?: number;
  readonly parameters?: number;
  readonly wd?: number;
  readonly p?: number;
  readonly learningRate?: number;
  readonly dropout?: number;
  readonly leaked?: boolean;
  readonly override?: string;
}

/** A finished run: validation accuracy is 0.01 until halfway to the crossing, then rises linearly. */
export function madeUp({
  name,
  seed = 0,
  crossing = 100,
  final = crossing === null ? 0.02 : 1,
  epochs = 150,
  parameters = 1000,
  wd = 1,
  p = 97,
  learningRate = 0.001,
  dropout = 0.2,
  leaked = false,
  override,
}: MadeUp): BegunRun {
  const at = crossing ?? 10 * epochs;
  const history: MetricsRow[] = Array.from({ length: epochs }, (_, i) => {
    const epoch = i + 1;
    const rising = 0.01 + 1e-9 + (0.98 * (epoch - 0.9 * at)) / (0.1 * at);
    const accuracy = epoch === epochs ? final : Math.max(0.01, Math.min(final, rising));
    return {
      epoch,
      step: 10 * epoch,
      train: { loss: 1 / epoch, accuracy: Math.min(1, epoch / 50) },
      terms: { hard: 1 / epoch },
      validation: { loss: 2 / epoch, accuracy },
      time: { seconds: 0.5 },
    };
  });
  const use = (option: string, options: object) => ({ use: option, options: options as never });
  const run = [...`${name}${seed}${wd}${override ?? ''}`]
    .reduce((hash, char) => (hash * 31 + char.charCodeAt(0)) >>> 0, 7)
    .toString(16)
    .padStart(64, '0');
  const isTeacher = name === 'teacher';
  const experiment: Experiment = {
    task: use('div', { p }),
    split: use('numpy', { trainFraction: 0.5 }),
    model: use('transformer', { dim: isTeacher ? 128 : 64, depth: 2, heads: 1, dropout }),
    optimizer: use('adamw', { learningRate, weightDecay: wd, warmup: isTeacher ? 10 : 0 }),
    objective: [{ use: 'hard' }, ...(name === 'teacher' || name === 'none' ? [] : [{ use: name }])],
    batch: 512,
    epochs,
    seed,
  };
  const manifest = {
    format: 'grok manifest 1' as const,
    run,
    slug: name,
    status: 'finished' as const,
    parameters,
    epoch: epochs,
    step: 10 * epochs,
    splitHash: 'ab'.repeat(32),
    seeds: { seed, splitSeed: seed },
    paramsSha256: 'cd'.repeat(32),
    ...(leaked ? { leaked } : {}),
    backend: 'wasm',
    device: 'tfjs-backend-wasm, 1 thread',
    threads: 1,
    execution: {},
    versions: {},
    peakMemoryBytes: 2 ** 28,
    seconds: epochs / 2,
  };
  const store = { ...memoryStore(), where: `runs/${name}-s${seed}` };
  const config = { format: 'grok run 2' as const, run, experiment, execution: {} };
  const record = buildRecord(manifest, history, store.where);
  return {
    ...{ key: `${name} ${seed}`, name, seed, needs: {}, experiment, run: manifest.run },
    ...(override === undefined ? {} : { override }),
    ...{ role: name === 'teacher' ? 'teacher' : name === 'none' ? 'control' : 'student' },
    ...{ state: 'finished', folder: store.where, store, config, manifest, history, record },
  };
}

/** The published analysis, as in the paper's tables. */
export const paper: PublishedAnalysis = {
  weight_statistics: Object.fromEntries(
    (
      [
        ['teacher', 15805.38, 30.90546, 550272],
        ['student_logit', 7079.816, 29.15009, 144064],
        ['student_attention', 6364.968, 25.34528, 144064],
        ['student_feature', 6474.375, 26.71812, 144064],
      ] as const
    ).map(([name, L1, L2, count]) => [
      name,
      { L0: count, L1, L2, total_params: count, sparsity: 0 },
    ]),
  ),
  cka_scores: {
    layer_0: { logit: 0.924, attention: 0.895, feature: 0.907 },
    layer_1: { logit: 0.593, attention: 0.677, feature: 0.608 },
  },
  effective_ranks: {
    layer_0: { teacher: 38.7, logit: 25.8, attention: 24.1, feature: 19.7 },
    layer_1: { teacher: 41.2, logit: 30.7, attention: 26.6, feature: 25.3 },
  },
  attention_entropies: {
    layer_0: { teacher: 0.768, logit: 0.779, attention: 0.781, feature: 0.764 },
    layer_1: { teacher: 0.524, logit: 0.45, attention: 0.484, feature: 0.611 },
  },
};
