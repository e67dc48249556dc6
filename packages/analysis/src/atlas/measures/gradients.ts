/** Gradients of the loss on training rows: their size and how much of them is signal, and the angles between terms. */
import { composeExperiment, createGradientReader, gradientsByTerm } from '@grok/core/internal';
import { averageGradients, gradientCosines, summarizeGradients } from '@grok/metrics';
import type { AtlasMeasure, Subject } from '../measure.js';
import { cell, type TableRow } from '../tables.js';

const BATCHES = 4;

/** Table `gradients`: a row for each state and layer, of the hard loss without dropout. */
export const gradientsMeasure: AtlasMeasure = {
  name: 'gradients',
  readsStates: true,
  async measure({ model, task, split, steps, readState }) {
    const reading = createGradientReader(model.backend, model.model);
    const found: TableRow[] = [];
    try {
      for (const step of steps) {
        const { params } = await readState(step);
        const batches = await reading.read(params, task, split.train, BATCHES);
        const { norms, noise, agreement } = summarizeGradients(batches);
        for (const [layer, norm] of Object.entries({ all: norms.all, ...norms.layers })) {
          const own = layer === 'all' ? noise.all : noise.layers[layer];
          const agreed = layer === 'all' ? agreement.all : agreement.layers[layer];
          found.push({
            ...{ step, layer, norm: cell(norm), signalToNoise: cell(own?.signalToNoise) },
            agreement: cell(agreed),
          });
        }
      }
    } finally {
      reading.dispose();
    }
    return { gradients: found };
  },
};

/** Table `cosines`: between the gradients of every two terms of a run's loss at its last step, by layer. */
export const termGradientsMeasure: AtlasMeasure = {
  name: 'terms',
  async measure(subject) {
    const { terms } = await readTerms(subject);
    const means = Object.entries(terms).map(([name, batches]) => [name, averageGradients(batches)]);
    const { names, all, layers, chance } = gradientCosines(Object.fromEntries(means));
    return {
      cosines: Object.entries({ all, ...layers }).flatMap(([layer, matrix]) =>
        matrix.flatMap((row, i) =>
          row.map((cosine, j) => ({
            ...{ layer, a: names[i] ?? '', b: names[j] ?? '', cosine: cell(cosine) },
            chance: cell(layer === 'all' ? chance.all : chance.layers[layer]),
          })),
        ),
      ),
    };
  },
};

async function readTerms({
  host,
  run,
  model,
  split,
  readCheckpoint,
}: Subject): ReturnType<typeof gradientsByTerm> {
  const { experiment } = run.config;
  const stores = host.teacherStores(run);
  const composed = await composeExperiment(experiment, host.registry, stores);
  const { task, objective, teachers } = composed;
  return gradientsByTerm(
    { backend: model.backend, task, model: composed.model, objective, teachers, seed: run.seed },
    await readCheckpoint(),
    split.train,
    BATCHES,
  );
}
