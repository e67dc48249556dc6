/** What goes into and comes out of a compiled program: shapes and types by path, and errors that name them. */
import * as tf from '@grok/tfjs';
import { InputError, unknownName } from '../contracts/errors.js';
import type { DeviceTensor, DType, TensorSpec, Tree, TypedArray } from '../contracts/types.js';
import { sizeOf } from './params.js';

/** The host array of each element type. */
export const TYPED_ARRAYS: {
  readonly float32: typeof Float32Array;
  readonly int32: typeof Int32Array;
  readonly bool: typeof Uint8Array;
} = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

/** For messages: `float32 [2, 3]`. */
export function specText({ shape, dtype }: TensorSpec): string {
  return `${dtype} [${shape.join(', ')}]`;
}
/** Same shape and element type. */
export function sameSpec(a: TensorSpec, b: TensorSpec): boolean {
  return a.dtype === b.dtype && a.shape.join() === b.shape.join();
}
/** Device tensors are signatures too, and must not be kept alive by a program. */
export function copySpecs(specs: Readonly<Record<string, TensorSpec>>): Record<string, TensorSpec> {
  return Object.fromEntries(
    Object.entries(specs).map(([path, { shape, dtype }]) => [path, { shape: [...shape], dtype }]),
  );
}

/** @throws InputError when host data, called `what`, is not of the element type or does not fill the shape. */
export function checkUpload(data: TypedArray, spec: TensorSpec, what = 'upload'): void {
  const wanted = TYPED_ARRAYS[spec.dtype];
  if (!(data instanceof wanted) || data.length !== sizeOf(spec.shape))
    throw new InputError(
      `${what} of ${specText(spec)}: needs ${sizeOf(spec.shape)} values in a ${wanted.name}, got ${data.length} in a ${data.constructor.name}`,
    );
}
/** @throws InputError when inputs by path are not those of the signature: missing, of another shape or type, unknown. */
export function checkInputs(
  program: string,
  specs: Readonly<Record<string, TensorSpec>>,
  given: Readonly<Record<string, TensorSpec>>,
): void {
  for (const [path, spec] of Object.entries(specs)) {
    const got = given[path];
    if (got === undefined)
      throw new InputError(
        `program "${program}": input "${path}" is missing; give ${specText(spec)}`,
      );
    if (!sameSpec(got, spec))
      throw new InputError(
        `program "${program}": input "${path}" must be ${specText(spec)}, got ${specText(got)}; compile again for other shapes`,
      );
  }
  for (const path of Object.keys(given))
    if (!(path in specs))
      throw unknownName(`input of program "${program}"`, path, Object.keys(specs));
}

/** Outputs by path, `a/b`. @throws InputError when one is no tensor, or of a type that does not cross the seam. */
export function tensorsByPath(
  program: string,
  tree: unknown,
  prefix = '',
): Record<string, tf.Tensor> {
  const out: Record<string, tf.Tensor> = {};
  for (const [key, node] of Object.entries(tree as object)) {
    const path = `${prefix}${key}`;
    if (node instanceof tf.Tensor) {
      if (!(node.dtype in TYPED_ARRAYS))
        throw new InputError(
          `program "${program}": output "${path}" must be float32, int32 or bool, got ${node.dtype}`,
        );
      out[path] = node;
    } else if (typeof node === 'object' && node !== null)
      Object.assign(out, tensorsByPath(program, node, `${path}/`));
    else
      throw new InputError(
        `program "${program}": output "${path}" must be a tensor, got ${typeof node}`,
      );
  }
  return out;
}
/** Applies `f` to every tensor of a tree, keys kept. */
export function mapOutputs(tree: Tree<tf.Tensor>, f: (leaf: tf.Tensor) => DeviceTensor): object {
  return Object.fromEntries(
    Object.entries(tree).map(([key, node]) => [
      key,
      node instanceof tf.Tensor ? f(node) : mapOutputs(node as Tree<tf.Tensor>, f),
    ]),
  );
}

/**
 * State goes round: an output under a donated input's name must be what the next run takes.
 * @throws InputError when shape or type changes.
 */
export function checkDonated(
  program: string,
  specs: Readonly<Record<string, TensorSpec>>,
  outputs: Readonly<Record<string, tf.Tensor>>,
  donate: readonly string[],
): void {
  for (const [path, spec] of Object.entries(specs)) {
    const output = outputs[path];
    if (output === undefined || !donate.includes(path.split('/', 1)[0]!)) continue;
    const got = { shape: output.shape, dtype: output.dtype as DType };
    if (!sameSpec(got, spec))
      throw new InputError(
        `program "${program}": "${path}" goes in as ${specText(spec)} and comes out as ${specText(got)}; keep its shape and type (add an int32 scalar to a counter)`,
      );
  }
}
