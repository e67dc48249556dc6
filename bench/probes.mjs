/**
 * Measures the cost of probes: alternates epochs of the paper's teacher with every probe at its
 * defaults, so that both see the same machine. Prints each probe's share of a whole run; exits with
 * 1 above 5 % in total.
 */
import onnx from '@grok/backend-onnx';
import { createRegistry, openBackend } from '@grok/core';
import { composeExperiment, snapshot, train } from '@grok/core/internal';
import data from '@grok/data';
import metrics, { probes } from '@grok/metrics';
import model from '@grok/model';
import optim from '@grok/optim';

const ROUNDS = 3;
const EPOCHS = 150;
const experiment = {
  task: { use: 'div', options: { p: 97 } },
  model: { use: 'transformer', options: { dim: 128, depth: 2, heads: 1, dropout: 0.2 } },
  optimizer: { use: 'adamw', options: { learningRate: 1e-3, weightDecay: 1, warmup: 10 } },
  batch: 512,
  epochs: 2 * ROUNDS,
  seed: 42,
};
/** All probes of the package at their defaults; two of them need sites. */
const active = {
  'weight-norms': probes.weightNorms({}),
  crossings: probes.crossings({}),
  score: probes.score({}),
  'weight-statistics': probes.weightStatistics({}),
  'effective-ranks': probes.effectiveRanks({}),
  'attention-entropy': probes.attentionEntropies({ sites: ['blocks.*.attn.hook_pattern'] }),
  neurons: probes.neurons({ sites: ['blocks.*.mlp.hook_post'] }),
  gradients: probes.gradients({}),
  fourier: probes.fourier({}),
};

const registry = createRegistry([data, model, optim, onnx, metrics]);
const composed = await composeExperiment(experiment, registry, {});
// One thread, as in a study: probes use only one, and threads that wait for each other slow down
// on a busy machine more than plain code does.
const backend = await openBackend(registry, { backend: 'onnx', threads: 1 });
const now = () => performance.now() / 1000;
const epochs = [];
const times = Object.fromEntries(Object.keys(active).map((name) => [name, []]));
const history = [];
const { batch, epochs: most, seed } = experiment;
const run = {
  ...{ ...composed, run: 'bench', backend, batch, epochs: most, seed, now },
  ...{ checkpointEvery: 2, recordedSteps: new Set() },
};
for await (const event of train(run)) {
  if (event.type === 'epoch') {
    history.push(event.row);
    epochs.push(event.row.time.seconds);
  }
  if (event.type !== 'checkpoint') continue;
  for (const [name, probe] of Object.entries(active)) {
    const began = now();
    await probe.on(await snapshot(run, probe, event.checkpoint, history));
    times[name].push(now() - began);
  }
}
await backend.dispose();

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const whole = EPOCHS * median(epochs.slice(1));
console.log(
  `an epoch ${median(epochs.slice(1)).toFixed(3)} s, ${EPOCHS} of them ${whole.toFixed(1)} s`,
);
let total = 0;
for (const [name, probe] of Object.entries(active)) {
  const often =
    typeof probe.when === 'object' && 'every' in probe.when ? EPOCHS / probe.when.every : 1;
  const share = (often * median(times[name])) / whole;
  total += share;
  console.log(
    `${name.padEnd(18)} ${median(times[name]).toFixed(3)} s × ${String(often).padEnd(3)} ${(100 * share).toFixed(2)} %`,
  );
}
console.log(`all probes         ${(100 * total).toFixed(2)} % of a run`);
process.exitCode = total < 0.05 ? 0 : 1;
