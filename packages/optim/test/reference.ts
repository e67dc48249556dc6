/** AdamW in float64 and plain arrays (reference: Loshchilov and Hutter 2019, algorithm 2). */
export interface Settings {
  readonly rate: (step: number) => number;
  readonly b1: number;
  readonly b2: number;
  readonly eps: number;
  readonly weightDecay: number;
}
/** Parameters after every step, given the gradients of every step. */
export function adamwReference(
  start: readonly number[],
  grads: readonly (readonly number[])[],
  { rate, b1, b2, eps, weightDecay }: Settings,
): number[][] {
  let p = [...start];
  const m = start.map(() => 0);
  const v = start.map(() => 0);
  return grads.map((g, step) => {
    const t = step + 1;
    p = p.map((value, i) => {
      m[i] = b1 * m[i]! + (1 - b1) * g[i]!;
      v[i] = b2 * v[i]! + (1 - b2) * g[i]! * g[i]!;
      const mHat = m[i]! / (1 - b1 ** t);
      const vHat = v[i]! / (1 - b2 ** t);
      return value - rate(step) * (mHat / (Math.sqrt(vHat) + eps) + weightDecay * value);
    });
    return p;
  });
}
