/**
 * Executes a run: compose → store → train → listeners. `config.json` is written first, so a run
 * that is killed at any later time can be resumed to the same bits.
 */
import { InputError } from '../contracts/errors.js';
import { experimentHash } from '../contracts/hash.js';
import type { Execution, Experiment, Position, Store } from '../contracts/types.js';
import {
  type Budget,
  countBatches,
  countSteps,
  formatBudget,
  isSpent,
  listRecordedSteps,
} from '../training/budget.js';
import { DivergenceError, findInfiniteGradients } from '../training/divergence.js';
import { isReached } from '../training/stopping.js';
import { train } from '../training/trainer.js';
import type { Training } from '../training/training.js';
import { composeExperiment, openBackend } from './compose.js';
import { resolveExecution } from './execution.js';
import type { RunHost, RunResult } from './host.js';
import { createTrackers } from './listeners.js';
import type { Progress, RunParts } from './manifest.js';
import {
  beginRecording,
  createRecording,
  recordEnd,
  recordEvent,
  recordFailure,
} from './recorder.js';
import { replayReached } from './replay.js';
import {
  checkVacant,
  cutBack,
  findConfig,
  leavesRow,
  listStates,
  newestCheckpoint,
  readConfig,
  readManifest,
  readMetrics,
  writeConfig,
  writeManifest,
} from './run-folder.js';
import { checkSpec } from './spec.js';

/**
 * Runs a specification in a store. It starts the run, resumes it if it was interrupted, or extends it if it is
 * now longer.
 * @throws InputError on bad input, before anything is written; RunError if the run fails.
 */
export async function startRun(spec: unknown, host: RunHost): Promise<RunResult> {
  const { experiment, execution: requested = {} } = checkSpec(spec);
  const { store } = host;
  const found = await findConfig(store);
  const run = experimentHash(experiment);
  if (found !== undefined && found.run !== run)
    throw new InputError(
      `${store.where}: contains another experiment (run ${found.run.slice(0, 10)}, this is ${run.slice(0, 10)}); choose another folder`,
    );
  if (found !== undefined) return resumeRun(host, requested, readBudget(experiment));
  await checkVacant(store);
  if (experiment.parent !== undefined)
    throw new InputError(
      `${store.where}: the experiment continues run ${experiment.parent.run.slice(0, 10)} from step ${experiment.parent.step}, which is not in this folder; start it with branchRun`,
    );
  if (experiment.imported !== undefined)
    throw new InputError(
      `${store.where}: the experiment's parameters come from a file, which is not in this folder; import it with grok import`,
    );
  const execution = resolveExecution({ flags: requested, defaults: host.defaults ?? {} });
  return carryOut(host, experiment, execution, []);
}

/**
 * Resumes the run in a store from its newest readable checkpoint, to its original length or a longer one, and
 * ends with the same bits as an uninterrupted run of that length.
 * @throws InputError if there is no run, if it is longer than requested, or if `execution` would change its
 * results.
 */
export async function resumeRun(
  host: RunHost,
  execution: Execution = {},
  budget: Budget = {},
): Promise<RunResult> {
  const { store } = host;
  const config = await readConfig(store);
  const manifest = await readManifest(store);
  const kept = resolveExecution({
    flags: execution,
    recorded: {
      subject: 'run',
      where: store.where,
      requested: config.execution,
      used: manifest?.execution,
    },
  });
  const { checkpoint, damaged } = await newestCheckpoint(store);
  if (checkpoint === undefined && config.experiment.parent !== undefined)
    throw new InputError(
      `${store.where}: the parent's checkpoint that it continues from is missing; start it again with branchRun`,
    );
  if (checkpoint === undefined && config.experiment.imported !== undefined)
    throw new InputError(
      `${store.where}: the imported parameters are missing or damaged; import them again with grok import`,
    );
  const position = checkpoint?.position;
  const experiment = withBudget(config.experiment, budget, position, store);
  // If the last state of a finished run is damaged, its end is trained again.
  if (manifest?.status === 'finished' && position !== undefined && damaged.length === 0) {
    const history = await readMetrics(store, manifest);
    if (hasEnded(experiment, position) || isReached(experiment.stop, history))
      return { status: 'finished', manifest, history, already: true };
  }
  const notices = damaged.map(({ file, reason }) => `${file} is skipped: ${reason}`);
  return carryOut(host, experiment, kept, notices, async () => {
    const isLonger = position !== undefined && !hasEnded(experiment, position);
    // From here on, a killed run counts as interrupted, not as one that lost its last row.
    if (manifest?.status === 'finished')
      await writeManifest(store, { ...manifest, status: 'interrupted' });
    if (experiment !== config.experiment) await writeConfig(store, experiment, config.execution);
    const endsBetween = isLonger && !leavesRow(experiment, position);
    const step = position?.step ?? 0;
    const pins = [...(kept.pin?.steps ?? []), experiment.parent?.step];
    await cutBack(store, step, { withRow: !endsBetween, pinned: pins.includes(step) });
    const history = position === undefined ? [] : await readMetrics(store, position);
    const states = await listStates(store);
    return { ...(checkpoint === undefined ? {} : { checkpoint }), history, states };
  });
}

