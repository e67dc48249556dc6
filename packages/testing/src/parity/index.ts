/**
 * The parity runner: compares files of the reference's results on every available backend. It needs
 * no vitest, so scripts and browsers can run it too; the features under test are passed in.
 */
import type { Backend } from '@grok/core';
import { type ParityFile, parityCase } from './case.js';
import { distillCase } from './distill.js';
import type { Find, ParityMetrics } from './features.js';
import { isSplits, metricsCase, splitsCase } from './host.js';
import { modelCase } from './model.js';
import { isStatistics, type ParityStatistics, statisticsCase } from './statistics.js';
import { type ParityVerdict, verdict } from './verdict.js';

export type { ParityFile } from './case.js';
export type { Find, ParityMetrics } from './features.js';
export type { ParityStatistics } from './statistics.js';

/** A backend to test. */
export interface ParityBackend {
  /** Name in results, such as `onnx, 2 threads`. */
  readonly name: string;
  create(): Backend | Promise<Backend>;
}
/** Result of one file on one backend. */
export interface ParityResult {
  readonly file: string;
  readonly backend: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  /** Largest deviation over its tolerance: above 1 fails. */
  readonly ratio: number;
  /** The largest deviation, or why the file failed or was skipped. */
  readonly where: string;
  /** Number of compared arrays and values. */
  readonly checked: number;
}

/**
 * Runs every file on every backend, one backend after another, and returns results instead of throwing. Kinds:
 * `model`, `dropout`, `distill`, `metrics` (skipped without `metrics`), and JSON with splits or statistics
 * (skipped without `statistics`).
 */
export async function runParity(what: {
  readonly backends: readonly ParityBackend[];
  readonly files: readonly ParityFile[];
  /**
   * The components under test: `transformer`, `adamw`, `hard`, `logit`, `attention`, `feature`, tasks, `numpy`.
   */
  readonly find: Find;
  readonly metrics?: ParityMetrics | undefined;
  readonly statistics?: ParityStatistics | undefined;
  /** Called with each result. */
  readonly onResult?: (result: ParityResult) => void;
}): Promise<readonly ParityResult[]> {
  const results: ParityResult[] = [];
  for (const { name, create } of what.backends) {
    const backend = await start(create);
    for (const file of what.files) {
      const outcome =
        typeof backend === 'string' ? failure(backend) : await runFile(file, backend, what);
      const result = { file: file.name, backend: name, ...outcome };
      results.push(result);
      what.onResult?.(result);
    }
    if (typeof backend !== 'string') await backend.dispose();
  }
  return results;
}

/** The backend, or the reason why it did not start. */
async function start(create: ParityBackend['create']): Promise<Backend | string> {
  try {
    return await create();
  } catch (error) {
    return `the backend did not start: ${error}`;
  }
}

type Outcome = Omit<ParityResult, 'file' | 'backend'>;
const failure = (where: string): Outcome => ({
  status: 'failed',
  ratio: Number.POSITIVE_INFINITY,
  where,
  checked: 0,
});
const skip = (where: string): Outcome => ({ status: 'skipped', ratio: 0, where, checked: 0 });

type Features = Pick<Parameters<typeof runParity>[0], 'find' | 'metrics' | 'statistics'>;

async function runFile(file: ParityFile, backend: Backend, features: Features): Promise<Outcome> {
  const found = verdict();
  try {
    const ended = file.name.endsWith('.json')
      ? runJson(file, features, found)
      : await runTensors(file, backend, features, found);
    if (ended !== undefined) return ended;
  } catch (error) {
    return failure(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  if (found.checked === 0) return failure('nothing in it was recognized');
  const { ratio, checked, problems } = found;
  return ratio <= 1
    ? { status: 'passed', ratio, where: found.where, checked }
    : { status: 'failed', ratio, where: problems.slice(0, 5).join('; '), checked };
}

/** Compares a file of splits or statistics with computed values; returns an outcome if nothing is compared. */
function runJson(
  file: ParityFile,
  { find, statistics }: Features,
  found: ParityVerdict,
): Outcome | undefined {
  const json: object = JSON.parse(new TextDecoder().decode(file.bytes));
  if (isSplits(json)) splitsCase(json, find, found);
  else if (!isStatistics(json))
    return failure(`no splits or statistics in it, but ${Object.keys(json).join(', ')}`);
  else if (statistics === undefined) return skip('no statistics were handed in');
  else statisticsCase(json, statistics, found);
  return undefined;
}

/** The same for a file of tensors. */
async function runTensors(
  file: ParityFile,
  backend: Backend,
  { find, metrics }: Features,
  found: ParityVerdict,
): Promise<Outcome | undefined> {
  const of = parityCase(file);
  switch (of.kind) {
    case 'model':
    case 'dropout':
      await modelCase(of, backend, find, found);
      return undefined;
    case 'distill':
      await distillCase(of, backend, find, found);
      return undefined;
    case 'metrics':
      if (metrics === undefined) return skip('no metrics were handed in');
      metricsCase(of, metrics, found);
      return undefined;
    default:
      return failure(`has unknown kind "${of.kind}"`);
  }
}

/** A result as one line: file, backend, verdict, largest deviation over tolerance. */
export function parityLine({ file, backend, status, ratio, where, checked }: ParityResult): string {
  const what = `${file.padEnd(32)} ${backend.padEnd(18)} ${status.padEnd(7)}`;
  if (status === 'skipped') return `${what} ${where}`;
  return `${what} ${ratio.toFixed(3)} of the tolerance in ${checked} checks${status === 'passed' && ratio === 0 ? '' : `: ${where}`}`;
}
