/** Parameters of a model out of a file's tensors by a map of names, with what their layouts need to agree. */
import { type HostArray, type HostParams, InputError, sizeOf, type TensorSpec } from '@grok/core';
import {
  type DocumentKind,
  matchesPattern,
  quote,
  type Shape,
  unknownName,
  z,
} from '@grok/core/internal';
import type { SourceTensor } from './tensor-file.js';

/** Where a parameter comes from: a tensor, its axes in another order first. */
export interface ParamSource {
  /** The tensor's name; each `*` is what the parameter's pattern found at its own. */
  readonly from: string;
  /** Axis `transpose[i]` of the tensor becomes axis `i`: `[1, 0]` for a layer of PyTorch. */
  readonly transpose?: readonly number[];
}
/** Which tensors of a file are a model's parameters. */
export interface ParamMap {
  /** By name of the parameter, or by a pattern in which `*` is any one part between dots; others keep their names. */
  readonly params?: Readonly<Record<string, string | ParamSource>>;
  /** Patterns of tensors that are left out though they are not zero. */
  readonly ignore?: readonly string[];
}
const source: z.ZodType<string | ParamSource> = z.union([
  z.string(),
  z.strictObject({
    from: z.string(),
    transpose: z.array(z.int().min(0)).exactOptional(),
  } satisfies Shape<ParamSource>),
]);
/** The document of a map. */
export const PARAM_MAP: DocumentKind<ParamMap> = {
  schema: z.strictObject({
    params: z.record(z.string(), source).exactOptional(),
    ignore: z.array(z.string()).exactOptional(),
  } satisfies Shape<ParamMap>),
  remedy: 'it must look like { "params": { "embed.W_E": "wte.weight" } }',
};

/** Maps that are known by a name. */
export const PARAM_MAPS: Readonly<Record<string, ParamMap>> = {
  transformerlens: {
    params: Object.fromEntries(
      ['W_Q', 'W_K', 'W_V'].map((name) => [
        `blocks.*.attn.${name}`,
        { from: `blocks.*.attn.${name}`, transpose: [1, 0, 2] },
      ]),
    ),
  },
};

/**
 * The parameters that `wanted` names, in its order. @throws InputError on a parameter without a tensor, on
 * another shape or type, and on a tensor that would be left out: with it, the model computes something else.
 */
export function mapParams(
  tensors: ReadonlyMap<string, SourceTensor>,
  { params = {}, ignore = [] }: ParamMap,
  wanted: Readonly<Record<string, TensorSpec>>,
): HostParams {
  const used = new Set<string>();
  const found = Object.entries(wanted).map(([name, { shape }]): [string, HostArray] => {
    const { from, transpose } = findSource(name, params);
    const tensor = tensors.get(from);
    if (tensor === undefined) throw withParam(name, unknownName('tensor', from, tensors.keys()));
    used.add(from);
    return [
      name,
      { shape, dtype: 'float32', data: readParam(name, from, tensor, { shape, transpose }) },
    ];
  });
  for (const pattern of Object.keys(params))
    if (!Object.keys(wanted).some((name) => matchesPattern(pattern, name)))
      throw unknownName('parameter', pattern, Object.keys(wanted));
  checkUnused(
    [...tensors].filter(([name]) => !used.has(name)),
    ignore,
  );
  return Object.fromEntries(found);
}

function withParam(name: string, error: InputError): InputError {
  return new InputError(`parameter ${quote(name)}: ${error.message}; name its tensor in the map`, {
    cause: error,
  });
}

/** Where a parameter comes from: by its own name first, then by the first pattern that fits. */
function findSource(name: string, params: NonNullable<ParamMap['params']>): ParamSource {
  const pattern = Object.hasOwn(params, name)
    ? name
    : Object.keys(params).find((one) => matchesPattern(one, name));
  const given = pattern === undefined ? name : (params[pattern] ?? name);
  const { from, ...rest } = typeof given === 'string' ? { from: given } : given;
  const own = name.split('.');
  const parts = (pattern ?? '').split('.');
  const found = parts.flatMap((part, i) => {
    if (part !== '*') return [];
    return [i === parts.length - 1 ? own.slice(i).join('.') : (own[i] ?? '')];
  });
  return { ...rest, from: from.replaceAll('*', () => found.shift() ?? '*') };
}

function readParam(
  name: string,
  from: string,
  tensor: SourceTensor,
  { shape, transpose }: { shape: readonly number[]; transpose: readonly number[] | undefined },
): Float32Array {
  const subject = `parameter ${quote(name)}: tensor ${quote(from)}`;
  const data = tensor.read();
  const axes = tensor.shape.map((_, axis) => axis);
  const order = transpose ?? axes;
  if (order.toSorted((a, b) => a - b).join() !== axes.join())
    throw new InputError(
      `${subject}: "transpose" must list the axes ${axes.join(', ')} in some order, got [${order.join(', ')}]`,
    );
  const turned = order.map((axis) => tensor.shape[axis] ?? 1);
  if (!isRegrouped(turned, shape)) {
    const after = transpose === undefined ? '' : ` after its transposition`;
    const swapped = isRegrouped(tensor.shape.toReversed(), shape)
      ? '; give "transpose": [1, 0]'
      : '';
    throw new InputError(
      `${subject} has shape [${turned.join(', ')}]${after}, and the model needs [${shape.join(', ')}]${swapped}`,
    );
  }
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1)
    throw new InputError(`${subject} has ${data[bad]} at ${bad}; parameters must be finite`);
  return transposed(data, tensor.shape, order);
}

/** Whether both are the same axes, some of them merged: `[head · d_head, d_model]` and `[head, d_head, d_model]`. */
function isRegrouped(a: readonly number[], b: readonly number[]): boolean {
  if (sizeOf(a) !== sizeOf(b)) return false;
  const edges = (shape: readonly number[]): readonly number[] =>
    shape.map((_, i) => sizeOf(shape.slice(0, i + 1)));
  const [few, many] = a.length < b.length ? [edges(a), edges(b)] : [edges(b), edges(a)];
  return few.every((edge) => many.includes(edge));
}

function transposed(
  data: Float32Array,
  shape: readonly number[],
  order: readonly number[],
): Float32Array {
  if (order.every((axis, i) => axis === i)) return data;
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  let offsets = [0];
  for (const axis of order) {
    const [extent = 1, stride = 0] = [shape[axis], strides[axis]];
    offsets = offsets.flatMap((at) => Array.from({ length: extent }, (_, i) => at + i * stride));
  }
  return Float32Array.from(offsets, (at) => data[at] ?? 0);
}

function checkUnused(
  unused: readonly (readonly [string, SourceTensor])[],
  ignore: readonly string[],
): void {
  const left = unused
    .filter(
      ([name, { canBeSkipped }]) =>
        !ignore.some((one) => matchesPattern(one, name)) && !canBeSkipped(),
    )
    .map(([name]) => quote(name));
  if (left.length > 0)
    throw new InputError(
      `the file has ${left.length} tensor${left.length === 1 ? '' : 's'} that no parameter reads: ${left.slice(0, 5).join(', ')}; map them, or name them under "ignore" if the model computes the same without them`,
    );
}
