/**
 * The symmetries of a pre-norm transformer, as maps of one model's weights that leave its function alone and
 * bring them closest to another's: an orthogonal basis of the residual stream, the order of heads with a
 * basis of each, the order (and, of gated neurons, the sign) of neurons. Each is the exact optimum of the
 * inner product with all other maps held (weight matching: Ainsworth et al. 2023, section 3.2; orthogonal
 * Procrustes: Schönemann 1966).
 */
import { type HostParams, InputError, type Model } from '@grok/core';
import { assign, reader } from '@grok/core/internal';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';

/** Weights by name in float64; norms and biases are matrices of one row. */
export type ModelWeights = Map<string, Matrix>;

/** What of an architecture its symmetries depend on. */
export interface Architecture {
  readonly layers: number;
  readonly heads: number;
  readonly isRotary: boolean;
  readonly isGated: boolean;
  /** LayerNorm takes the mean of the residual stream out, so that its basis must keep the direction of the mean. */
  readonly keepsMean: boolean;
  /** Norms and the weights behind them. */
  readonly norms: readonly (readonly [norm: string, readers: readonly string[]])[];
  /** `[…, d_model]`: they add to the residual stream, or are a bias in it. */
  readonly writers: readonly string[];
  /** `[d_model, …]`. */
  readonly readers: readonly string[];
}

/** The writers and readers whose other side has no symmetry: tokens, positions, answers. */
export const ANCHORS: ReadonlySet<string> = new Set([
  'embed.W_E',
  'pos_embed.W_pos',
  'unembed.W_U',
]);

/** Reads an architecture off a model and its parameters. @throws InputError on parameters of another one. */
export function readArchitecture(model: Model, params: HostParams): Architecture {
  const has = (name: string): boolean => params[name] !== undefined;
  const { layers, heads } = model.shape;
  const isGated = has('blocks.0.mlp.W_gate');
  const blocks = Array.from({ length: layers }, (_, l) => `blocks.${l}`);
  const norms = [
    ...blocks.flatMap((block) => [
      [`${block}.ln1`, ['W_Q', 'W_K', 'W_V'].map((w) => `${block}.attn.${w}`)] as const,
      [
        `${block}.ln2`,
        (isGated ? ['W_gate', 'W_in'] : ['W_in']).map((w) => `${block}.mlp.${w}`),
      ] as const,
    ]),
    ['ln_final', ['unembed.W_U']] as const,
  ];
  const biases = norms.map(([norm]) => `${norm}.b`).filter(has);
  const writers = [
    'embed.W_E',
    ...(has('pos_embed.W_pos') ? ['pos_embed.W_pos'] : []),
    ...blocks.flatMap((block) => [`${block}.attn.W_O`, `${block}.mlp.W_out`]),
    ...biases,
  ];
  const readers = norms.flatMap(([, behind]) => behind);
  const scales = norms.map(([norm]) => `${norm}.w`).filter(has);
  const known = new Set([...writers, ...readers, ...scales]);
  const [missing, foreign] = [
    [...known].find((name) => !has(name)),
    Object.keys(params).find((name) => !known.has(name)),
  ];
  if (missing !== undefined || foreign !== undefined)
    throw new InputError(
      `align: knows the symmetries of a pre-norm transformer of ${layers} blocks, got parameters ${missing === undefined ? `with "${foreign}"` : `without "${missing}"`}; align models of @grok/model`,
    );
  const isRotary = model.sites().some(({ name }) => name.endsWith('hook_rot_q'));
  const keepsMean = biases.length > 0;
  return { layers, heads, isRotary, isGated, keepsMean, norms, writers, readers };
}

/** Copies parameters into matrices, with the scale of each norm moved into the weights behind it. @throws InputError on a scale of 0 beside a bias. */
export function foldNorms(params: HostParams, { norms }: Architecture): ModelWeights {
  const weights: ModelWeights = new Map(
    Object.entries(params).map(([name, { data, shape }]) => {
      const columns = shape.at(-1) ?? 1;
      return [name, Matrix.from1DArray(data.length / columns, columns, data)];
    }),
  );
  for (const [norm, behind] of norms) {
    const scale = weights.get(`${norm}.w`);
    if (scale === undefined) continue;
    for (const name of behind) take(weights, name).mulColumnVector(scale.to1DArray());
    const bias = weights.get(`${norm}.b`);
    if (bias !== undefined && scale.to1DArray().includes(0))
      throw new InputError(
        `align: "${norm}.w" must not be 0 anywhere, as "${norm}.b" cannot be folded then; align models without dead dimensions`,
      );
    bias?.div(scale);
    scale.fill(1);
  }
  return weights;
}

const take = (weights: ModelWeights, name: string): Matrix =>
  reader('parameter', Object.fromEntries(weights))(name);

/** An orthogonal map and the inner product that it reaches. */
interface Fit {
  readonly map: Matrix;
  readonly gain: number;
}

/** The orthogonal R of largest ⟨R, M⟩. */
function fitOrthogonal(m: Matrix): Fit {
  const svd = new SingularValueDecomposition(m);
  return {
    map: svd.leftSingularVectors.mmul(svd.rightSingularVectors.transpose()),
    gain: svd.diagonal.reduce((sum, value) => sum + value, 0),
  };
}

