/** Parameters as points and directions of one space. */
import { type HostParams, InputError } from '@grok/core';
import { reader } from '@grok/core/internal';

/** Σ factor · parameters, summed in float64. @throws InputError when names or shapes differ. */
export function combineParams(
  first: readonly [factor: number, params: HostParams],
  ...rest: readonly (readonly [factor: number, params: HostParams])[]
): HostParams {
  for (const [, params] of rest) checkShapes(first[1], params);
  return Object.fromEntries(
    Object.entries(first[1]).map(([name, { data, shape }]) => {
      const sums = Float64Array.from(data, (value) => first[0] * value);
      for (const [factor, params] of rest) {
        const others = reader('parameter', params)(name).data;
        for (const [i, sum] of sums.entries()) sums[i] = sum + factor * (others[i] ?? 0);
      }
      return [name, { data: Float32Array.from(sums), shape, dtype: 'float32' }] as const;
    }),
  );
}

/** The inner product over all parameters. */
export function dotParams(a: HostParams, b: HostParams): number {
  const read = reader('parameter', b);
  let sum = 0;
  for (const [name, { data }] of Object.entries(a)) {
    const others = read(name).data;
    for (const [i, value] of data.entries()) sum += value * (others[i] ?? 0);
  }
  return sum;
}

/** The Euclidean norm over all parameters. */
export function norm(a: HostParams): number {
  return Math.sqrt(dotParams(a, a));
}

/** @throws InputError when parameters differ in names or shapes. */
export function checkShapes(a: HostParams, b: HostParams): void {
  const show = (params: HostParams, name: string): string =>
    params[name] === undefined ? 'none' : `[${params[name].shape}]`;
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)]))
    if (show(a, name) !== show(b, name))
      throw new InputError(
        `landscape: parameters must have the same names and shapes, got "${name}" ${show(a, name)} and ${show(b, name)}; choose models of one architecture and size`,
      );
}
