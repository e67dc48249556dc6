/**
 * The transformer in float64 and plain loops, one row and one position at a time, written from the
 * equations and not from the package's code. Gradients are central differences.
 */
export interface Sizes {
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlp: 'swiglu' | 'relu' | 'gelu';
  readonly norm: 'rms' | 'layer' | 'none';
  readonly positions: 'rope' | 'learned' | 'none';
  readonly causal: boolean;
  readonly pool: 'cls' | 'mean';
  readonly dropout: number;
  readonly ropeBase: number;
  readonly eps: number;
}
/** A matrix as rows. */
type Rows = readonly (readonly number[])[];
/** Parameters by name, row-major, with their shapes. */
export type Weights = Record<string, { shape: readonly number[]; data: Float64Array }>;

const times = (x: readonly number[], w: Weights[string]): number[] =>
  Array.from({ length: w.shape[1]! }, (_, j) =>
    x.reduce((sum, value, i) => sum + value * w.data[i * w.shape[1]! + j]!, 0),
  );
const plus = (a: readonly number[], b: readonly number[]): number[] => a.map((v, i) => v + b[i]!);
const mean = (x: readonly number[]): number => x.reduce((s, v) => s + v, 0) / x.length;
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, v, i) => sum + v * b[i]!, 0);

/** Every site of one row; `keep` reads a mask by name, position and index. */
export function rowSites(
  s: Sizes,
  w: Weights,
  tokens: readonly number[],
  keep?: (mask: string, position: number, i: number) => boolean,
): Record<string, number[]> {
  const sites: Record<string, number[]> = {};
  const put = (site: string, rows: Rows): Rows => {
    sites[site] = rows.flat();
    return rows;
  };
  /** Scale and unit rows as TransformerLens has them: before the weight and the bias. */
  const normed = (name: string, rows: Rows): Rows => {
    if (s.norm === 'none') return rows;
    const centred = rows.map((x) => {
      const centre = s.norm === 'layer' ? mean(x) : 0;
      return x.map((v) => v - centre);
    });
    const scales = put(
      `${name}.hook_scale`,
      centred.map((x) => [Math.sqrt(mean(x.map((v) => v ** 2)) + s.eps)]),
    );
    const unit = put(
      `${name}.hook_normalized`,
      centred.map((x, i) => x.map((v) => v / scales[i]![0]!)),
    );
    const shift = w[`${name}.b`];
    return unit.map((x) => x.map((v, i) => v * w[`${name}.w`]!.data[i]! + (shift?.data[i] ?? 0)));
  };
  const drop = (mask: string, x: readonly number[], position: number): number[] =>
    keep === undefined
      ? [...x]
      : x.map((v, i) => (keep(mask, position, i) ? v / (1 - s.dropout) : 0));
  const width = s.dim / s.heads;
  const turned = (x: readonly number[], position: number): number[] =>
    x.map((v, i) => {
      const inside = i % width;
      const pair = inside % (width / 2);
      const angle = position / s.ropeBase ** ((2 * pair) / width);
      const first = inside < width / 2;
      const other = x[first ? i + width / 2 : i - width / 2]!;
      return v * Math.cos(angle) + (first ? -other : other) * Math.sin(angle);
    });

  const table = w['embed.W_E']!;
  let x = put(
    'hook_embed',
    tokens.map((token) => [...table.data.slice(token * s.dim, (token + 1) * s.dim)]),
  );
  const learned = w['pos_embed.W_pos'];
  if (learned) {
    const positions = put(
      'hook_pos_embed',
      x.map((_, i) => [...learned.data.slice(i * s.dim, (i + 1) * s.dim)]),
    );
    x = x.map((row, i) => plus(row, positions[i]!));
  }

  for (let l = 0; l < s.depth; l++) {
    const b = (name: string): string => `blocks.${l}.${name}`;
    put(b('hook_resid_pre'), x);
    const h = normed(b('ln1'), x);
    const [q, k, v] = ['q', 'k', 'v'].map((n) =>
      put(
        b(`attn.hook_${n}`),
        h.map((row) => times(row, w[b(`attn.W_${n.toUpperCase()}`)]!)),
      ),
    ) as [Rows, Rows, Rows];
    const rope = s.positions === 'rope';
    const rq = rope ? put(b('attn.hook_rot_q'), q.map(turned)) : q;
    const rk = rope ? put(b('attn.hook_rot_k'), k.map(turned)) : k;
    const head = (row: readonly number[], n: number): readonly number[] =>
      row.slice(n * width, (n + 1) * width);
    const scores: number[][] = [];
    const pattern: number[][] = [];
    for (let n = 0; n < s.heads; n++)
      for (let i = 0; i < x.length; i++) {
        const row = rk.map(
          (key, j) =>
            dot(head(rq[i]!, n), head(key, n)) / Math.sqrt(width) - (s.causal && j > i ? 1e9 : 0),
        );
        const top = Math.max(...row);
        const exps = row.map((score) => Math.exp(score - top));
        const sum = exps.reduce((a, e) => a + e, 0);
        scores.push(row);
        pattern.push(exps.map((e) => e / sum));
      }
    put(b('attn.hook_attn_scores'), scores);
    put(b('attn.hook_pattern'), pattern);
    const z = put(
      b('attn.hook_z'),
      x.map((_, i) =>
        Array.from({ length: s.dim }, (_, j) =>
          dot(
            pattern[Math.floor(j / width) * x.length + i]!,
            v.map((row) => row[j]!),
          ),
        ),
      ),
    );
    put(
      b('attn.hook_result'),
      z.map((row, i) =>
        Array.from({ length: s.heads }, (_, n) => {
          const alone = row.map((value, j) => (Math.floor(j / width) === n ? value : 0));
          return drop(b('attn'), times(alone, w[b('attn.W_O')]!), i);
        }).flat(),
      ),
    );
    const out = z.map((row, i) => drop(b('attn'), times(row, w[b('attn.W_O')]!), i));
    put(b('hook_attn_out'), out);
    x = put(
      b('hook_resid_mid'),
      x.map((row, i) => plus(row, out[i]!)),
    );
    const g = normed(b('ln2'), x);
    const gated = s.mlp === 'swiglu';
    const pre = put(
      b('mlp.hook_pre'),
      g.map((row) => times(row, w[b(gated ? 'mlp.W_gate' : 'mlp.W_in')]!)),
    );
    const straight = gated
      ? put(
          b('mlp.hook_pre_linear'),
          g.map((row) => times(row, w[b('mlp.W_in')]!)),
        )
      : pre;
    const act = (u: number, other: number): number => {
      if (gated) return (u / (1 + Math.exp(-u))) * other;
      if (s.mlp === 'relu') return Math.max(0, u);
      return 0.5 * u * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (u + 0.044715 * u ** 3)));
    };
    const post = put(
      b('mlp.hook_post'),
      pre.map((row, i) => row.map((u, j) => act(u, straight[i]![j]!))),
    );
    const mlp = put(
      b('hook_mlp_out'),
      post.map((row, i) => times(drop(b('mlp'), row, i), w[b('mlp.W_out')]!)),
    );
    x = put(
      b('hook_resid_post'),
      x.map((row, i) => plus(row, mlp[i]!)),
    );
  }
  const last = put('ln_final.hook_out', normed('ln_final', x));
  put(
    'unembed.hook_logits',
    last.map((row) => times(row, w['unembed.W_U']!)),
  );
  const pooled =
    s.pool === 'cls'
      ? last.at(-1)!
      : Array.from({ length: s.dim }, (_, j) => mean(last.map((row) => row[j]!)));
  put('pooled', [pooled]);
  put('logits', [times(pooled, w['unembed.W_U']!)]);
  return sites;
}

/** Mean cross-entropy over rows. */
export function crossEntropy(logits: Rows, labels: readonly number[]): number {
  return mean(
    logits.map((row, i) => {
      const top = Math.max(...row);
      return top + Math.log(row.reduce((s, v) => s + Math.exp(v - top), 0)) - row[labels[i]!]!;
    }),
  );
}

/** Derivative of `f` along a direction in an array that it reads, by central differences of fourth order. */
export function slope(
  f: () => number,
  data: Float64Array,
  direction: ArrayLike<number>,
  step = 1e-4,
): number {
  const held = data.slice();
  const value = (by: number): number => {
    for (let i = 0; i < data.length; i++) data[i] = held[i]! + by * direction[i]!;
    return f();
  };
  const near = value(step) - value(-step);
  const far = value(2 * step) - value(-2 * step);
  data.set(held);
  return (8 * near - far) / (12 * step);
}
