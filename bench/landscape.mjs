/**
 * The landscape around runs: `node bench/landscape.mjs FOLDER…`, runs of one model and task. Prints, over all rows
 * of the task, the line from initial to final parameters, the barrier from before the run
 * generalized, curvature, and the barriers between every two runs before and after alignment.
 */
import onnx from '@grok/backend-onnx';
import { createRegistry, readMetrics, rng } from '@grok/core';
import { fileStore } from '@grok/core/node';
import data from '@grok/data';
import attention from '@grok/distill-attention';
import feature from '@grok/distill-feature';
import logit from '@grok/distill-logit';
import {
  align,
  connectByBezier,
  connectLinearly,
  createLossSurface,
  hessianEigenvalues,
  hessianTrace,
  lossOnLine,
  makeBatch,
} from '@grok/interp';
import { openRun } from '@grok/interp/node';
import model from '@grok/model';
import optim, { adamw } from '@grok/optim';

const registry = createRegistry([data, model, optim, logit, attention, feature, onnx]);
const round = (value) => Number(value.toPrecision(3));
const show = ({ loss, accuracy }) => `${round(loss)} nats, ${round(100 * accuracy)} % of accuracy`;
const seconds = async (measure) => {
  const before = process.cpuUsage();
  const value = await measure();
  const { user, system } = process.cpuUsage(before);
  return [value, `${round((user + system) / 1e6)} s of processor time`];
};

/**
 * The last step that was evaluated before half of the validation rows are right; none of a distilled run, which would
 * need its teacher to train again to that step.
 */
async function findBefore(folder, { experiment }) {
  if (experiment.teachers !== undefined) return undefined;
  const rows = await readMetrics(fileStore(folder));
  return rows.findLast(({ validation }) => validation.accuracy < 0.5)?.step;
}

const runs = [];
for (const folder of process.argv.slice(2)) {
  const [first] = runs;
  const open = (at) => openRun(folder, { registry, backend: first?.run.backend, at });
  const run = await open('last');
  const batch = makeBatch(run.task, [...run.task.labels.keys()]);
  const surface = createLossSurface({ backend: run.backend, model: run.model.model, batch });
  runs.push({ folder, run, surface });
  const start = run.model.model.init(rng(run.experiment.seed).split('init'));
  const end = run.model.params;
  const [line, lineTime] = await seconds(() => lossOnLine(surface, start, end));
  const peak = line.loss.indexOf(Math.max(...line.loss));
  console.log(
    `${folder}: from step 0 to ${run.step} the loss is ${round(line.loss[0])}, at most ${round(line.loss[peak])} (t = ${round(line.t[peak])}), ${round(line.loss.at(-1))}; ${lineTime}`,
  );
  const before = await findBefore(folder, run);
  if (before !== undefined) {
    const early = await openRun(folder, { registry, backend: run.backend, at: before });
    const { barrier } = await connectLinearly(surface, early.model.params, end);
    console.log(`  from step ${before}, before it generalized, its barrier is ${show(barrier)}`);
    await early.close();
  }
  const [spectrum, time] = await seconds(() => hessianEigenvalues(surface, end));
  const [trace, traceTime] = await seconds(() => hessianTrace(surface, end, { draws: 10 }));
  console.log(
    `  Hessian: largest ${spectrum.largest.map(round).join(', ')}, smallest ${round(spectrum.smallest)} (${time}); trace ${round(trace.trace)} ± ${round(trace.standardError)} (${traceTime})`,
  );
}
for (const [i, a] of runs.entries())
  for (const b of runs.slice(i + 1)) {
    const [from, to] = [a.run.model.params, b.run.model.params];
    const plain = await connectLinearly(a.surface, from, to);
    const [{ reference, aligned, similarity, rounds }, time] = await seconds(() =>
      align(a.run.model.model, from, to),
    );
    const line = await connectLinearly(a.surface, reference, aligned);
    const optimizer = adamw({ learningRate: 0.003, weightDecay: 0 });
    const [bent, bentTime] = await seconds(() =>
      connectByBezier(a.surface, reference, aligned, { optimizer }),
    );
    console.log(
      `${a.folder} and ${b.folder}: barrier ${show(plain.barrier)}; aligned (cosine ${round(similarity.before)} to ${round(similarity.after)}, ${rounds} rounds, ${time}) ${show(line.barrier)}; on a Bézier curve ${show(bent.barrier)} (${bentTime})`,
    );
  }
for (const { run, surface } of runs.reverse()) {
  surface.dispose();
  await run.close();
}
