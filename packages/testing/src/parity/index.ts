/**
 * The parity runner: files of the reference's results on every backend at hand. It needs no vitest,
 * so scripts and browsers can run it too; the features under test are handed in.
 */
import type { Backend } from '@grok/core';
import { type ParityFile, parityCase } from './case.js';
import { distillCase } from './distill.js';
import type { Find, ParityMetrics } from './features.js';
import { isSplits, metricsCase, splitsCase } from './host.js';
import { modelCase } from './model.js';
import { isStatistics, type ParityStatistics, statisticsCase } from './statistics.js';
import { verdict } from './verdict.js';

export type { ParityFile } from './case.js';
export type { Find, ParityMetrics } from './features.js';
export type { ParityStatistics } from './statistics.js';

/** A backend to hold the files against. */
export interface ParityBackend {
  /** How it is called in results, such as `onnx, 2 threads`. */
  readonly name: string;
  create(): Backend | Promise<Backend>;
}
/** What came out of one file on one backend. */
export interface ParityResult {
  readonly file: string;
  readonly backend: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  /** Worst deviation over its tolerance: above 1 fails. */
  readonly ratio: number;
  /** What was worst, or why the file failed or was skipped. */
  readonly where: string;
  /** Number of arrays and facts compared. */
  readonly checked: number;
}

/**
 * Runs every file on every backend, one backend after another; nothing is thrown, results tell.
 * Kinds: `model`, `dropout`, `distill`, `metrics` (skipped without `metrics`), and JSON with splits
 * or statistics (skipped without `statistics`).
 */
export async function runParity(what: {
  readonly backends: readonly ParityBackend[];
  readonly files: readonly ParityFile[];
  /** The features under test: `transformer`, `adamw`, `hard`, `logit`, `attention`, `feature`, tasks, `numpy`. */
  readonly find: Find;
  readonly metrics?: ParityMetrics | undefined;
  readonly statistics?: ParityStatistics | undefined;
  /** Called with each result as it comes. */
  readonly onResult?: (result: ParityResult) => void;
}): Promise<readonly ParityResult[]> {
  const results: ParityResult[] = [];
  for (const { name, create } of what.backends) {
    let backend: Backend | undefined;
    let trouble: string | undefined;
    try {
      backend = await create();
    } catch (error) {
      trouble = String(error);
    }
    for (const file of what.files) {
      const result =
        backend === undefined
          ? failure(trouble ?? 'the backend did not start')
          : await runFile(file, backend, what);
      results.push({ file: file.name, backend: name, ...result });
      what.onResult?.(results.at(-1)!);
    }
    await backend?.dispose();
  }
  return results;
}

type Outcome = Omit<ParityResult, 'file' | 'backend'>;
const failure = (where: string): Outcome => ({
  status: 'failed',
  ratio: Number.POSITIVE_INFINITY,
  where,
  checked: 0,
});
const skip = (where: string): Outcome => ({ status: 'skipped', ratio: 0, where, checked: 0 });

async function runFile(
  file: ParityFile,
  backend: Backend,
  {
    find,
    metrics,
    statistics,
  }: Pick<Parameters<typeof runParity>[0], 'find' | 'metrics' | 'statistics'>,
): Promise<Outcome> {
  const found = verdict();
  try {
    if (file.name.endsWith('.json')) {
      const json = JSON.parse(new TextDecoder().decode(file.bytes)) as object;
      if (isSplits(json)) splitsCase(json, find, found);
      else if (!isStatistics(json))
        return failure(`no splits or statistics in it, but ${Object.keys(json).join(', ')}`);
      else if (statistics === undefined) return skip('no statistics were handed in');
      else statisticsCase(json, statistics, found);
    } else {
      const of = parityCase(file);
      if (of.kind === 'model' || of.kind === 'dropout') await modelCase(of, backend, find, found);
      else if (of.kind === 'distill') await distillCase(of, backend, find, found);
      else if (of.kind !== 'metrics') return failure(`is of unknown kind "${of.kind}"`);
      else if (metrics === undefined) return skip('no metrics were handed in');
      else metricsCase(of, metrics, found);
    }
  } catch (error) {
    return failure((error as Error).stack ?? String(error));
  }
  if (found.checked === 0) return failure('nothing in it was recognised');
  const { ratio, checked, problems } = found;
  return ratio <= 1
    ? { status: 'passed', ratio, where: found.where, checked }
    : { status: 'failed', ratio, where: problems.slice(0, 5).join('; '), checked };
}

/** One line for people: file, backend, verdict, worst deviation over tolerance. */
export function parityLine({ file, backend, status, ratio, where, checked }: ParityResult): string {
  const what = `${file.padEnd(32)} ${backend.padEnd(18)} ${status.padEnd(7)}`;
  if (status === 'skipped') return `${what} ${where}`;
  return `${what} ${ratio.toFixed(3)} of the tolerance in ${checked} checks${status === 'passed' && ratio === 0 ? '' : `: ${where}`}`;
}
