/** The loss of a run: a weighted sum of terms, each an instance of a strategy. */
import * as tf from '@grok/tfjs';
import { InputError, unknownName } from '../contracts/errors.js';
import type {
  HostArray,
  HostParams,
  LossContext,
  ModelInfo,
  Objective,
  ObjectiveTerm,
  Params,
  Rng,
  Site,
  WeightSchedule,
} from '../contracts/types.js';
import { attributeErrors } from '../plugins/attribution.js';
import { own, reader, sizeOf, withoutAuxiliary } from '../tensors/params.js';
import { specText } from '../tensors/program-io.js';
import { repeatable, repeatableDraw } from '../tensors/repeat.js';
import { requireTeacher } from './distillation.js';
import { hard } from './hard.js';
import { createSchedule } from './schedules.js';

/** A named, weighted objective before it is bound to models. */
export interface WeightedObjective {
  readonly name: string;
  /** The name of its strategy, for errors. */
  readonly strategy?: string;
  readonly weight: number | WeightSchedule;
  readonly objective: Objective;
}

/** Inputs of an objective: a batch with the sites that it needs. */
export interface ObjectiveInputs {
  readonly student: Params;
  readonly teachers: Readonly<Record<string, Params>>;
  readonly params: Params;
  /** The teachers' parameters, which are constants in the step. */
  readonly teacherParams: Readonly<Record<string, HostParams>>;
  readonly random: Readonly<Record<string, Params>>;
  readonly inputs: tf.Tensor;
  readonly labels: tf.Tensor1D;
  readonly step: tf.Scalar;
}

/** All terms of a run, bound to its models. */
export interface ComposedObjective {
  readonly needs: {
    readonly student: readonly Site[];
    readonly teachers: Readonly<Record<string, readonly Site[]>>;
  };
  /** The logged term that is the plain cross-entropy with the labels, if there is one. */
  readonly hardTerm?: string;
  /** The name of a logged term in errors: `strategy "logit"`. */
  subjectOf(logged: string): string;
  /** Trainable parameters of all terms, named `extra.<instance>.<name>`. */
  auxiliaryParams(rng: Rng): HostParams;
  /** Random inputs of all terms for a step, by instance. */
  randomInputs(rng: Rng, step: number, rows: Int32Array): Record<string, Record<string, HostArray>>;
  /**
   * The weighted total and each unweighted term, named `<instance>` or `<instance>.<part>`.
   * @throws InputError when a term returns nothing, or a value that is not a scalar.
   */
  loss(on: ObjectiveInputs): { total: tf.Scalar; terms: Record<string, tf.Scalar> };
}

/**
 * Binds weighted objectives to their models.
 * @throws InputError on duplicate instance names, malformed needs, a missing teacher or an unknown
 * site.
 */
export function compose(
  entries: readonly WeightedObjective[],
  models: { student: ModelInfo; teachers: Readonly<Record<string, ModelInfo>> },
): ComposedObjective {
  if (entries.length === 0)
    throw new InputError('objective: needs at least one term, got none; add {"use": "hard"}');
  const terms = entries.map((entry) => bindTerm(entry, models));
  const seen = new Set<string>();
  for (const { name, term } of terms) {
    if (seen.has(name))
      throw new InputError(`objective: two terms named "${name}"; name one with "as"`);
    seen.add(name);
    checkNeeds(name, term, models);
  }
  const teachers: Record<string, readonly Site[]> = {};
  for (const { term } of terms)
    for (const [name, sites] of Object.entries(term.needs.teachers ?? {}))
      teachers[name] = [...new Set([...(own(teachers, name) ?? []), ...sites])];
  const plain = entries.find(({ name, strategy = name }) => strategy === hard.name);
  return {
    ...(plain === undefined ? {} : { hardTerm: plain.name }),
    subjectOf(logged) {
      const of = terms.filter(({ name }) => logged === name || logged.startsWith(`${name}.`));
      return of.toSorted((a, b) => b.name.length - a.name.length)[0]?.subject ?? `term "${logged}"`;
    },
    needs: { student: [...new Set(terms.flatMap(({ term }) => term.needs.student))], teachers },
    auxiliaryParams(rng) {
      const all: Record<string, HostArray> = {};
      for (const { name, subject, auxiliaryParams } of terms)
        attributeErrors(subject, () => {
          for (const [key, value] of Object.entries(auxiliaryParams(rng.split(name)))) {
            checkAuxiliary(`${subject}: auxiliary parameter "${key}"`, value);
            all[`extra.${name}.${key}`] = value;
          }
        });
      return all;
    },
    randomInputs(rng, step, rows) {
      const all: Record<string, Record<string, HostArray>> = {};
      for (const { name, subject, term, randomInputs } of terms)
        attributeErrors(subject, () => {
          if (term.randomInputs !== undefined)
            all[name] = { ...randomInputs(rng.split(name).split(step), step, rows) };
        });
      return all;
    },
    loss(on) {
      const logged: Record<string, tf.Scalar> = {};
      const weighted = terms.map((bound) => {
        const { name, subject, weigh, lossOf } = bound;
        const context = createLossContext(bound, on);
        const parts = Object.entries(attributeErrors(subject, () => lossOf(context)) ?? {});
        checkParts(name, parts);
        for (const [key, value] of parts)
          logged[parts.length === 1 ? name : `${name}.${key}`] = value;
        const sum = parts.map(([, value]) => value).reduce((a, b) => tf.add(a, b));
        return weigh(sum, on.step);
      });
      return { total: weighted.reduce((a, b) => tf.add(a, b)), terms: logged };
    },
  };
}

