/** Inputs and outputs of a compiled program: shapes and types by path, and errors that name them. */
import * as tf from '@grok/tfjs';
import { InputError, unknownName } from '../contracts/errors.js';
import type {
  DeviceTensor,
  DType,
  ProgramInput,
  TensorLike,
  TensorSpec,
  Tree,
  TypedArray,
} from '../contracts/types.js';
import { sizeOf } from './params.js';
import { leavesByPath, mapTree } from './tree.js';

/** The typed array class of each element type. */
export const TYPED_ARRAYS: {
  readonly float32: typeof Float32Array;
  readonly int32: typeof Int32Array;
  readonly bool: typeof Uint8Array;
} = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

/** True for element types that backends support. */
export function isDType(dtype: string): dtype is DType {
  return Object.hasOwn(TYPED_ARRAYS, dtype);
}
/** Formats a spec for messages: `float32 [2, 3]`. */
export function specText({ shape, dtype }: TensorLike): string {
  return `${dtype} [${shape.join(', ')}]`;
}
/** Same shape and element type. */
export function sameSpec(a: TensorLike, b: TensorLike): boolean {
  return a.dtype === b.dtype && a.shape.join() === b.shape.join();
}

/** @throws InputError when host data, called `what`, has another element type or does not fill the shape. */
export function checkUpload(data: TypedArray, spec: TensorSpec, what = 'upload'): void {
  const wanted = TYPED_ARRAYS[spec.dtype];
  if (!(data instanceof wanted) || data.length !== sizeOf(spec.shape))
    throw new InputError(
      `${what} of ${specText(spec)}: needs ${sizeOf(spec.shape)} values in a ${wanted.name}, got ${data.length} in a ${data.constructor.name}`,
    );
}

/**
 * A program's inputs in the order of its signature. Device tensors in the signature are not
 * kept. @throws InputError when a donated key is not in the signature.
 */
export function describeInputs(
  program: string,
  signature: Tree<TensorSpec>,
  donate: readonly string[],
): readonly ProgramInput[] {
  for (const key of donate)
    if (!Object.hasOwn(signature, key))
      throw unknownName(`donated input of program "${program}"`, key, Object.keys(signature));
  return Object.entries(leavesByPath(signature)).map(([path, { shape, dtype }]) => {
    const [key = path] = path.split('/', 1);
    return { path, shape: [...shape], dtype, donated: donate.includes(key) };
  });
}

/**
 * Matches the given tensors with a program's inputs, in order.
 * @throws InputError when a tensor is missing, unknown, or of another shape or type than in the
 * signature.
 */
export function matchInputs(
  program: string,
  inputs: readonly ProgramInput[],
  given: Readonly<Record<string, DeviceTensor>>,
): readonly (readonly [ProgramInput, DeviceTensor])[] {
  const matched = inputs.map((input) => {
    const got = given[input.path];
    if (got === undefined)
      throw new InputError(
        `program "${program}": input "${input.path}" is missing; give ${specText(input)}`,
      );
    if (!sameSpec(got, input))
      throw new InputError(
        `program "${program}": input "${input.path}" must be ${specText(input)}, got ${specText(got)}; compile again for other shapes`,
      );
    return [input, got] as const;
  });
  const known = new Set(inputs.map(({ path }) => path));
  for (const path of Object.keys(given))
    if (!known.has(path)) throw unknownName(`input of program "${program}"`, path, [...known]);
  return matched;
}

/**
 * The tensors that a program's function returned, in order, and the tree of their specs. An output
 * with the name of a donated input is state and must have that input's shape and type for the next
 * run.
 * @throws InputError when an output is not a tensor, has an unsupported type, or is state of
 * another shape or type.
 */
export function checkOutputs(
  program: string,
  inputs: readonly ProgramInput[],
  outputs: Tree<unknown>,
): { tensors: tf.Tensor[]; specs: Tree<TensorSpec> } {
  const state = new Map(
    inputs.filter((input) => input.donated).map((input) => [input.path, input]),
  );
  const tensors: tf.Tensor[] = [];
  const specs = mapTree(outputs, (output, path) => {
    if (!(output instanceof tf.Tensor))
      throw new InputError(
        `program "${program}": output "${path}" must be a tensor, got ${typeof output}`,
      );
    const { shape, dtype } = output;
    if (!isDType(dtype))
      throw new InputError(
        `program "${program}": output "${path}" must be float32, int32 or bool, got ${dtype}`,
      );
    const input = state.get(path);
    if (input !== undefined && !sameSpec(output, input))
      throw new InputError(
        `program "${program}": "${path}" goes in as ${specText(input)} and comes out as ${specText(output)}; keep its shape and type (add an int32 scalar to a counter)`,
      );
    tensors.push(output);
    return { shape: [...shape], dtype };
  });
  return { tensors, specs };
}
