/**
 * The training loop, top to bottom: compile, then per epoch order → draws → steps → evaluation →
 * probes. It yields events and calls nobody back; the caller stores and shows them. Every random
 * stream is a function of (seed, stream, step), so a resumed run repeats the same bits.
 */

import type {
  Backend,
  DeviceTensor,
  EpochSums,
  Json,
  MetricsRow,
  OnDevice,
  Score,
} from '../contracts/types.js';
import { own, sizeOf, withoutAuxiliary } from '../tensors/params.js';
import { freeTree, uploadTree } from '../tensors/tree.js';
import { countSteps, isSpent } from './budget.js';
import { DivergenceError, divergedAt } from './divergence.js';
import {
  createSnapshot,
  disposeLoop,
  type HostSnapshot,
  type Loop,
  noSums,
  prepareLoop,
  type Start,
} from './loop.js';
import { crosses, dueProbes, type Found, runProbes } from './probes.js';
import { drawStepInputs, type EvalBatch, findProgram, orderRows, takeBatch } from './programs.js';
import type { StepOutputs } from './step.js';
import { checkRequired, isReached } from './stopping.js';
import type { Training, TrainingEvent } from './training.js';

/** Validation accuracies whose first crossing is an event and pins a checkpoint. */
export const CROSSINGS: readonly number[] = [0.5, 0.9, 0.95, 0.99, 0.999];

/**
 * Trains until its length or `stop` is reached, or until `signal` aborts (then the state is saved
 * first).
 * @throws RunError when the loss is not finite, naming the step, or when a requirement is not met.
 */
export async function* train(
  run: Training,
  from?: Start,
  signal?: AbortSignal,
): AsyncGenerator<TrainingEvent, 'finished' | 'interrupted'> {
  const loop = await prepareLoop(run, from);
  try {
    yield describeStart(loop);
    if (loop.position.step === 0 && run.pin?.steps?.includes(0))
      yield {
        type: 'checkpoint',
        checkpoint: await createSnapshot(loop).checkpoint(),
        pinned: true,
      };
    // A run that was killed between its last checkpoint and its end has nothing left to do here.
    while (!isComplete(loop)) {
      const started = run.now();
      if ((yield* trainEpoch(loop, signal)) === 'interrupted') {
        const checkpoint = await createSnapshot(loop).checkpoint();
        yield { type: 'checkpoint', checkpoint, pinned: false };
        return 'interrupted';
      }
      yield* closeEpoch(loop, started);
    }
    checkRequired(run.require, loop.history.at(-1));
    return 'finished';
  } finally {
    disposeLoop(loop);
  }
}