/** A term bound to its models; each of its functions must return the same at every call. */
interface BoundTerm {
  readonly name: string;
  /** Its name in errors. */
  readonly subject: string;
  readonly term: ObjectiveTerm;
  readonly weigh: (term: tf.Scalar, step: tf.Scalar) => tf.Scalar;
  readonly lossOf: (context: LossContext) => ReturnType<ObjectiveTerm['loss']>;
  readonly auxiliaryParams: (rng: Rng) => HostParams;
  readonly randomInputs: (rng: Rng, step: number, rows: Int32Array) => HostParams;
}

function bindTerm(
  { name, strategy, weight, objective }: WeightedObjective,
  models: { student: ModelInfo; teachers: Readonly<Record<string, ModelInfo>> },
): BoundTerm {
  const term = objective(models);
  return {
    ...{ name, subject: subjectOfTerm(name, strategy), term, weigh: createWeighing(weight) },
    lossOf: repeatable((context) => term.loss(context)),
    auxiliaryParams: repeatableDraw('auxiliaryParams', (rng) => term.auxiliaryParams?.(rng) ?? {}),
    randomInputs: repeatableDraw(
      'randomInputs',
      (rng, step, rows) => term.randomInputs?.(rng, step, rows) ?? {},
    ),
  };
}

/** Restricts the objective's inputs to what one term may read. */
function createLossContext({ name, term: { needs } }: BoundTerm, on: ObjectiveInputs): LossContext {
  return {
    student: reader(`site of the student in "${name}"`, pick(on.student, needs.student)),
    teacher: (site, teacher = 'teacher') =>
      reader(
        `site of teacher "${teacher}" in "${name}"`,
        pick(own(on.teachers, teacher) ?? {}, own(needs.teachers ?? {}, teacher) ?? []),
      )(site),
    auxiliary: (key) =>
      reader(`parameter of "${name}"`, selectPrefixed(on.params, `extra.${name}.`))(key),
    param: (key) => reader('parameter of the student', withoutAuxiliary(on.params))(key),
    teacherParam(key, teacher = 'teacher') {
      const read = reader(
        `parameter of teacher "${teacher}"`,
        own(on.teacherParams, teacher) ?? {},
      );
      const { data, shape, dtype } = read(key);
      return tf.tensor(data, [...shape], dtype);
    },
    random: reader(`random input of "${name}"`, own(on.random, name) ?? {}),
    inputs: on.inputs,
    labels: on.labels,
    step: on.step,
  };
}

/** Multiplies a term by its weight, which may be 1, a constant, or a function of the step. */
function createWeighing(
  weight: number | WeightSchedule,
): (term: tf.Scalar, step: tf.Scalar) => tf.Scalar {
  if (weight === 1) return (term) => term;
  if (typeof weight === 'number') return (term) => tf.mul(term, weight);
  const schedule = createSchedule(weight);
  return (term, step) => tf.mul(term, schedule(step));
}

/** Formats `strategy "logit"`, with the term's own name if it differs. */
function subjectOfTerm(name: string, strategy = name): string {
  return `strategy "${strategy}"${strategy === name ? '' : ` (term "${name}")`}`;
}

/** All parameters are stored in one float32 vector: one of the wrong size would shift the others. */
function checkAuxiliary(subject: string, { data, shape, dtype }: HostArray): void {
  if (dtype !== 'float32' || !(data instanceof Float32Array) || data.length !== sizeOf(shape))
    throw new InputError(
      `${subject}: must be float32 and match its shape, got ${data.length} in a ${data.constructor.name} for ${specText({ shape, dtype })}`,
    );
}

function pick(values: Params, names: readonly string[]): Params {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}
function selectPrefixed(params: Params, prefix: string): Params {
  return Object.fromEntries(
    Object.entries(params)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
}

/** A vector would train by the gradient of its sum, and only one row would be logged. */
function checkParts(name: string, parts: readonly (readonly [string, tf.Tensor])[]): void {
  if (parts.length === 0)
    throw new InputError(
      `term "${name}": its loss must return at least one named scalar, got none`,
    );
  for (const [key, value] of parts)
    if (value?.rank !== 0)
      throw new InputError(
        `term "${name}": part "${key}" of its loss must be a scalar, got ${
          value?.shape === undefined ? typeof value : `shape [${value.shape}]`
        }; reduce it with tf.mean or tf.sum`,
      );
}

function checkNeeds(
  name: string,
  { needs }: ObjectiveTerm,
  models: { student: ModelInfo; teachers: Readonly<Record<string, ModelInfo>> },
): void {
  const check = (whose: string, sites: readonly Site[], model: ModelInfo): void => {
    if (!Array.isArray(sites))
      throw new InputError(
        `term "${name}": its needs must list sites of the ${whose}, such as ["logits"], got ${JSON.stringify(sites)}`,
      );
    const known = model.sites.map((site) => site.name);
    for (const site of sites)
      if (!known.includes(site))
        throw unknownName(`site of the ${whose} (needed by term "${name}")`, site, known);
  };
  check('student', needs?.student, models.student);
  for (const [teacher, sites] of Object.entries(needs.teachers ?? {})) {
    const model = requireTeacher(`term "${name}"`, models, teacher);
    check(`teacher "${teacher}"`, sites, model);
  }
}
