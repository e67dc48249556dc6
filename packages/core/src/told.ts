/** Whose code failed: what a plugin's function throws is told by the plugin's name. */
import { type InputError, isInputError, isRunError, RunError } from './errors.js';
import type { Model, Optimizer } from './types.js';

type ErrorClass = typeof InputError | typeof RunError;

/** An error told by `subject`, an error for people as it is; `As` is the class of the new one. */
export function toldBy(subject: string, error: unknown, As: ErrorClass = RunError): Error {
  if (isInputError(error) || isRunError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new As(`${subject}: ${message}`, { cause: error });
}

/** What `action` gives; what it throws is told by `subject`, as `toldBy` does. */
export function telling<T>(subject: string, action: () => T, As?: ErrorClass): T {
  try {
    return action();
  } catch (error) {
    throw toldBy(subject, error, As);
  }
}

/** The same model, its failures told by `subject`. */
export function tellingModel(subject: string, model: Model): Model {
  const { shape, keepProbability } = model;
  // Member by member: it may be of a class, whose methods no spread would take along.
  const told: Required<Model> = {
    shape,
    keepProbability,
    init: (rng) => telling(subject, () => model.init(rng)),
    sites: () => telling(subject, () => model.sites()),
    keeps: (batch) => telling(subject, () => model.keeps(batch)),
    apply: (...given) => telling(subject, () => model.apply(...given)),
  };
  return told;
}

/** The same optimizer, its failures told by `subject`. */
export function tellingOptimizer(subject: string, optimizer: Optimizer): Optimizer {
  const told: Required<Optimizer> = {
    elementwise: optimizer.elementwise,
    init: (params) => telling(subject, () => optimizer.init(params)),
    update: (...given) => telling(subject, () => optimizer.update(...given)),
  };
  return told;
}
