/** A run as one flat record, for the command line, tables and statistics. */
import type { Manifest, MetricsRow } from '@grok/core';
import { allEpochsTo, bestOfLast } from '@grok/metrics';
import { median } from './stats/summary.js';

/** Results of a run; accuracies are 0–1, times in seconds, memory in bytes. */
export interface RunRecord {
  /** Hash of the experiment, 64 hex digits. */
  readonly run: string;
  /** Number of the model's parameters. */
  readonly parameters: number;
  /** Number of finished epochs. */
  readonly epochs: number;
  /** First epoch at each validation accuracy; null if never reached. */
  readonly epochsTo: Readonly<Record<string, number | null>>;
  readonly finalValAccuracy: number | null;
  /** Highest validation accuracy of the last ten epochs. */
  readonly bestOfLast10: number | null;
  readonly finalValLoss: number | null;
  readonly seconds: number;
  /** Median over epochs, including evaluation. */
  readonly secondsPerEpoch: number | null;
  readonly peakMemoryBytes: number | null;
  readonly splitHash: string;
  /** SHA-256 of the model's parameters (little-endian float32), without auxiliary parameters. */
  readonly paramsSha256: string | null;
  readonly backend: string;
  readonly status: Manifest['status'];
  readonly seed: number;
  /** Whether the teacher was trained on validation rows of this run. */
  readonly leaked: boolean;
  /** The run's folder. */
  readonly out: string;
}

/** Summarizes a run's manifest and metrics; `out` is its folder. Values that are not known yet are null. */
export function buildRecord(
  manifest: Manifest,
  history: readonly MetricsRow[],
  out: string,
): RunRecord {
  const last = history.at(-1);
  return {
    run: manifest.run,
    parameters: manifest.parameters,
    epochs: last?.epoch ?? 0,
    epochsTo: allEpochsTo(history),
    finalValAccuracy: last?.validation.accuracy ?? null,
    bestOfLast10: last === undefined ? null : bestOfLast(history, 10),
    finalValLoss: last?.validation.loss ?? null,
    seconds: manifest.seconds,
    secondsPerEpoch: secondsPerEpoch(history),
    peakMemoryBytes: manifest.peakMemoryBytes ?? null,
    splitHash: manifest.splitHash,
    paramsSha256: manifest.paramsSha256 ?? null,
    backend: manifest.backend,
    status: manifest.status,
    seed: manifest.seeds.seed,
    leaked: manifest.leaked ?? false,
    out,
  };
}

/** Median seconds per epoch, including evaluation; null before the first epoch. */
export function secondsPerEpoch(history: readonly MetricsRow[]): number | null {
  return median(
    // A row may cover several epochs.
    history.map((row, i) => row.time.seconds / (row.epoch - (history[i - 1]?.epoch ?? 0))),
  );
}
