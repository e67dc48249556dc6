/**
 * Circuits of runs: `node bench/circuits.mjs FOLDER[@STEP]…`. Prints the cost and result of each
 * search, over all rows of the task, and the overlap of every pair of runs with its chance level.
 */
import onnx from '@grok/backend-onnx';
import { createRegistry } from '@grok/core';
import data from '@grok/data';
import attention from '@grok/distill-attention';
import feature from '@grok/distill-feature';
import logit from '@grok/distill-logit';
import { compareCircuits, findCircuit, makeBatch, matchNeurons } from '@grok/interp';
import { openRun } from '@grok/interp/node';
import { cyclicGroup, gridPowers, layOutGrid, neuronFrequencies } from '@grok/metrics';
import model from '@grok/model';
import optim from '@grok/optim';

const registry = createRegistry([data, model, optim, logit, attention, feature, onnx]);
const folders = process.argv.slice(2);
const round = (value) => Number(value.toPrecision(3));
const tested = ({ value, chance, p }) => `${round(value)} (chance ${round(chance)}, p ${round(p)})`;

/** The key frequency of each neuron, from its activations over all rows of a modular task. */
function findFrequencies(task, activations) {
  const group = cyclicGroup(task);
  const grid = layOutGrid(group, task, [...task.labels.keys()], activations);
  return neuronFrequencies(gridPowers(grid), group.order).map(({ frequency }) => frequency);
}

const found = [];
for (const named of folders) {
  const [folder, step] = named.split('@');
  const run = await openRun(folder, { registry, at: step === undefined ? 'last' : Number(step) });
  const batch = makeBatch(run.task, [...run.task.labels.keys()]);
  const before = process.cpuUsage();
  const circuit = await findCircuit(run.model, { batch, metric: 'loss' });
  const { user, system } = process.cpuUsage(before);
  const heads = circuit.members.filter(({ kind }) => kind === 'head').length;
  console.log(
    [
      `${folder}: step ${run.step}, ${batch.labels.length} rows, ${circuit.components.length} components`,
      `loss ${round(circuit.full)}, all ablated ${round(circuit.ablated)}`,
      `${heads} heads and ${circuit.members.length - heads} neurons keep ${round(circuit.share)}`,
      `without any one of them at most ${round(Math.max(...Object.values(circuit.without)))}`,
      `${circuit.evaluations.forwardPasses} forward passes, ${circuit.evaluations.logitUpdates} updates of the logits`,
      `${round((user + system) / 1e6)} s of processor time`,
    ].join('; '),
  );
  found.push({ folder, run, batch, circuit });
}
for (const [i, a] of found.entries())
  for (const b of found.slice(i + 1)) {
    const neurons = await matchNeurons(a.run.model, b.run.model, a.batch.inputs, {
      label: (activations) => findFrequencies(a.run.task, activations),
    });
    const overlap = compareCircuits(a.circuit, b.circuit, { neurons });
    const matches = neurons.flat().map(({ correlation }) => Math.abs(correlation));
    const pairs = neurons.flat().map(({ labels }) => labels);
    const same = pairs.filter((pair) => pair.a === pair.b).length / pairs.length;
    const chance =
      pairs.flatMap((one) => pairs.filter((other) => one.a === other.b)).length / pairs.length ** 2;
    const mean = matches.reduce((sum, value) => sum + value, 0) / matches.length;
    console.log(
      `${a.folder} and ${b.folder}: mean |correlation| of matched neurons ${round(mean)}, one key frequency in ${round(100 * same)} % of pairs (chance ${round(100 * chance)} %); Jaccard ${tested(overlap.jaccard)}; rank correlation of effects ${tested(overlap.rankCorrelation)}; ${overlap.matched} pairs`,
    );
  }
for (const { run } of found) await run.close();