/** The same among maps that commute with rotary positions: a rotation of each pair (i, i + d_head/2). */
function fitRotary(m: Matrix): Fit {
  const half = m.rows / 2;
  const map = Matrix.zeros(m.rows, m.rows);
  let gain = 0;
  for (let i = 0; i < half; i++) {
    const j = i + half;
    const [along, across] = [m.get(i, i) + m.get(j, j), m.get(i, j) - m.get(j, i)];
    const angle = Math.atan2(across, along);
    gain += Math.hypot(along, across);
    map.set(i, i, Math.cos(angle)).set(j, j, Math.cos(angle));
    map.set(i, j, Math.sin(angle)).set(j, i, -Math.sin(angle));
  }
  return { map, gain };
}

/** Turns the residual stream of `b` to that of `a`, as far as the named weights say. */
export function alignResidual(
  a: ModelWeights,
  b: ModelWeights,
  { keepsMean, writers, readers }: Architecture,
  uses: (name: string) => boolean,
): void {
  const width = take(a, 'embed.W_E').columns;
  const m = Matrix.zeros(width, width);
  for (const name of writers.filter(uses)) m.add(take(b, name).transpose().mmul(take(a, name)));
  for (const name of readers.filter(uses)) m.add(take(b, name).mmul(take(a, name).transpose()));
  const { map } = fitOrthogonal(keepsMean ? holdMean(m) : m);
  for (const name of writers) b.set(name, take(b, name).mmul(map));
  for (const name of readers) b.set(name, map.transpose().mmul(take(b, name)));
}

/** Makes the direction of the mean a singular pair of its own, the largest. */
function holdMean(m: Matrix): Matrix {
  const share = 2 * m.norm('frobenius') + 1;
  return m
    .clone()
    .center('row')
    .center('column')
    .add(share / m.rows);
}

/** Puts the neurons of a block of `b` in the order of their counterparts in `a`. */
export function alignNeurons(
  a: ModelWeights,
  b: ModelWeights,
  layer: number,
  isGated: boolean,
): void {
  const at = (name: string): string => `blocks.${layer}.mlp.${name}`;
  const columnProducts = (name: string): Matrix =>
    take(a, at(name))
      .transpose()
      .mmul(take(b, at(name)));
  const outA = take(a, at('W_out'));
  const outB = take(b, at('W_out'));
  const linear = columnProducts('W_in').add(outA.mmul(outB.transpose())); // [d_mlp of a, of b]
  const gains = isGated ? Matrix.abs(linear).add(columnProducts('W_gate')) : linear;
  const order = Array.from(assign(Matrix.mul(gains, -1).to2DArray()));
  // A gated neuron and its negative are the same up to the sign of two weights.
  const signs = order.map((other, i) => (isGated && linear.get(i, other) < 0 ? -1 : 1));
  const columns = (name: string): Matrix => take(b, at(name)).subMatrixColumn(order);
  if (isGated) b.set(at('W_gate'), columns('W_gate'));
  b.set(at('W_in'), columns('W_in').mulRowVector(signs));
  b.set(at('W_out'), outB.subMatrixRow(order).mulColumnVector(signs));
}

/** Puts the heads of a block of `b` in the order of their counterparts in `a`, each in its counterpart's basis. */
export function alignHeads(
  a: ModelWeights,
  b: ModelWeights,
  layer: number,
  { heads, isRotary }: Architecture,
): void {
  const at = (name: string): string => `blocks.${layer}.attn.${name}`;
  const width = take(a, at('W_Q')).columns / heads;
  const columns = (weights: ModelWeights, name: string, head: number): Matrix => {
    const all = take(weights, at(name));
    return all.subMatrix(0, all.rows - 1, head * width, (head + 1) * width - 1);
  };
  const rows = (weights: ModelWeights, head: number): Matrix => {
    const all = take(weights, at('W_O'));
    return all.subMatrix(head * width, (head + 1) * width - 1, 0, all.columns - 1);
  };
  const product = (name: string, h: number, other: number): Matrix =>
    columns(b, name, other)
      .transpose()
      .mmul(columns(a, name, h)); // [d_head of b, of a]
  const fits = Array.from({ length: heads }, (_, h) =>
    Array.from({ length: heads }, (__, other) => ({
      score: (isRotary ? fitRotary : fitOrthogonal)(
        product('W_Q', h, other).add(product('W_K', h, other)),
      ),
      value: fitOrthogonal(
        product('W_V', h, other).add(rows(b, other).mmul(rows(a, h).transpose())),
      ),
    })),
  );
  const partners = assign(
    fits.map((row) => row.map(({ score, value }) => -score.gain - value.gain)),
  );
  const moved = new Map(
    ['W_Q', 'W_K', 'W_V', 'W_O'].map((name) => [name, take(b, at(name)).clone()]),
  );
  for (const [h, other] of partners.entries()) {
    const best = fits[h]?.[other];
    if (best === undefined) continue;
    for (const [name, { map }] of [
      ['W_Q', best.score],
      ['W_K', best.score],
      ['W_V', best.value],
    ] as const)
      moved.get(name)?.setSubMatrix(columns(b, name, other).mmul(map), 0, h * width);
    moved.get('W_O')?.setSubMatrix(best.value.map.transpose().mmul(rows(b, other)), h * width, 0);
  }
  for (const [name, weights] of moved) b.set(at(name), weights);
}
