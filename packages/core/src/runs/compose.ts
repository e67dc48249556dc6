/**
 * Turns a specification into the parts of a run: resolves every component and reports every
 * contradiction before anything is written.
 */
import * as tf from '@grok/tfjs';
import { InputError } from '../contracts/errors.js';
import { paramsSha256, splitHash } from '../contracts/hash.js';
import type {
  Backend,
  Execution,
  Experiment,
  Host,
  HostParams,
  Model,
  ModelInfo,
  Optimizer,
  SplitRows,
  Store,
  Task,
  TaskInfo,
  TeacherRef,
} from '../contracts/types.js';
import { attributeModelErrors } from '../plugins/attribution.js';
import { formatSubject } from '../plugins/define.js';
import { toJsonSchema } from '../plugins/options.js';
import type { Registry } from '../plugins/registry.js';
import { own, withoutAuxiliary } from '../tensors/params.js';
import { rng } from '../tensors/rng.js';
import { checkRunSizes } from '../training/bounds.js';
import { checkSplit, checkTask } from '../training/check-data.js';
import { applyTransforms } from '../training/model-transforms.js';
import { type ComposedObjective, compose } from '../training/objective.js';
import { createOptimizer } from '../training/param-groups.js';
import { createProbes, describeModel } from '../training/probes.js';
import { compareTaughtData } from '../training/questions.js';
import type { Teacher } from '../training/sites.js';
import { shuffleLabels, shuffleRows } from '../training/stopping.js';
import type { ActiveProbe } from '../training/training.js';
import { DEFAULT_BACKEND } from './execution.js';
import { newestCheckpoint, readCheckpoint, readConfig, readManifest } from './run-folder.js';

/** An experiment with all of its parts created; the backend is created last, since it is expensive. */
export interface Composed {
  readonly task: Task;
  readonly split: SplitRows;
  readonly model: Model;
  readonly objective: ComposedObjective;
  readonly teachers: Readonly<Record<string, Teacher>>;
  readonly teacherRefs: Readonly<Record<string, TeacherRef & { splitHash: string }>>;
  readonly optimizer: Optimizer;
  readonly probes: readonly ActiveProbe[];
  readonly splitHash: string;
  /** Whether a teacher was trained on the questions of validation rows. */
  readonly leaked: boolean;
}

const host: Host = { tf };

/**
 * Creates the parts of an experiment. @throws InputError on unknown names, bad options, or a
 * teacher that is missing, unfinished, changed, of another task, or of another split without
 * `allowLeak`.
 */
export async function composeExperiment(
  experiment: Experiment,
  registry: Registry,
  teacherStores: Readonly<Record<string, Store>>,
): Promise<Composed> {
  const { written, task, split, model } = data(experiment, registry);
  checkRunSizes(experiment, split, model);
  const loaded: Record<string, Teacher> = {};
  const refs: Record<string, TeacherRef & { splitHash: string }> = {};
  let leaked = false;
  for (const [name, ref] of Object.entries(experiment.teachers ?? {})) {
    const store = own(teacherStores, name);
    if (store === undefined)
      throw new InputError(
        `teacher "${name}": run ${ref.run.slice(0, 10)} not found; pass its folder (--teacher DIR)`,
      );
    const teacher = await loadTeacher(name, ref, store, registry, { experiment, written, split });
    loaded[name] = teacher;
    refs[name] = { ...ref, splitHash: teacher.splitHash };
    leaked ||= teacher.leaked;
  }
  const objective = compose(
    (experiment.objective ?? [{ use: 'hard' }]).map(({ use, as, weight = 1, options }) => ({
      name: as ?? use,
      strategy: use,
      weight,
      objective: registry.create('strategy', use, options, host),
    })),
    {
      student: describeModel(model),
      teachers: Object.fromEntries(
        Object.entries(loaded).map(([name, teacher]) => [name, infoOfTeacher(teacher, task)]),
      ),
    },
  );
  const paramNames = (): readonly string[] => {
    const root = rng(experiment.seed);
    const params = model.init(root.split('init'));
    return Object.keys({ ...params, ...objective.auxiliaryParams(root.split('extra')) });
  };
  return {
    task,
    split,
    model,
    objective,
    teachers: loaded,
    teacherRefs: refs,
    optimizer: createOptimizer(registry, experiment.optimizer, experiment.freeze ?? [], paramNames),
    probes: createProbes(registry, experiment.probes ?? [], model),
    splitHash: splitHash(split),
    leaked,
  };
}

