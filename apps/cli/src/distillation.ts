/** A student's experiment from its teacher's run: same task, split and seed, a smaller model, a new objective. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type Experiment,
  InputError,
  isInputError,
  type Registry,
  readConfig,
  readManifest,
  type TeacherRef,
  unknownName,
} from '@grok/core';
import { checkExperiment, isControl, jsonObjectSchema, type TermUse } from '@grok/core/internal';
import { scaleOptions } from '@grok/model';
import { type JsonObject, merge } from '@grok/study';
import { presetPlan } from './documents.js';
import type { RunFlags } from './flags.js';
import { storeAt } from './host.js';
import type { Io } from './io.js';
import { parseStrategy } from './parse.js';
import { type Draft, specDraft } from './spec.js';

/** Flags of `distill` beyond those of every run. */
export interface DistillFlags extends RunFlags {
  readonly teacher: readonly string[];
  readonly strategy: readonly string[];
  readonly alpha?: number;
  readonly scale?: number;
}
interface FoundTeacher {
  readonly folder: string;
  readonly experiment: Experiment;
  readonly ref: TeacherRef;
}

/** What `distill` starts from: a file, or the teacher's own experiment made a student's. */
export async function distillDraft(
  flags: DistillFlags,
  registry: Registry,
  io: Io,
): Promise<Draft> {
  const teachers = await findTeachers(flags.teacher, io);
  const spec = flags.spec === undefined ? undefined : specDraft(flags.spec, flags, io);
  const base: Draft = spec ?? deriveStudent(flags, teachers);
  const objective = buildObjective(flags, registry, spec?.experiment.objective);
  const refs = Object.fromEntries(Object.entries(teachers).map(([name, { ref }]) => [name, ref]));
  const folders = Object.fromEntries(
    Object.entries(teachers).map(([name, { folder }]) => [name, folder]),
  );
  const experiment = { ...base.experiment, objective };
  const named = Object.keys(teachers).length > 0 && !isKnownControl(experiment, registry);
  return {
    experiment: {
      ...experiment,
      ...(named ? { teachers: refs } : {}),
    },
    execution: named ? { ...base.execution, teachers: folders } : base.execution,
  };
}

/** False too where the experiment is still wrong: the run itself says so once all flags are laid over it. */
function isKnownControl(experiment: unknown, registry: Registry): boolean {
  try {
    return isControl(checkExperiment(experiment), registry);
  } catch (error) {
    if (isInputError(error)) return false;
    throw error;
  }
}

/** The objective that the flags ask for: `alpha` weighs the hard labels, `1 − alpha` logits without a weight. */
function buildObjective(
  flags: Pick<DistillFlags, 'strategy' | 'alpha'>,
  registry: Registry,
  written?: readonly TermUse[],
): readonly TermUse[] {
  const known = registry
    .list()
    .filter(({ kind, name }) => kind === 'strategy' && name !== 'hard')
    .map(({ name }) => name);
  if (flags.alpha !== undefined && !(flags.alpha >= 0 && flags.alpha <= 1))
    throw new InputError(`--alpha: must be from 0 to 1, got ${flags.alpha}`);
  if (flags.strategy.length === 0) {
    if (written !== undefined && flags.alpha === undefined) return written;
    throw new InputError(
      `distill: --strategy is required, such as --strategy logit; known: ${[...known, 'none'].sort().join(', ')}`,
    );
  }
  const terms = flags.strategy.map(parseStrategy);
  const unknown = terms.find(({ use }) => !['hard', 'none', ...known].includes(use));
  if (unknown !== undefined) throw unknownName('strategy', unknown.use, [...known, 'none']);
  if (terms.every(({ use }) => use !== 'none')) return weighTerms(terms, flags.alpha);
  if (terms.length > 1 || flags.alpha !== undefined || flags.strategy[0] !== 'none')
    throw new InputError(
      '--strategy none: is the control (hard labels only); it cannot be combined with options, --alpha or other strategies',
    );
  return [{ use: 'hard' }];
}

/** The terms under their weights, with hard labels beside them unless they are among them. */
function weighTerms(terms: readonly TermUse[], given: number | undefined): readonly TermUse[] {
  const alpha = given ?? 0.5;
  const hard = terms.some(({ use }) => use === 'hard');
  if (hard && given !== undefined)
    throw new InputError(
      '--alpha and --strategy hard: both set the weight of the hard labels; give one of them',
    );
  return [
    ...(hard ? [] : [{ use: 'hard', weight: alpha }]),
    // 1 − 0.7 is 0.30000000000000004; nobody means that.
    ...terms.map(({ use, as, weight, options }) => ({
      use,
      ...(as === undefined ? {} : { as }),
      weight: weight ?? (use === 'logit' ? Number((1 - alpha).toFixed(12)) : 1),
      ...(options === undefined ? {} : { options }),
    })),
  ];
}

