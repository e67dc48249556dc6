/**
 * Checks that traced functions call the same tfjs operations every time: a compiled step keeps the
 * constants of its first call, so a number drawn in JavaScript would be frozen silently.
 */
import * as tf from '@grok/tfjs';
import type { HostArray, HostParams } from '../contracts/types.js';

let isRecording = false;

/**
 * Wraps a function so that its first call runs it twice; the surrounding tidy disposes of the
 * second result.
 * @throws Error when the two calls differ in operations, shapes, attributes or constants.
 */
export function repeatable<A extends readonly unknown[], R>(
  fn: (...given: A) => R,
): (...given: A) => R {
  let isChecked = false;
  return (...given) => {
    // Nested inside another check, it is already recorded there and is checked at a later call.
    if (isChecked || isRecording) return fn(...given);
    isChecked = true;
    const first = recordCalls(() => fn(...given));
    const second = recordCalls(() => fn(...given));
    compareCalls(first.calls, second.calls);
    return first.result;
  };
}

/** Runs `fn` and records its tfjs calls: operations with shapes and attributes, and constants by value. */
function recordCalls<R>(fn: () => R): { readonly result: R; readonly calls: readonly string[] } {
  const engine = tf.engine();
  const runKernel = engine.runKernel.bind(engine);
  const makeTensor = engine.makeTensor.bind(engine);
  const calls: string[] = [];
  isRecording = true;
  engine.runKernel = (kernel, inputs, attrs) => {
    calls.push(`${kernel}(${describeInputs(inputs)})${attrs ? ` ${JSON.stringify(attrs)}` : ''}`);
    return runKernel(kernel, inputs, attrs);
  };
  engine.makeTensor = (values, shape, dtype, backend) => {
    calls.push(`the constant ${describeValues(values, shape)}`);
    return makeTensor(values, shape, dtype, backend);
  };
  try {
    return { result: fn(), calls };
  } finally {
    isRecording = false;
    engine.runKernel = runKernel;
    engine.makeTensor = makeTensor;
  }
}

function describeInputs(inputs: tf.NamedTensorMap): string {
  const given: readonly (tf.Tensor | readonly tf.Tensor[] | null | undefined)[] =
    Object.values(inputs);
  return given
    .flat()
    .map((tensor) => `[${tensor?.shape}]`)
    .join(', ');
}

/** The value of a scalar; for larger tensors, the first values and a checksum. */
function describeValues(values: ArrayLike<unknown>, shape: readonly number[]): string {
  if (shape.length === 0) return String(values[0]);
  const shown = Array.from({ length: Math.min(values.length, 3) }, (_, i) => values[i]);
  return `[${shape}] of ${shown.join(', ')}${values.length > 3 ? ` … (${checksum(values)})` : ''}`;
}

/** FNV-1a over the bytes of numbers, or over the text of anything else. */
function checksum(values: ArrayLike<unknown>): string {
  const bytes = ArrayBuffer.isView(values)
    ? new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    : new TextEncoder().encode(Array.from(values).join());
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16);
}

function compareCalls(first: readonly string[], second: readonly string[]): void {
  const at = first.findIndex((call, i) => call !== second[i]);
  if (at === -1 && first.length === second.length) return;
  const got =
    at === -1 || second[at] === undefined
      ? `${first.length} operations and then ${second.length}`
      : `${first[at]} and then ${second[at]}`;
  throw new Error(
    `must call the same tfjs operations every time, got ${got}; a step is compiled once, so take random numbers from randomInputs and the step number from step, not from Math.random, a clock or a counter`,
  );
}

/**
 * Wraps a function so that its first call runs it twice.
 * @throws Error when the two calls draw different arrays, naming `what`.
 */
export function repeatableDraw<A extends readonly unknown[]>(
  what: string,
  fn: (...given: A) => HostParams,
): (...given: A) => HostParams {
  let isChecked = false;
  return (...given) => {
    const drawn = fn(...given);
    if (!isChecked) compareDraws(what, drawn, fn(...given));
    isChecked = true;
    return drawn;
  };
}

function compareDraws(what: string, first: HostParams, second: HostParams): void {
  const isSame = (a: HostArray, b: HostArray | undefined): boolean =>
    b !== undefined &&
    a.shape.join() === b.shape.join() &&
    a.data.every((value, i) => Object.is(value, b.data[i]));
  for (const [name, array] of Object.entries(first))
    if (!isSame(array, second[name]))
      throw new Error(
        `${what} must draw the same at every call, got another "${name}"; use the rng argument, not Math.random`,
      );
}