/**
 * Creates the task, split and model of an experiment, which is all that reading a finished run
 * needs. `written` is the task before its labels were shuffled.
 * @throws InputError on rows, labels or tokens that do not match, naming the task or the split.
 */
export function data(
  experiment: Experiment,
  registry: Registry,
): { written: Task; task: Task; split: SplitRows; model: Model } {
  const written = registry.create('task', experiment.task.use, experiment.task.options, host);
  checkTask(`task "${experiment.task.use}"`, written);
  const { use, options } = experiment.split ?? { use: 'numpy' };
  const rows = written.inputs.shape[0]!;
  const seed = experiment.splitSeed ?? experiment.seed;
  const split = registry.create('split', use, options, host)(rows, seed);
  checkSplit(`split "${use}"`, split, rows);
  const task = experiment.shuffleLabels ? shuffleLabels(written, split, experiment.seed) : written;
  return { written, task, split, model: createModel(experiment, registry, task) };
}

/** An experiment's model with its transforms, for the rows of a task; without the rows' data, for any rows. */
export function createModel(
  experiment: Experiment,
  registry: Registry,
  { vocabulary, inputs }: TaskInfo,
): Model {
  const { use, options } = experiment.model;
  const plain = registry.create('model', use, options, host)({ vocabulary, inputs });
  const transforms = (experiment.transforms ?? []).map((it) =>
    registry.create('transform', it.use, it.options, host),
  );
  const initial = (): HostParams => plain.init(rng(experiment.seed).split('init'));
  const model = applyTransforms(plain, transforms, initial);
  return attributeModelErrors(formatSubject({ kind: 'model', name: use }), model);
}

/** Creates a backend by name with its options; `threads` is passed if the backend has such an option. */
export async function openBackend(registry: Registry, execution: Execution): Promise<Backend> {
  const name = execution.backend ?? DEFAULT_BACKEND;
  const known = toJsonSchema(registry.get('backend', name).options).properties ?? {};
  const { threads, backendOptions } = execution;
  const options = {
    ...(threads !== undefined && 'threads' in known ? { threads } : {}),
    ...backendOptions,
  };
  return registry.create('backend', name, options, host);
}

/** A teacher's info for objectives; a teacher that reads other tokens than the student has no state per student token. */
function infoOfTeacher({ model, inputs }: Teacher, task: Task): ModelInfo {
  const info = describeModel(model);
  const own = task.inputs.data;
  if (inputs === undefined || inputs.data.every((token, i) => token === own[i])) return info;
  return { ...info, sites: info.sites.map(({ table: _, ...site }) => site) };
}

async function loadTeacher(
  name: string,
  ref: TeacherRef,
  store: Store,
  registry: Registry,
  student: {
    readonly experiment: Experiment;
    readonly written: Task;
    readonly split: SplitRows;
  },
): Promise<Teacher & { splitHash: string; leaked: boolean }> {
  const config = await readConfig(store);
  const manifest = await readManifest(store);
  const wrong = (rule: string): InputError =>
    new InputError(`teacher "${name}" in ${store.where}: ${rule}`);
  if (config.run !== ref.run)
    throw wrong(`is run ${config.run.slice(0, 10)}, not ${ref.run.slice(0, 10)}`);
  if (manifest?.status !== 'finished') throw wrong(`has not finished training; resume it first`);
  const parts = data(config.experiment, registry);
  const { inputs, leaked } = compareTaughtData(
    `teacher "${name}"`,
    { ...parts, use: config.experiment.task },
    { ...student, use: student.experiment.task },
    student.experiment,
  );
  const checkpoint =
    ref.step === undefined
      ? (await newestCheckpoint(store)).checkpoint
      : await readCheckpoint(store, ref.step);
  if (checkpoint === undefined) throw wrong('has no readable checkpoint; resume it');
  const params = withoutAuxiliary(checkpoint.params);
  if (paramsSha256(params) !== ref.paramsSha256)
    throw wrong(`its parameters have changed (the hash differs)`);
  const { vocabulary } = parts.task;
  const { experiment, split } = student;
  const read =
    experiment.shuffleTeachers === true
      ? shuffleRows(inputs ?? student.written.inputs, split, experiment.seed)
      : inputs;
  // A model may be built for the rows of its task only.
  const taught =
    read === undefined
      ? { model: parts.model }
      : {
          model: createModel(config.experiment, registry, { vocabulary, inputs: read }),
          inputs: read,
        };
  return {
    ...taught,
    params,
    splitHash: splitHash(parts.split),
    leaked,
  };
}
