/** From flags to a run's specification: preset or file, then sugar, then `--set`, the later the stronger. */
import { availableParallelism } from 'node:os';
import { type Execution, InputError, type Registry, type RunSpec } from '@grok/core';
import { checkExperiment, checkSpec, DEFAULT_BACKEND } from '@grok/core/internal';
import { type JsonObject, merge, teacherPart } from '@grok/study';
import { presetPlan, specDocument } from './documents.js';
import { type ComputeFlags, type RunFlags, sugarOf } from './flags.js';
import type { Io } from './io.js';
import { assignmentOf, backendOf, trackersOf } from './parse.js';
import { changed } from './set.js';

/** An experiment and its execution on the way, not checked yet. */
export interface Draft {
  readonly experiment: JsonObject;
  readonly execution: JsonObject;
}

/** What `train` starts from: the file of `--spec`, or the teacher of a preset. */
export function trainDraft(flags: RunFlags, io: Io): Draft {
  if (flags.spec !== undefined) return specDraft(flags, io);
  const plan = presetPlan(flags.preset ?? 'paper');
  const experiment = teacherPart(plan, plan.seeds[0]!) as unknown as JsonObject;
  return { experiment, execution: {} };
}

/** The file of `--spec`. */
export function specDraft(flags: RunFlags, io: Io): Draft {
  if (flags.preset !== undefined)
    throw new InputError('--spec and --preset: both say what to start from; give one of them');
  const what = `spec ${flags.spec}`;
  const spec = checkSpec(specDocument(flags.spec!, io.cwd), what) as unknown as JsonObject;
  return {
    experiment: spec.experiment as JsonObject,
    execution: (spec.execution ?? {}) as JsonObject,
  };
}

/** Plugins to load for a draft: those of the flag, and those that it names itself. */
export function pluginsOf(
  { execution }: Pick<Draft, 'execution'>,
  { plugin }: ComputeFlags,
): readonly string[] {
  return [...plugin, ...((execution.plugins as readonly string[] | undefined) ?? [])];
}

/** Lays seeds, sugar and `--set` over a draft and checks the whole. */
export function finish(draft: Draft, flags: RunFlags, registry: Registry): RunSpec {
  const written: JsonObject = {
    experiment: merge(draft.experiment, {
      ...(flags.seed === undefined ? {} : { seed: flags.seed }),
      ...(flags.splitSeed === undefined ? {} : { splitSeed: flags.splitSeed }),
      ...(flags.allowLeak === true ? { allowLeak: true } : {}),
    }),
    execution: merge(draft.execution, {
      ...(flags.checkpointEvery === undefined ? {} : { checkpointEvery: flags.checkpointEvery }),
    }),
  };
  const changes = [...sugarOf(flags), ...flags.set.map(assignmentOf)].map(({ path, value }) => {
    const rooted = ['experiment', 'execution'].includes(path[0]!);
    return { path: rooted ? path : ['experiment', ...path], value };
  });
  const document = changed(written, changes, registry);
  checkExperiment(document.experiment);
  return checkSpec(document);
}

/** How to carry a run out, in two parts: what was asked for, and what a run that begins falls back to. */
export interface Carrying {
  /** From flags: a run that goes on must agree with it. */
  readonly asked: Execution;
  /** From `GROK_BACKEND`, then the specification, then all cores: a run that goes on keeps its own. */
  readonly fresh: Execution;
}

/** Backend, threads and trackers: flag, then `GROK_BACKEND`, then what was written, then the default. */
export function carrying(
  written: Execution,
  { backend, threads, track }: Omit<ComputeFlags, 'plugin'>,
  { env }: Pick<Io, 'env'>,
): Carrying {
  const fresh = {
    threads: availableParallelism(),
    ...written,
    ...backendOver(written, 'GROK_BACKEND', env.GROK_BACKEND || undefined),
  };
  return {
    asked: {
      ...backendOver(fresh, '--backend', backend),
      ...(threads === undefined ? {} : { threads }),
      ...(track === undefined ? {} : { trackers: trackersOf(track) }),
    },
    fresh,
  };
}

/** The backend that a text names; another one than `under` names leaves the options there behind. */
function backendOver(under: Execution, source: string, text: string | undefined): Execution {
  if (text === undefined) return {};
  const named = backendOf(source, text);
  const stays =
    under.backendOptions === undefined || (under.backend ?? DEFAULT_BACKEND) === named.backend;
  return stays ? named : { backendOptions: {}, ...named };
}
