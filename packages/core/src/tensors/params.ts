/**
 * Parameters: named on the host, named or flat inside a step, and their gradients. Elementwise
 * optimizers see one vector, which takes a few graph nodes instead of a dozen per parameter.
 */
import * as tf from '@grok/tfjs';
import { InputError, unknownName } from '../contracts/errors.js';
import type { HostParams, Params, TensorSpec, Tree } from '../contracts/types.js';
import { leavesByPath, zipTree } from './tree.js';

/** An own property by name; ignores inherited names such as `constructor`. */
export function own<T>(
  values: Readonly<Record<string, T>> | undefined,
  name: string,
): T | undefined {
  return values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;
}

/** A lookup by name; throws `unknown <what> "<name>"` and lists the known ones. */
export function reader<T>(what: string, values: Readonly<Record<string, T>>): (name: string) => T {
  return (name) => {
    const value = own(values, name);
    if (value === undefined) throw unknownName(what, name, Object.keys(values));
    return value;
  };
}

/** A model's own parameters, without the objectives' auxiliary parameters. */
export function withoutAuxiliary<T>(params: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(params).filter(([name]) => !name.startsWith('extra.')));
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Shapes of the parameters in order, and their total number of elements. */
export interface Layout {
  readonly specs: Readonly<Record<string, TensorSpec>>;
  readonly size: number;
}
/** The layout of named float32 parameters. */
export function computeLayout(params: HostParams): Layout {
  const specs = Object.fromEntries(
    Object.entries(params).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
  );
  const size = Object.values(specs).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return { specs, size };
}

/** All parameters concatenated into one float32 vector. */
export function flattenHost(params: HostParams): Float32Array {
  const out = new Float32Array(computeLayout(params).size);
  let offset = 0;
  for (const { data } of Object.values(params)) {
    out.set(data, offset);
    offset += data.length;
  }
  return out;
}
/** The inverse of `flattenHost`. */
export function unflattenHost(flat: Float32Array, layout: Layout): HostParams {
  let offset = 0;
  return Object.fromEntries(
    Object.entries(layout.specs).map(([name, spec]) => {
      const size = sizeOf(spec.shape);
      offset += size;
      return [name, { ...spec, data: flat.slice(offset - size, offset) }];
    }),
  );
}

/** Inside a step: splits one vector `[size]` into named parameters. */
export function unpack(flat: tf.Tensor, layout: Layout): Params {
  const sizes = Object.values(layout.specs).map(({ shape }) => sizeOf(shape));
  return zipTree(layout.specs, tf.split(flat, sizes), ({ shape }, part) =>
    tf.reshape(part, [...shape]),
  );
}
/** Inside a step: concatenates named parameters into `[size]`. */
export function pack(params: Params): tf.Tensor1D {
  return tf.concat(Object.values(params).map((value) => tf.reshape(value, [-1]))) as tf.Tensor1D;
}

/**
 * Value, auxiliary values and gradients of a scalar loss; a parameter that the loss does not depend
 * on has gradient zero. Unlike `tf.valueAndGrads`, auxiliary values outlive the call.
 * @throws InputError with code `no-gradient` when an operation has no gradient.
 */
export function valueAndGrads<Aux extends Tree<tf.Tensor>>(
  f: (params: Params) => { loss: tf.Scalar; aux: Aux },
  params: Params,
): { loss: tf.Scalar; aux: Aux; grads: Params } {
  const engine = tf.engine();
  let aux: Aux | undefined;
  const kept: tf.Tensor[] = [];
  const { value, grads } = nameMissingGradient(() =>
    engine.gradients(
      () => {
        const out = f(params);
        aux = out.aux;
        // A tensor that is already kept belongs to other code.
        for (const leaf of Object.values(leavesByPath(out.aux)))
          if (!leaf.kept) kept.push(tf.keep(leaf));
        return out.loss;
      },
      Object.values(params),
      undefined,
      true,
    ),
  );
  // The tape's scope has ended, so the auxiliary values move to the caller's scope, if there is
  // one.
  const scope: { id: number; track: tf.Tensor[] } | null = engine.state.activeScope;
  for (const leaf of kept) {
    leaf.kept = false;
    if (scope === null) continue;
    leaf.scopeId = scope.id;
    scope.track.push(leaf);
  }
  const reached: readonly (tf.Tensor | null)[] = grads;
  return {
    loss: value,
    aux: aux as Aux,
    grads: zipTree(params, reached, (param, gradient) => gradient ?? tf.zerosLike(param)),
  };
}

function nameMissingGradient<T>(differentiate: () => T): T {
  try {
    return differentiate();
  } catch (error) {
    const [, kernel] = /gradient function not found for (\w+)/.exec(String(error)) ?? [];
    if (kernel === undefined) throw error;
    throw new InputError(
      `the operation ${kernel} has no gradient; use other operations between the parameters and the loss, or define a gradient with tf.customGrad`,
      { cause: error, code: 'no-gradient' },
    );
  }
}
