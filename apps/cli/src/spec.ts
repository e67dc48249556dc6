/** From flags to a run's specification: preset or file, then sugar, then `--set`, the later the stronger. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { isInstalled } from '@grok/backend-onnx';
import { type Execution, InputError, type Registry, type RunSpec, readConfig } from '@grok/core';
import {
  checkDocument,
  checkExperiment,
  checkSpec,
  jsonObjectSchema,
  quote,
  resolveExecution,
  runSpecSchema,
} from '@grok/core/internal';
import { type JsonObject, merge, teacherPart } from '@grok/study';
import { presetPlan, readWritten } from './documents.js';
import { type ComputeFlags, expandFlags, type RunFlags } from './flags.js';
import { storeAt } from './host.js';
import type { Io } from './io.js';
import { parseAssignment, parseBackend, parseInteger, parseTrackers } from './parse.js';
import { changed } from './set.js';

/** An experiment and its execution on the way, not checked yet. */
export interface Draft {
  readonly experiment: JsonObject;
  readonly execution: Execution;
}

/** What `train` starts from: the file of `--spec`, or the teacher of a preset. */
export function trainDraft(flags: RunFlags, io: Io): Draft {
  if (flags.spec !== undefined) return specDraft(flags.spec, flags, io);
  const plan = presetPlan(flags.preset ?? 'paper');
  const [seed = 0] = plan.seeds;
  return { experiment: teacherPart(plan, seed), execution: {} };
}

/** A run, and one of its steps. */
export interface BranchFlag {
  readonly folder: string;
  readonly step: number;
}

/** Reads `RUN@STEP`. @throws InputError when it is none. */
export function parseBranch(text: string): BranchFlag {
  const at = text.lastIndexOf('@');
  if (at < 1)
    throw new InputError(`--branch: needs RUN@STEP, such as runs/teacher@900, got ${quote(text)}`);
  return {
    folder: text.slice(0, at),
    step: parseInteger('--branch: the step', text.slice(at + 1)),
  };
}

/** What a branch starts from: its parent's experiment, with its teachers where the parent has them. */
export async function branchDraft({ folder }: BranchFlag, io: Io): Promise<Draft> {
  const { experiment, execution } = await readConfig(storeAt(folder, io));
  const teachers = Object.entries(execution?.teachers ?? {}).map(
    ([name, at]) => [name, resolve(io.cwd, folder, at)] as const,
  );
  const named = teachers.length === 0 ? {} : { teachers: Object.fromEntries(teachers) };
  return { experiment: jsonObjectSchema.parse(experiment), execution: named };
}

/** The file of `--spec`. */
export function specDraft(
  file: string,
  flags: RunFlags,
  io: Io,
): Draft & Pick<RunSpec, 'experiment'> {
  if (flags.preset !== undefined)
    throw new InputError('--spec and --preset: cannot be combined; give one of them');
  const { value, what, text } = readWritten('spec', file, io.cwd);
  const { experiment, execution = {} } = checkDocument(
    value,
    what,
    { schema: runSpecSchema },
    text,
  );
  return { experiment, execution };
}

/** Plugins to load for a draft: those of the flag, and those that it names itself. */
export function listPlugins(
  { execution }: { readonly execution: Execution },
  { plugin }: ComputeFlags,
): readonly string[] {
  return [...plugin, ...(execution.plugins ?? [])];
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
  const changes = [...expandFlags(flags), ...flags.set.map(parseAssignment)].map(
    ({ path, value }) => {
      const rooted = ['experiment', 'execution'].includes(path[0]!);
      return { path: rooted ? path : ['experiment', ...path], value };
    },
  );
  const document = changed(written, changes, registry);
  checkExperiment(document.experiment);
  return checkSpec(document);
}

/** How to carry a run or a study out, in two parts. */
export interface RequestedExecution {
  /** From flags: what goes on must agree with it. */
  readonly explicit: Execution;
  /** From `GROK_BACKEND`, then the file, then what is installed and all cores: what goes on keeps its own. */
  readonly defaults: Execution;
  /** How to be quicker, where a new run would be slow for want of a package. */
  readonly advice?: string;
}

const ADVICE =
  'onnxruntime is not installed; with it, runs train several times faster:\n  npm install onnxruntime-node\n';

/** What flags, the environment and a file ask for; where none names a backend, `onnx` if it can run here, else `wasm`. */
export function requestExecution(
  file: Execution,
  { backend, threads, track }: Omit<ComputeFlags, 'plugin'>,
  { env }: Pick<Io, 'env'>,
  hasNative: boolean = isInstalled(),
): RequestedExecution {
  const { GROK_BACKEND: named } = env;
  const isSlow =
    !hasNative && [backend, named || undefined, file.backend].every((it) => it === undefined);
  return {
    explicit: {
      ...(backend === undefined ? {} : parseBackend('--backend', backend)),
      ...(threads === undefined ? {} : { threads }),
      ...(track === undefined ? {} : { trackers: parseTrackers(track) }),
    },
    defaults: resolveExecution({
      env: named ? parseBackend('GROK_BACKEND', named) : {},
      file,
      defaults: { threads: availableParallelism(), ...(hasNative ? {} : { backend: 'wasm' }) },
    }),
    ...(isSlow ? { advice: ADVICE } : {}),
  };
}

/** The execution of what is only read: flags, then the environment, then a file, then all cores. */
export function readingExecution(
  file: Execution,
  flags: Omit<ComputeFlags, 'plugin'>,
  io: Pick<Io, 'env'>,
): Execution {
  const { explicit, defaults } = requestExecution(file, flags, io);
  return resolveExecution({ flags: explicit, defaults });
}
