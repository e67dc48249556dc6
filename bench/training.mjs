/** Grok's trainer under the benchmark: one epoch at a time, with access to its programs and times. */
import { hard, rng } from '@grok/core';
import { compose, describeModel, train } from '@grok/core/internal';
import { div, numpy } from '@grok/data';
import { attention } from '@grok/distill-attention';
import { feature } from '@grok/distill-feature';
import { logit } from '@grok/distill-logit';
import { transformer } from '@grok/model';
import { adamw } from '@grok/optim';

const SEED = 42;
/** The paper's objectives. */
const OBJECTIVES = {
  none: [{ name: 'hard', weight: 1, objective: hard() }],
  logit: [
    { name: 'hard', weight: 0.5, objective: hard() },
    { name: 'logit', weight: 0.5, objective: logit({ temperature: 2 }) },
  ],
  attention: [
    { name: 'hard', weight: 0.5, objective: hard() },
    { name: 'attention', weight: 1, objective: attention() },
  ],
  feature: [
    { name: 'hard', weight: 0.5, objective: hard() },
    { name: 'feature', weight: 1, objective: feature() },
  ],
};
export const STRATEGIES = Object.keys(OBJECTIVES);

/** @param {string | import('@grok/core').Backend} name @param {number} threads @param {object} options */
async function open(name, threads, options) {
  if (typeof name !== 'string') return name;
  const exported = name.replace(/-./, ([, letter]) => letter.toUpperCase());
  const { [exported]: create } = await import(`@grok/backend-${name}`);
  return create(name === 'wasm' ? options : { threads, ...options });
}

/**
 * Compiles the paper's run (division modulo 97, batch 512, AdamW) for one model and strategy.
 * The teacher of a strategy is untrained, since its cost does not depend on its parameters.
 * @param {{ backend: string | import('@grok/core').Backend, threads: number, dim: number, dropout:
 * number, strategy: string, seed?: number, warmup?: number, options?: object }} how
 */
export async function openTraining({
  backend: name,
  threads,
  dim,
  dropout,
  strategy,
  seed = SEED,
  warmup = 10,
  options = {},
}) {
  const backend = await open(name, threads, options);
  const task = div();
  const split = numpy()(task.labels.length, seed);
  const info = { vocabulary: task.vocabulary, inputs: task.inputs };
  const model = transformer({ dim, dropout })(info);
  const teacherModel = transformer()(info);
  const teachers =
    strategy === 'none'
      ? {}
      : { teacher: { model: teacherModel, params: teacherModel.init(rng(seed).split('teacher')) } };
  const objective = compose(OBJECTIVES[strategy], {
    student: describeModel(model),
    teachers: strategy === 'none' ? {} : { teacher: describeModel(teacherModel) },
  });
  const { watched, programs, times } = watchPrograms(backend);
  const events = train({
    run: 'bench',
    backend: watched,
    task,
    split,
    model,
    objective,
    teachers,
    optimizer: adamw({ warmup }),
    probes: [],
    batch: 512,
    epochs: Number.MAX_SAFE_INTEGER,
    seed,
    checkpointEvery: Number.MAX_SAFE_INTEGER,
    recordedSteps: new Set(),
    now: () => performance.now() / 1e3,
  });
  const ready = (await events.next()).value;

  return {
    backend,
    device: backend.device,
    threads: backend.capabilities.threads,
    parameters: ready.parameters,
    stepsPerEpoch: ready.stepsPerEpoch,
    compileMs: times.compileMs,
    programs,
    /** Ends the run and disposes of its programs and its backend. */
    async close() {
      await events.return('interrupted');
      await backend.dispose();
    },
    /** One epoch with evaluation; afterwards the programs report how often each ran, and for how long. */
    async epoch() {
      for (const program of Object.values(programs)) Object.assign(program, { runs: 0, runMs: 0 });
      return timeEpoch(events);
    },
  };
}

/** A backend whose programs report how often each ran and for how long, and their compile time. */
function watchPrograms(backend) {
  const programs = {};
  const times = { compileMs: 0 };
  const watched = {
    ...backend,
    async compile(program, ...rest) {
      const start = performance.now();
      const compiled = await backend.compile(program, ...rest);
      times.compileMs += performance.now() - start;
      const entry = { ...compiled.summary, products: productsOf(compiled), runs: 0, runMs: 0 };
      programs[program] = entry;
      return {
        ...compiled,
        async run(inputs) {
          const began = performance.now();
          const outputs = await compiled.run(inputs);
          entry.runMs += performance.now() - began;
          entry.runs++;
          return outputs;
        },
      };
    },
  };
  return { watched, programs, times };
}

/** Runs the trainer to the end of an epoch. */
async function timeEpoch(events) {
  const steps = [];
  for (;;) {
    const { value: event } = await events.next();
    if (event.type === 'step') steps.push(performance.now());
    if (event.type !== 'epoch') continue;
    const end = performance.now();
    const start = end - event.row.time.seconds * 1e3;
    return {
      // The last batch is incomplete.
      stepMs: (steps.at(-2) - start) / (steps.length - 1),
      epochMs: steps.at(-1) - start,
      evalMs: end - steps.at(-1),
      loss: event.row.train.loss,
      accuracy: event.row.validation.accuracy,
    };
  }
}

/** The matrix products of a compiled graph with operands and flags; empty on an eager backend. */
function productsOf({ graph }) {
  return (graph?.nodes ?? [])
    .filter(({ op }) => ['Gemm', 'MatMul', 'FusedMatMul'].includes(op))
    .map(({ op, domain, inputs: [a, b], outputs: [y], attributes }) => ({
      op,
      domain,
      a: a.shape,
      b: b.shape,
      y: y.shape,
      flags: Object.fromEntries(
        Object.entries(attributes).filter(([name]) => /^trans[AB]$/.test(name)),
      ),
    }));
}
