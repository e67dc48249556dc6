/** Attributes errors: an error thrown by a plugin's function names the plugin. */
import { type InputError, isInputError, isRunError, RunError } from '../contracts/errors.js';
import type { Model, Optimizer, Rng } from '../contracts/types.js';
import { repeatable, repeatableDraw } from '../tensors/repeat.js';

type ErrorClass = typeof InputError | typeof RunError;

/** Adds `subject` to an error, and leaves an error that is already written for people as is; `As` is the class of the new one. */
export function attributeError(subject: string, error: unknown, As: ErrorClass = RunError): Error {
  if (isInputError(error) || isRunError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new As(`${subject}: ${message}`, { cause: error });
}

/** Returns the result of `action`; an error it throws gets the subject, as in `attributeError`. */
export function attributeErrors<T>(subject: string, action: () => T, As?: ErrorClass): T {
  try {
    return action();
  } catch (error) {
    throw attributeError(subject, error, As);
  }
}

/** The same model, with its errors attributed to `subject`; members that must not change between calls are read once. */
export function attributeModelErrors(subject: string, model: Model): Model {
  const { shape, keepProbability, conventions = '' } = model;
  const init = repeatableDraw('init', (rng: Rng) => model.init(rng));
  const apply = repeatable((...given: Parameters<Model['apply']>) => model.apply(...given));
  // Member by member: the model may be a class instance, and a spread would lose its methods.
  const attributed: Required<Model> = {
    shape,
    keepProbability,
    conventions,
    init: (rng) => attributeErrors(subject, () => init(rng)),
    sites: () => attributeErrors(subject, () => model.sites()),
    dropoutMaskShapes: (batch) => attributeErrors(subject, () => model.dropoutMaskShapes(batch)),
    // Taps belong to the caller, who may rely on being called once.
    apply: (...given) =>
      attributeErrors(subject, () =>
        given[2].taps === undefined ? apply(...given) : model.apply(...given),
      ),
  };
  return attributed;
}

/** The same optimizer, with its errors attributed to `subject`; members that must not change between calls are read once. */
export function attributeOptimizerErrors(subject: string, optimizer: Optimizer): Optimizer {
  const { trains } = optimizer;
  const update = repeatable((...given: Parameters<Optimizer['update']>) =>
    optimizer.update(...given),
  );
  const attributed: Required<Optimizer> = {
    elementwise: optimizer.elementwise,
    init: (params) => attributeErrors(subject, () => optimizer.init(params)),
    update: (...given) => attributeErrors(subject, () => update(...given)),
    trains: (name) =>
      trains === undefined || attributeErrors(subject, () => trains.call(optimizer, name)),
  };
  return attributed;
}
