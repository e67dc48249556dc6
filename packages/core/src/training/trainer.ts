/**
 * The training loop, top to bottom: compile, then per epoch order → draws → steps → evaluation →
 * probes. It yields events and calls nobody back; whoever iterates it stores and shows them.
 * Every random stream is a function of (seed, stream, step), so a resumed run repeats the same bits.
 */

import { RunError } from '../contracts/errors.js';
import type {
  Backend,
  DeviceTensor,
  Json,
  MetricsRow,
  OnDevice,
  Score,
  Tree,
} from '../contracts/types.js';
import { layoutOf, sizeOf, withoutAuxiliary } from '../tensors/params.js';
import { rng } from '../tensors/rng.js';
import { freeTree, readTree, treeFromPaths, uploadTree } from '../tensors/tree.js';
import { crosses, dueProbes, runProbes } from './probes.js';
import {
  compileAll,
  type EvalBatch,
  type EvalProgram,
  initialState,
  loadData,
  readParams,
  stepInputs,
  uploadParams,
} from './programs.js';
import type { StepInputs } from './step.js';
import { checkRequired, isReached } from './stopping.js';
import type { Position, SavedState, Training } from './training.js';

/** Validation accuracies whose first crossing is an event with a pinned checkpoint. */
export const CROSSINGS: readonly number[] = [0.5, 0.9, 0.95, 0.99, 0.999];

/** What the loop tells, in order. */
export type TrainerEvent =
  | { type: 'ready'; parameters: number; stepsPerEpoch: number; from: Position }
  | { type: 'step'; epoch: number; step: number; loss: number }
  | { type: 'epoch'; row: MetricsRow }
  | { type: 'crossing'; epoch: number; step: number; threshold: number }
  | { type: 'analysis'; epoch: number; step: number; name: string; moment: string; result: Json }
  | { type: 'notice'; message: string }
  | { type: 'save'; saved: SavedState; pinned: boolean };

/**
 * Trains to the last epoch or to `stop`, or until `signal` aborts (then the state is saved first).
 * @throws RunError when the loss is not finite, naming the step, or when what is required was not met.
 */