/** Runs the remaining steps of an epoch, up to the end of the run. */
async function* trainEpoch(
  loop: Loop,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrainingEvent, 'done' | 'interrupted'> {
  const { run, batches } = loop;
  const { size, perEpoch } = batches;
  const epoch = loop.position.epoch + 1;
  const order = orderRows(run, epoch);
  while (loop.position.batch < perEpoch && !isSpent(run, loop.position)) {
    if (signal?.aborted) return 'interrupted';
    const { batch } = loop.position;
    const loss = await trainStep(loop, order.subarray(batch * size, (batch + 1) * size));
    const { step } = loop.position;
    yield { type: 'step', epoch, step, loss };
    if (run.pin?.steps?.includes(step))
      yield {
        type: 'checkpoint',
        checkpoint: await createSnapshot(loop).checkpoint(),
        pinned: true,
      };
    if (run.recordedSteps.has(step))
      yield { type: 'state', checkpoint: await createSnapshot(loop).checkpoint() };
  }
  return 'done';
}

/** Runs one optimizer step on the training rows at `at` and returns the loss. @throws RunError when it is not finite. */
async function trainStep(loop: Loop, at: Int32Array): Promise<number> {
  const { run, data, programs, params, state, position } = loop;
  const { backend } = run;
  const { program, masks } = findProgram(programs.steps, at.length);
  // The next step draws masks into the same arrays; these tensors are freed before that.
  const drawn = drawStepInputs(run, data, at, position.step, masks);
  const inputs = uploadTree(backend, drawn, { lent: true });
  const batch = data.resident ?? uploadTree(backend, takeBatch(data.train, at), { lent: true });
  const out = await program.run({ params, state, ...inputs, data: batch });
  freeTree(backend, inputs);
  if (batch !== data.resident) freeTree(backend, batch);
  loop.params = out.params;
  loop.state = out.state;
  const step = await readStep(run, out);
  if (!Number.isFinite(step.loss)) throw divergedAt(position.step, step);
  loop.position = {
    epoch: position.epoch,
    batch: position.batch + 1,
    step: position.step + 1,
    sums: addStep(position.sums, step, at.length),
  };
  return step.loss;
}

/** The scalars of a step: means over its rows, and the number of correct rows. */
async function readStep(
  { backend, objective }: Training,
  out: OnDevice<StepOutputs>,
): Promise<EpochSums> {
  const loss = await readScalar(backend, out.loss);
  const correct = await readScalar(backend, out.correct);
  const terms: Record<string, number> = {};
  for (const [name, value] of Object.entries(out.terms))
    terms[name] = await readScalar(backend, value);
  const own = objective.hardTerm === undefined ? undefined : terms[objective.hardTerm];
  const hardLoss = out.hardLoss === undefined ? own : await readScalar(backend, out.hardLoss);
  return { loss, correct, ...(hardLoss === undefined ? {} : { hardLoss }), terms };
}

/** Adds a step of `rows` rows to the sums. */
function addStep(sums: EpochSums, step: EpochSums, rows: number): EpochSums {
  const hardLoss = (sums.hardLoss ?? Number.NaN) + (step.hardLoss ?? Number.NaN) * rows;
  return {
    loss: sums.loss + step.loss * rows,
    correct: sums.correct + step.correct,
    ...(Number.isNaN(hardLoss) ? {} : { hardLoss }),
    terms: mapValues(step.terms, (value, name) => (own(sums.terms, name) ?? 0) + value * rows),
  };
}

/** Ends a complete or partial epoch: evaluates if due, and saves. */
async function* closeEpoch(loop: Loop, started: number): AsyncGenerator<TrainingEvent, void> {
  const { run } = loop;
  const trained = averageEpoch(loop);
  advanceEpoch(loop);
  const snapshot = createSnapshot(loop);
  loop.unwrittenSeconds += run.now() - started;
  const isEvaluated = trained.epoch % (run.evalEvery ?? 1) === 0 || isSpent(run, loop.position);
  const pinned = isEvaluated && (yield* evaluateEpoch(loop, trained, snapshot));
  if (pinned || isComplete(loop) || trained.epoch % run.checkpointEvery === 0)
    yield { type: 'checkpoint', checkpoint: await snapshot.checkpoint(), pinned };
}

/** Scores the parameters, runs the due probes and yields the row; returns whether to pin the checkpoint. */
async function* evaluateEpoch(
  loop: Loop,
  trained: Trained,
  snapshot: HostSnapshot,
): AsyncGenerator<TrainingEvent, boolean> {
  const { run, history } = loop;
  const started = run.now();
  const before = [...history];
  const scored = { ...trained, ...(await scoreEpoch(loop)) };
  const isLast = isSpent(run, loop.position) || isReached(run.stop, [...history, scored]);
  const found = await runDueProbes(loop, snapshot, scored, isLast);
  const time = { seconds: loop.unwrittenSeconds + run.now() - started };
  const row: MetricsRow = { ...scored, ...selectRowProbes(found), time };
  history.push(row);
  loop.unwrittenSeconds = 0;
  yield { type: 'epoch', row };
  const { epoch, step } = row;
  const crossed = CROSSINGS.filter((it) => crosses(it, scored, before));
  for (const threshold of crossed) yield { type: 'crossing', epoch, step, threshold };
  yield* tellFindings(loop, row, found);
  const requested = run.pin?.validationAccuracies ?? [];
  return crossed.length > 0 || requested.some((it) => crosses(it, scored, before));
}

/** Training metrics of an epoch. */
type Trained = Pick<MetricsRow, 'epoch' | 'step' | 'train' | 'terms'>;

/** Means over the rows of the epoch that was just trained. */
function averageEpoch({ run, batches, position }: Loop): Trained {
  const { epoch, batch, step, sums } = position;
  const rows = Math.min(batch * batches.size, run.split.train.length);
  return {
    epoch: epoch + 1,
    step,
    train: {
      loss: sums.loss / rows,
      accuracy: sums.correct / rows,
      ...(sums.hardLoss === undefined ? {} : { hardLoss: sums.hardLoss / rows }),
    },
    terms: mapValues(sums.terms, (sum) => sum / rows),
  };
}

/** Moves to the next epoch, unless the run ends within this one, so that training can continue from there. */
function advanceEpoch(loop: Loop): void {
  const { epoch, batch, step } = loop.position;
  if (batch === loop.batches.perEpoch)
    loop.position = { epoch: epoch + 1, batch: 0, step, sums: noSums };
}

/** @throws RunError when the validation loss is not finite, since the last step's parameters are not. */
async function scoreEpoch(loop: Loop): Promise<Pick<MetricsRow, 'validation' | 'trainEval'>> {
  const { data, position } = loop;
  const validation = await evaluate(loop, data.validation);
  const trainEval =
    data.trainEval.length === 0 ? {} : { trainEval: await evaluate(loop, data.trainEval) };
  if (!Number.isFinite(validation.loss))
    throw new DivergenceError(position.step, `the validation loss is ${validation.loss}`);
  return { validation, ...trainEval };
}

async function evaluate(
  { run: { backend }, programs, params }: Loop,
  batches: readonly EvalBatch[],
): Promise<Score> {
  let [loss, correct, total] = [0, 0, 0];
  for (const { rows, tensors } of batches) {
    const out = await findProgram(programs.evaluations, rows).run({ params, ...tensors });
    loss += (await readScalar(backend, out.loss)) * rows;
    correct += await readScalar(backend, out.correct);
    total += rows;
  }
  return { loss: loss / total, accuracy: correct / total };
}

async function runDueProbes(
  { run, probeReaders, history, position }: Loop,
  snapshot: HostSnapshot,
  row: Omit<MetricsRow, 'time' | 'probes'>,
  isLast: boolean,
): Promise<readonly Found[]> {
  const due = dueProbes(run.probes, row, history, isLast);
  if (due.length === 0) return [];
  const saved = { params: await snapshot.params(), position };
  return runProbes(run, due, saved, history, row, probeReaders);
}

function selectRowProbes(found: readonly Found[]): Pick<MetricsRow, 'probes'> {
  const probes: Record<string, Json> = {};
  for (const it of found) if ('result' in it && it.moment === 'row') probes[it.name] = it.result;
  return Object.keys(probes).length === 0 ? {} : { probes };
}

/** Yields analyses, and probe failures once per run. */
function* tellFindings(
  { notices }: Loop,
  { epoch, step }: MetricsRow,
  found: readonly Found[],
): Generator<TrainingEvent, void> {
  for (const it of found)
    if ('result' in it) {
      if (it.moment !== 'row') yield { type: 'analysis', epoch, step, ...it };
    } else if (!notices.has(it.failure)) {
      notices.add(it.failure);
      yield { type: 'notice', message: it.failure };
    }
}

/** Whether nothing is left to do: the length is reached, or the last row meets `stop`. */
function isComplete({ run, position, history }: Loop): boolean {
  const { batch, step } = position;
  // A state within an epoch may have been saved before the row that ends the run.
  const hasRow = batch === 0 || history.at(-1)?.step === step;
  return hasRow && (isSpent(run, position) || (batch === 0 && isReached(run.stop, history)));
}

function describeStart({ run, batches, layout, position }: Loop): TrainingEvent {
  const own = Object.values(withoutAuxiliary(layout.specs));
  return {
    type: 'start',
    run: run.run,
    parameters: own.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    epochs: Math.ceil(countSteps(run, batches) / batches.perEpoch),
    stepsPerEpoch: batches.perEpoch,
    from: { epoch: position.epoch, step: position.step },
    backend: run.backend.name,
    device: run.backend.device,
  };
}

async function readScalar(backend: Backend, tensor: DeviceTensor): Promise<number> {
  const [value = Number.NaN] = await backend.read(tensor);
  backend.free(tensor);
  return value;
}

function mapValues(
  values: Readonly<Record<string, number>>,
  f: (value: number, key: string) => number,
): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, f(value, key)]));
}
