/**
 * Distribution functions for the tests, in float64: normal, Student's t (central and noncentral)
 * and χ². Incomplete gamma and beta use series and Lentz's continued fraction (Press et al.,
 * Numerical Recipes, 6.2 and 6.4) to 1e-15; log Γ uses Lanczos (Godfrey's 15 terms); quantiles use
 * bisection.
 */
import { InputError } from '@grok/core';

const EPSILON = 1e-16;
const TINY = 1e-300;
const LANCZOS = [
  0.9999999999999971, 57.15623566586292, -59.59796035547549, 14.136097974741746,
  -0.4919138160976202, 0.00003399464998481189, 0.00004652362892704858, -0.00009837447530487956,
  0.0001580887032249125, -0.00021026444172410488, 0.00021743961811521265, -0.0001643181065367639,
  0.00008441822398385275, -0.000026190838401581408, 0.0000036899182659531625,
];

/** log Γ(x) for x > 0. */
export function logGamma(x: number): number {
  let sum = LANCZOS[0]!;
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (x + i - 1);
  const t = x - 1 + 607 / 128 + 0.5;
  return (x - 0.5) * Math.log(t) - t + 0.5 * Math.log(2 * Math.PI) + Math.log(sum);
}

/** Regularized lower incomplete gamma P(a, x) and its complement, each accurate where it is small. */
function gammaPQ(a: number, x: number): readonly [number, number] {
  if (x <= 0) return [0, 1];
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let [term, sum] = [1 / a, 1 / a];
    for (let n = 1; Math.abs(term) > sum * EPSILON; n++) sum += term *= x / (a + n);
    return [front * sum, 1 - front * sum];
  }
  const q = front * fraction((n) => [n === 1 ? 1 : -(n - 1) * (n - 1 - a), x - a + 2 * n - 1]);
  return [1 - q, q];
}

/** b₁-type continued fraction a₁/(b₁ + a₂/(b₂ + …)) by modified Lentz. */
function fraction(term: (n: number) => readonly [number, number]): number {
  let [f, c, d] = [TINY, TINY, 0];
  for (let n = 1; n < 100_000; n++) {
    const [a, b] = term(n);
    d = b + a * d || TINY;
    c = b + a / c || TINY;
    d = 1 / d;
    f *= c * d;
    if (Math.abs(c * d - 1) < EPSILON * 4) break;
  }
  return f;
}

/**
 * Regularized incomplete beta function I_x(a, b); `y` = 1 − x is passed separately because x may be close to 1.
 */
export function betaRegularized(x: number, a: number, b: number, y: number = 1 - x): number {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaRegularized(y, b, a, x);
  const front = Math.exp(
    a * Math.log(x) + b * Math.log(y) + logGamma(a + b) - logGamma(a) - logGamma(b),
  );
  return (
    front *
    fraction((n) => {
      if (n === 1) return [1 / a, 1];
      const m = (n - 1) >> 1;
      const even = (n - 1) % 2 === 0;
      const top = even ? m * (b - m) * x : -(a + m) * (a + b + m) * x;
      const below = even ? (a + 2 * m - 1) * (a + 2 * m) : (a + 2 * m) * (a + 2 * m + 1);
      return [top / below, 1];
    })
  );
}

/** P(Z ≤ z) of the standard normal distribution, accurate in the lower tail. */
export function normalCdf(z: number): number {
  const [p, q] = gammaPQ(0.5, (z * z) / 2);
  return z < 0 ? q / 2 : 0.5 + p / 2;
}

/** Quantile of the standard normal distribution for p in (0, 1). */
export function normalQuantile(p: number): number {
  return quantile('normal', p, normalCdf);
}

/** P(T ≤ t) of Student's t distribution with `df` > 0 degrees of freedom, accurate in the lower tail. */
export function tCdf(t: number, df: number): number {
  const square = t * t;
  const tail = 0.5 * betaRegularized(df / (df + square), df / 2, 0.5, square / (df + square));
  return t < 0 ? tail : 1 - tail;
}

/** Quantile of Student's t distribution for p in (0, 1). */
export function tQuantile(p: number, df: number): number {
  return quantile('t', p, (t) => tCdf(t, df));
}

/** P(X > x) of χ² with `df` degrees of freedom. */
export function chiSquareTail(x: number, df: number): number {
  return gammaPQ(df / 2, x / 2)[1];
}

/**
 * P(T ≤ t) of the noncentral t distribution with noncentrality `delta`, by Lenth's series of incomplete betas
 * (1989, Applied Statistics algorithm 243) for t > 0, and by reflection for t < 0.
 */
export function noncentralTCdf(t: number, df: number, delta: number): number {
  if (t < 0) return 1 - noncentralTCdf(-t, df, -delta);
  const x = (t * t) / (df + t * t);
  const y = df / (df + t * t);
  const half = (delta * delta) / 2;
  // e^−h underflows for |δ| > 38, far beyond effects that need a power analysis.
  let even = 0.5 * Math.exp(-half);
  let odd = (even * delta) / (Math.SQRT2 * Math.exp(logGamma(1.5)));
  let sum = 0;
  for (let j = 0; j < 20_000; j++) {
    const term =
      even * betaRegularized(x, j + 0.5, df / 2, y) + odd * betaRegularized(x, j + 1, df / 2, y);
    sum += term;
    if (j > half && Math.abs(term) < EPSILON) break;
    even *= half / (j + 1);
    odd *= half / (j + 1.5);
  }
  return Math.min(1, Math.max(0, normalCdf(-delta) + sum));
}

/** Solves `cdf(x) = p` by doubling, then bisection to the last bit. */
function quantile(name: string, p: number, cdf: (x: number) => number): number {
  if (!(p > 0 && p < 1))
    throw new InputError(`quantile of ${name}: needs a probability in (0, 1), got ${p}`);
  if (p > 0.5) return -quantile(name, 1 - p, cdf);
  let low = -1;
  while (cdf(low) > p) low *= 2;
  let high = 0;
  for (let middle = low / 2; middle > low && middle < high; middle = (low + high) / 2)
    if (cdf(middle) < p) low = middle;
    else high = middle;
  return high;
}