export async function* train(
  run: Training,
  from?: { saved: SavedState; history: readonly MetricsRow[] },
  signal?: AbortSignal,
): AsyncGenerator<TrainerEvent, 'finished' | 'interrupted'> {
  const { backend, split, model, objective, optimizer, now } = run;
  const root = rng(run.seed);
  const initial = {
    ...model.init(root.split('init')),
    ...objective.auxiliaryParams(root.split('extra')),
  };
  const layout = layoutOf(initial);
  const order = root.split('order');
  const history = [...(from?.history ?? [])];
  const rows = split.train.length;
  const batches = Math.ceil(rows / run.batch);
  let { epoch, batch, step, sums } = from?.saved.position ?? startOf();
  let unwritten = 0; // seconds since the last row
  const told = new Set<string>(); // what notices have said

  const data = await loadData(run);
  let params = uploadParams(backend, from?.saved.params ?? initial, layout, optimizer.elementwise);
  let state = await initialState(backend, optimizer, params);
  if (from !== undefined) {
    const like = state;
    state = uploadTree(backend, treeFromPaths(like, from.saved.state));
    freeTree(backend, like);
  }
  const programs = await compileAll(run, layout, { params, state, data });
  const save = async (): Promise<SavedState> => ({
    params: await readParams(backend, params, layout, optimizer.elementwise),
    state: await readTree(backend, state),
    position: { epoch, batch, step, sums: { ...sums, terms: { ...sums.terms } } },
  });

  const rooms = new Map<string, Uint8Array>();
  try {
    const ownParameters = Object.values(withoutAuxiliary(layout.specs)).reduce(
      (sum, { shape }) => sum + sizeOf(shape),
      0,
    );
    const position = { epoch, batch, step, sums };
    yield { type: 'ready', parameters: ownParameters, stepsPerEpoch: batches, from: position };

    // Killed after its last checkpoint and before its end, a run comes here with nothing left to do.
    while (epoch < run.epochs && !(batch === 0 && isReached(run.stop, history.at(-1)))) {
      const started = now();
      const shuffled = order.split(epoch + 1).permutation(rows);
      while (batch < batches) {
        if (signal?.aborted) {
          yield { type: 'save', saved: await save(), pinned: false };
          return 'interrupted';
        }
        const at = shuffled.subarray(batch * run.batch, (batch + 1) * run.batch);
        const inputs = stepInputs(run, data, at, step, rooms);
        // Masks are drawn into the same arrays at the next step, when these tensors are long free.
        const uploaded = uploadTree(backend, inputs.host, { lent: true });
        const program = programs.steps.get(at.length)!;
        const out = await program.run({
          params,
          state,
          ...(uploaded as object),
          ...(inputs.resident ? { data: data.resident } : {}),
        } as OnDevice<StepInputs>);
        freeTree(backend, uploaded);
        params = out.params as typeof params;
        state = out.state as typeof state;
        const loss = await scalar(backend, out.loss);
        sums.loss += loss * at.length;
        sums.correct += await scalar(backend, out.correct);
        for (const [name, value] of Object.entries(out.terms))
          sums.terms[name] = (sums.terms[name] ?? 0) + (await scalar(backend, value)) * at.length;
        if (!Number.isFinite(loss))
          throw new RunError(diverged(`step ${step}: the loss is ${loss}`));
        step++;
        batch++;
        yield { type: 'step', epoch: epoch + 1, step, loss };
        if (run.pin?.steps?.includes(step))
          yield { type: 'save', saved: await save(), pinned: true };
      }
      epoch++;
      if (epoch % (run.evalEvery ?? 1) !== 0 && epoch < run.epochs) {
        batch = 0;
        sums = startOf().sums;
        unwritten += now() - started;
        if (epoch % run.checkpointEvery === 0)
          yield { type: 'save', saved: await save(), pinned: false };
        continue;
      }
      const validation = await evaluate(backend, programs.evals, params, data.validation);
      const finished: Omit<MetricsRow, 'time' | 'probes'> = {
        epoch,
        step,
        train: { loss: sums.loss / rows, accuracy: sums.correct / rows },
        terms: Object.fromEntries(
          Object.entries(sums.terms).map(([name, sum]) => [name, sum / rows]),
        ),
        validation,
        ...(data.trainEval.length === 0
          ? {}
          : { trainEval: await evaluate(backend, programs.evals, params, data.trainEval) }),
      };
      if (!Number.isFinite(validation.loss))
        throw new RunError(diverged(`step ${step}: the validation loss is ${validation.loss}`));
      const reached = CROSSINGS.filter((threshold) => crosses(threshold, finished, history));
      const asked = run.pin?.validationAccuracies ?? [];
      const pinned =
        reached.length > 0 || asked.some((threshold) => crosses(threshold, finished, history));
      const last = epoch === run.epochs || isReached(run.stop, finished);
      const due = dueProbes(run.probes, finished, history, last);
      const found =
        due.length > 0 ? await runProbes(run, due, await save(), history, finished) : [];
      const rowProbes: Record<string, Json> = {};
      for (const it of found)
        if ('result' in it && it.moment === 'row') rowProbes[it.name] = it.result;
      const row: MetricsRow = {
        ...finished,
        ...(Object.keys(rowProbes).length > 0 ? { probes: rowProbes } : {}),
        time: { seconds: unwritten + now() - started },
      };
      history.push(row);
      unwritten = 0;
      batch = 0;
      sums = startOf().sums;
      yield { type: 'epoch', row };
      for (const threshold of reached) yield { type: 'crossing', epoch, step, threshold };
      for (const it of found)
        if ('result' in it) {
          if (it.moment !== 'row') yield { type: 'analysis', epoch, step, ...it };
        } else if (!told.has(it.failure)) {
          told.add(it.failure);
          yield { type: 'notice', message: it.failure };
        }
      if (pinned || last || epoch % run.checkpointEvery === 0)
        yield { type: 'save', saved: await save(), pinned };
    }
    checkRequired(run.require, history.at(-1));
    return 'finished';
  } finally {
    for (const program of [programs.steps, programs.evals].flatMap((m) => [...m.values()]))
      program.dispose();
    freeTree(backend, params);
    freeTree(backend, state);
    freeTree(backend, data.resident);
    for (const { tensors } of [...data.validation, ...data.trainEval]) freeTree(backend, tensors);
  }
}

const diverged = (what: string): string =>
  `${what}; checkpoints from before are kept; try a lower learning rate`;

const startOf = (): Position => ({
  epoch: 0,
  batch: 0,
  step: 0,
  sums: { loss: 0, correct: 0, terms: {} },
});

async function evaluate(
  backend: Backend,
  programs: ReadonlyMap<number, EvalProgram>,
  params: Tree<DeviceTensor>,
  batches: readonly EvalBatch[],
): Promise<Score> {
  let [loss, correct, total] = [0, 0, 0];
  for (const { rows, tensors } of batches) {
    const out = await programs.get(rows)!.run({ params, ...tensors } as never);
    loss += (await scalar(backend, out.loss)) * rows;
    correct += await scalar(backend, out.correct);
    total += rows;
  }
  return { loss: loss / total, accuracy: correct / total };
}

async function scalar(backend: Backend, tensor: DeviceTensor): Promise<number> {
  const value = (await backend.read(tensor))[0]!;
  backend.free(tensor);
  return value;
}
