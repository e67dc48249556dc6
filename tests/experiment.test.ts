/** What an experiment may say beside its components: small runs that show each key at work. */
import wasm from '@grok/backend-wasm';
import {
  createRegistry,
  type Experiment,
  type MetricsRow,
  memoryStore,
  type Plugin,
  type RunResult,
  specSchemaOf,
  startRun,
} from '@grok/core';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';
import { describe, expect, it } from 'vitest';

const experiment: Experiment = {
  task: { use: 'div', options: { p: 5 } },
  model: { use: 'transformer', options: { dim: 8, depth: 1, heads: 1 } },
  optimizer: { use: 'adamw', options: { learningRate: 1e-2 } },
  batch: 10, // all training rows: one step an epoch
  epochs: 6,
  seed: 1,
};

const registryOf = (...more: Plugin[]) => createRegistry([data, model, optim, wasm, ...more]);

function run(changes: Partial<Experiment>, ...plugins: Plugin[]): Promise<RunResult> {
  const spec = { experiment: { ...experiment, ...changes }, execution: { backend: 'wasm' } };
  return startRun(spec, { registry: registryOf(...plugins), store: memoryStore() });
}
const withoutTime = (rows: readonly MetricsRow[]) => rows.map(({ time: _, ...row }) => row);

describe('the weight of a term', () => {
  it('may be a schedule of the steps taken (catches: a weight read once, a step counted from 1)', async () => {
    const weight = { schedule: 'linear', from: 1, to: 0, begin: 1, steps: 4 } as const;
    const { history } = await run({ objective: [{ use: 'hard', weight }] });
    const weights = history.map(({ train, terms: { hard = Number.NaN } }) => train.loss / hard);
    [1, 1, 0.75, 0.5, 0.25, 0].forEach((wanted, i) => {
      expect(weights[i]).toBeCloseTo(wanted, 5);
    });
  });

  it('is a constant where both ends are equal (catches: a schedule that multiplies twice)', async () => {
    const weight = { schedule: 'cosine', from: 0.5, to: 0.5, steps: 3 } as const;
    const scheduled = await run({ objective: [{ use: 'hard', weight }] });
    const constant = await run({ objective: [{ use: 'hard', weight: 0.5 }] });
    expect(withoutTime(scheduled.history)).toEqual(withoutTime(constant.history));
    expect(scheduled.manifest.paramsSha256).toBe(constant.manifest.paramsSha256);
  });

  it('is refused by its key when it is no weight (catches: steps 0, a misspelt name)', async () => {
    const weight = { schedule: 'linear', from: 1, to: 0, steps: 0 } as const;
    await expect(run({ objective: [{ use: 'hard', weight }] })).rejects.toThrow(
      /objective\.0\.weight/,
    );
  });

  it('is in the schema of specifications (catches: red lines under a good file)', () => {
    expect(JSON.stringify(specSchemaOf(registryOf()))).toContain('"enum":["linear","cosine"]');
  });
});