function deriveStudent(
  flags: DistillFlags,
  teachers: Readonly<Record<string, FoundTeacher>>,
): Draft {
  const first = Object.values(teachers)[0];
  if (first === undefined)
    throw new InputError('distill: --teacher is required: the folder of a finished run');
  const { experiment } = first;
  const preset = presetPlan(flags.preset ?? 'paper');
  const student = preset.student as JsonObject;
  const shared = (preset.shared ?? {}) as JsonObject;
  const { warmup: _warmup, ...optimizer } = experiment.optimizer.options ?? {};
  const { objective: _o, teachers: _t, probes: _p, allowLeak: _a, ...own } = experiment;
  // What made its teacher a control is not the student's: it learns true labels, to its last epoch.
  const {
    shuffleLabels: _l,
    shuffleTeachers: _f,
    stop: _s,
    require: _r,
    parent: _b,
    imported: _i,
    epochs: _e,
    steps: _n,
    ...kept
  } = own;
  const { seed } = flags;
  const inherited: JsonObject = {
    ...kept,
    // Another seed makes another student, not another split.
    ...(seed === undefined || seed === experiment.seed
      ? {}
      : { splitSeed: experiment.splitSeed ?? experiment.seed }),
    optimizer: { ...experiment.optimizer, options: optimizer },
    model: scaled(experiment, flags.scale ?? 0.5),
    ...deriveBudget(student, shared, experiment),
  };
  if (flags.preset === undefined) return { experiment: inherited, execution: {} };
  const [strategy] = flags.strategy.length === 1 ? flags.strategy : [];
  const arm = preset.arms[strategy === undefined ? '' : (strategy.split(':')[0] ?? '')];
  const { model: written, ...rest } = student;
  const model =
    flags.scale === undefined
      ? { model: merge(inherited.model as JsonObject, written as JsonObject) }
      : {};
  return { experiment: merge(inherited, rest, model, arm), execution: {} };
}

/** The length that is written first: by a preset for students, for all, or the teacher's. */
function deriveBudget(
  student: JsonObject,
  shared: JsonObject,
  { epochs, steps }: Experiment,
): JsonObject {
  for (const written of [student, shared])
    for (const unit of ['epochs', 'steps'])
      if (written[unit] !== undefined) return { [unit]: written[unit] };
  return epochs === undefined ? { steps: steps ?? null } : { epochs };
}

function scaled(experiment: Experiment, by: number): JsonObject {
  const { use, options } = experiment.model;
  if (use !== 'transformer')
    throw new InputError(
      `distill: only the model "transformer" can be scaled, the teacher is "${use}"; describe the student with --spec`,
    );
  if (!(by > 0)) throw new InputError(`--scale: must be a number > 0, got ${by}`);
  return { use, options: jsonObjectSchema.parse(scaleOptions(options ?? {}, { width: by })) };
}

/** Reads `DIR` or `NAME=DIR`; a folder that is there is one, whatever its name has in it. */
export function namedFolder(
  text: string,
  io: Io,
): { readonly name: string; readonly folder: string } {
  const unnamed = { name: 'teacher', folder: text };
  if (text !== '' && existsSync(resolve(io.cwd, text))) return unnamed;
  const [, name, folder] = /^([a-z][\w-]*)=(.*)$/s.exec(text) ?? [];
  return name === undefined || folder === undefined ? unnamed : { name, folder };
}

async function findTeachers(
  texts: readonly string[],
  io: Io,
): Promise<Readonly<Record<string, FoundTeacher>>> {
  const found: Record<string, FoundTeacher> = {};
  for (const text of texts) {
    const { name, folder } = namedFolder(text, io);
    if (folder.trim() === '') throw new InputError('--teacher: needs the folder of a finished run');
    if (Object.hasOwn(found, name))
      throw new InputError(
        `--teacher: two teachers named "${name}"; name them, such as --teacher second=${folder}`,
      );
    const store = storeAt(resolve(io.cwd, folder), io);
    const { experiment, run } = await readConfig(store);
    const manifest = await readManifest(store);
    if (manifest?.status !== 'finished' || manifest.paramsSha256 === undefined)
      throw new InputError(
        `teacher ${store.where}: its training is ${manifest?.status ?? 'not started'}, not finished; finish it first: grok resume ${store.where}`,
      );
    found[name] = { folder, experiment, ref: { run, paramsSha256: manifest.paramsSha256 } };
  }
  return found;
}