/** Whether a run has come to its length; one that was imported has none until it is trained on. */
function hasEnded(experiment: Experiment, position: Position): boolean {
  const { epochs, steps, imported } = experiment;
  if (imported !== undefined && (epochs ?? steps) === undefined) return true;
  return isSpent(experiment, position);
}

function readBudget({ epochs, steps }: Experiment): Budget {
  return epochs === undefined ? { ...(steps === undefined ? {} : { steps }) } : { epochs };
}

/** Returns the experiment with another length. @throws InputError when the run is already longer. */
function withBudget(
  experiment: Experiment,
  budget: Budget,
  position: Position | undefined,
  { where }: Store,
): Experiment {
  const { epochs = Number.POSITIVE_INFINITY, steps = Number.POSITIVE_INFINITY } = budget;
  const own = readBudget(experiment);
  if (epochs === steps || (budget.epochs === own.epochs && budget.steps === own.steps))
    return experiment;
  const { epoch, batch, step } = position ?? { epoch: 0, batch: 0, step: 0 };
  if (epochs < (batch > 0 ? epoch + 1 : epoch) || steps < step)
    throw new InputError(
      `${where}: has ${epoch} epochs (${step} steps), ${formatBudget(budget)} requested; a run can only be made longer: request more, or train in another folder`,
    );
  const { epochs: _epochs, steps: _steps, ...identity } = experiment;
  return { ...identity, ...budget };
}

/**
 * Composes a run, opens its backend, trains and records it. `prepare` prepares the folder of a
 * resumed run, after its input was checked.
 */
async function carryOut(
  given: RunHost,
  experiment: Experiment,
  execution: Execution,
  notices: readonly string[],
  prepare?: () => Promise<Progress>,
): Promise<RunResult> {
  const { registry, teacherStores = {} } = given;
  const composed = await composeExperiment(experiment, registry, teacherStores);
  const trackers = { ...createTrackers(registry, execution.trackers), ...given.trackers };
  const host = { ...given, trackers };
  const from = await prepare?.();
  const backend = await openBackend(registry, execution);
  const parts: RunParts = { experiment, execution, composed, backend };
  const recording = createRecording(host, parts, from);
  try {
    await beginRecording(recording, notices);
    const start = from?.checkpoint && { checkpoint: from.checkpoint, history: from.history };
    const loop = train(createTraining(host, parts), start, host.signal);
    let next = await loop.next();
    for (; next.done !== true; next = await loop.next()) await recordEvent(recording, next.value);
    await recordEnd(recording, next.value);
    const { manifest, history } = recording;
    return { status: next.value, manifest, history, already: false };
  } catch (error) {
    throw await recordFailure(recording, await nameGuilty(error, host, parts));
  } finally {
    await recording.listeners?.finish();
    await backend.dispose();
  }
}

function createTraining(
  { now = () => performance.now() / 1000, peakMemoryBytes }: RunHost,
  { experiment, execution, composed, backend }: RunParts,
): Training {
  const batches = countBatches(experiment.batch, composed.split.train.length);
  return {
    ...experiment,
    ...composed,
    run: experimentHash(experiment),
    backend,
    checkpointEvery: execution.checkpointEvery ?? 10,
    ...(execution.pin === undefined ? {} : { pin: execution.pin }),
    recordedSteps: listRecordedSteps(execution.record, countSteps(experiment, batches)),
    now,
    ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes }),
  };
}

/**
 * When a non-finite gradient made the parameters, and so every term, NaN, this adds the terms
 * responsible to the error: it replays the step before and checks each term's gradient.
 */
async function nameGuilty(error: unknown, host: RunHost, parts: RunParts): Promise<unknown> {
  const terms = parts.experiment.objective ?? [];
  if (!(error instanceof DivergenceError) || error.isNamed || error.step === 0 || terms.length < 2)
    return error;
  try {
    const { checkpoint } = await replayReached(host, error.step - 1);
    const guilty = await findInfiniteGradients(createTraining(host, parts), checkpoint);
    return guilty.length === 0 ? error : error.withGuilty(guilty);
  } catch {
    return error; // the original error is still useful
  }
}
