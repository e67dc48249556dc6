import type { RunRecord } from '@grok/study';

/** A finished run's record with the fields that a test cares about. */
export function record(some: Partial<RunRecord> = {}): RunRecord {
  return {
    run: 'a'.repeat(64),
    parameters: 144064,
    epochs: 150,
    epochsTo: { '0.5': 94, '0.9': 118, '0.95': 120, '0.99': 128, '0.999': null },
    finalValAccuracy: 0.9991,
    bestOfLast10: 0.9993,
    finalValLoss: 0.01,
    seconds: 41.23,
    secondsPerEpoch: 0.2649,
    peakMemoryBytes: 300 * 2 ** 20,
    splitHash: 'b'.repeat(64),
    paramsSha256: 'c'.repeat(64),
    backend: 'onnx',
    status: 'finished',
    seed: 42,
    leaked: false,
    out: 'none-aaaaaaaaaa',
    ...some,
  };
}
