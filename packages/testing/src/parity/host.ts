/** Cases that need no backend: `metrics`, and the splits of `splits.json`. */
import type { HostArray, Task, TypedArray } from '@grok/core';
import { sha256Hex, takeRows } from '@grok/core/internal';
import { hostArray, type ParityCase, TASK_OF } from './case.js';
import { type Find, make, type ParityMetrics } from './features.js';
import type { ParityValues, ParityVerdict } from './verdict.js';

/** Runs a case of kind `metrics`; results are named by the measure and its tensors. */
export function metricsCase(of: ParityCase, metrics: ParityMetrics, found: ParityVerdict): void {
  const array = (name: string): HostArray => hostArray(of.tensor(name));
  const measure: Record<string, (names: readonly string[]) => number> = {
    cka: ([x = '', y = '']) => metrics.cka(array(x), array(y)),
    participation: ([x = '']) => metrics.participation(array(x), of.setting('threshold', 0.01)),
    entropy: ([x = '']) => metrics.attentionEntropy(array(x)),
  };
  for (const [what, f] of Object.entries(measure))
    for (const [names, want] of Object.entries(of.group(`${what}/`)))
      found.check(`${what}/${names}`, scalar(f(names.split(','))), want, { absolute: 1e-5 });
}
/** In float64, since float32 would be compared after rounding. */
const scalar = (value: number): ParityValues => ({ shape: [], data: [value] });

interface Splits {
  readonly numpy_permutation?: readonly {
    seed: number;
    n: number;
    first: number[];
    sha256: string;
  }[];
  readonly splits?: readonly {
    p: number;
    op: string;
    train_fraction: number;
    seed: number;
    n_train: number;
    n_val: number;
    first_train: number[][];
    first_labels: number[];
    sha256_train_tokens: string;
    sha256_train_labels: string;
    sha256_val_tokens: string;
    sha256_val_labels: string;
  }[];
}
/** True for the contents of a `splits.json`. */
export function isSplits(json: object): json is Splits {
  return 'numpy_permutation' in json || 'splits' in json;
}

/** Compares tasks and the `numpy` split with a `splits.json`, exactly. */
export function splitsCase(json: Splits, find: Find, found: ParityVerdict): void {
  for (const { seed, n, first, sha256 } of json.numpy_permutation ?? []) {
    const { train, validation } = make(find, 'split', 'numpy')(n, seed);
    const all = Int32Array.from([...train, ...validation]);
    const name = `permutation of ${n}, seed ${seed}`;
    found.require(name, all.slice(0, first.length).join() === first.join(), 'begins otherwise');
    found.require(name, sha256Hex(bytes(all)) === sha256, 'has another SHA-256');
  }
  for (const split of json.splits ?? []) {
    const { p, op, seed, train_fraction: trainFraction } = split;
    const task = make(find, 'task', TASK_OF[op] ?? op, { p });
    const parts = make(find, 'split', 'numpy', { trainFraction })(task.labels.length, seed);
    const name = `${op} mod ${p}, seed ${seed}`;
    const train = pick(task, parts.train);
    const val = pick(task, parts.validation);
    found.require(
      name,
      train.labels.length === split.n_train && val.labels.length === split.n_val,
      `has ${train.labels.length} and ${val.labels.length} rows`,
    );
    found.require(
      name,
      train.tokens.join().startsWith(split.first_train.flat().join()) &&
        train.labels.join().startsWith(split.first_labels.join()),
      'begins otherwise',
    );
    for (const [key, values] of [
      ['sha256_train_tokens', train.tokens],
      ['sha256_train_labels', train.labels],
      ['sha256_val_tokens', val.tokens],
      ['sha256_val_labels', val.labels],
    ] as const)
      found.require(`${name}: ${key}`, sha256Hex(bytes(values)) === split[key], 'differs');
  }
}

function pick({ inputs, labels }: Task, rows: Int32Array): Record<'tokens' | 'labels', TypedArray> {
  const column: HostArray = { shape: [labels.length], dtype: 'int32', data: labels };
  return { tokens: takeRows(inputs, rows).data, labels: takeRows(column, rows).data };
}
const bytes = (values: TypedArray): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
