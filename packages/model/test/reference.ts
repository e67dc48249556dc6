/**
 * The transformer in float64 and plain loops, one row and position at a time, written from the
 * equations and independent of the package's code. Gradients are central differences.
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

const zip = <T, A, B>(a: readonly A[], b: ArrayLike<B>, f: (a: A, b: B, i: number) => T): T[] =>
  a.map((value, i) => f(value, b[i]!, i));
const column = (rows: Rows, j: number): number[] => rows.flatMap((row) => row.slice(j, j + 1));
const times = (x: readonly number[], { shape: [, width = 0], data }: Weights[string]): number[] =>
  x.reduce((sum, value, i) => {
    const row = data.subarray(i * width, (i + 1) * width);
    return zip(sum, row, (s, v) => s + value * v);
  }, new Array<number>(width).fill(0));
const plus = (a: readonly number[], b: readonly number[]): number[] => zip(a, b, (v, u) => v + u);
const mean = (x: readonly number[]): number => x.reduce((s, v) => s + v, 0) / x.length;
const dot = (a: readonly number[], b: ArrayLike<number>): number =>
  zip(a, b, (v, u) => v * u).reduce((sum, v) => sum + v, 0);

/** Every site of one row; `keep` reads a mask by name, position and index. */
export function rowSites(
  s: Sizes,
  w: Weights,
  tokens: readonly number[],
  isKept?: (mask: string, position: number, i: number) => boolean,
): Record<string, number[]> {
  const sites: Record<string, number[]> = {};
  const weight = (name: string): Weights[string] => {
    const found = w[name];
    if (found === undefined) throw new Error(`no parameter "${name}"`);
    return found;
  };
  const put = (site: string, rows: Rows): Rows => {
    sites[site] = rows.flat();
    return rows;
  };
  /** Scale and normalized rows as in TransformerLens: before the weight and the bias. */
  const normed = (name: string, rows: Rows): Rows => {
    if (s.norm === 'none') return rows;
    const centered = rows.map((x) => {
      const centre = s.norm === 'layer' ? mean(x) : 0;
      return x.map((v) => v - centre);
    });
    const scales = put(
      `${name}.hook_scale`,
      centered.map((x) => [Math.sqrt(mean(x.map((v) => v ** 2)) + s.eps)]),
    );
    const unit = put(
      `${name}.hook_normalized`,
      zip(centered, scales.flat(), (x, scale) => x.map((v) => v / scale)),
    );
    const scaled = unit.map((x) => zip(x, weight(`${name}.w`).data, (v, by) => v * by));
    const shift = w[`${name}.b`];
    return shift === undefined ? scaled : scaled.map((x) => plus(x, [...shift.data]));
  };
  const drop = (mask: string, x: readonly number[], position: number): number[] =>
    isKept === undefined
      ? [...x]
      : x.map((v, i) => (isKept(mask, position, i) ? v / (1 - s.dropout) : 0));
  const width = s.dim / s.heads;
  const turned = (x: readonly number[], position: number): number[] =>
    x.map((v, i) => {
      const inside = i % width;
      const pair = inside % (width / 2);
      const angle = position / s.ropeBase ** ((2 * pair) / width);
      const first = inside < width / 2;
      const other = Number(x[first ? i + width / 2 : i - width / 2]);
      return v * Math.cos(angle) + (first ? -other : other) * Math.sin(angle);
    });

  const table = weight('embed.W_E');
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
    x = zip(x, positions, plus);
  }

  for (let l = 0; l < s.depth; l++) {
    const b = (name: string): string => `blocks.${l}.${name}`;
    put(b('hook_resid_pre'), x);
    const h = normed(b('ln1'), x);
    const project = (n: string): Rows =>
      put(
        b(`attn.hook_${n}`),
        h.map((row) => times(row, weight(b(`attn.W_${n.toUpperCase()}`)))),
      );
    const [q, k, v] = [project('q'), project('k'), project('v')];
    const rope = s.positions === 'rope';
    const rq = rope ? put(b('attn.hook_rot_q'), q.map(turned)) : q;
    const rk = rope ? put(b('attn.hook_rot_k'), k.map(turned)) : k;
    const head = (row: readonly number[], n: number): readonly number[] =>
      row.slice(n * width, (n + 1) * width);
    const scores: number[][] = [];
    const pattern: number[][] = [];
    for (let n = 0; n < s.heads; n++)
      for (const [i, query] of rq.entries()) {
        const row = rk.map(
          (key, j) =>
            dot(head(query, n), head(key, n)) / Math.sqrt(width) - (s.causal && j > i ? 1e9 : 0),
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
          dot(pattern[Math.floor(j / width) * x.length + i] ?? [], column(v, j)),
        ),
      ),
    );
    put(
      b('attn.hook_result'),
      z.map((row, i) =>
        Array.from({ length: s.heads }, (_, n) => {
          const alone = row.map((value, j) => (Math.floor(j / width) === n ? value : 0));
          return drop(b('attn'), times(alone, weight(b('attn.W_O'))), i);
        }).flat(),
      ),
    );
    const out = z.map((row, i) => drop(b('attn'), times(row, weight(b('attn.W_O'))), i));
    put(b('hook_attn_out'), out);
    x = put(b('hook_resid_mid'), zip(x, out, plus));
    const g = normed(b('ln2'), x);
    const gated = s.mlp === 'swiglu';
    const pre = put(
      b('mlp.hook_pre'),
      g.map((row) => times(row, weight(b(gated ? 'mlp.W_gate' : 'mlp.W_in')))),
    );
    const straight = gated
      ? put(
          b('mlp.hook_pre_linear'),
          g.map((row) => times(row, weight(b('mlp.W_in')))),
        )
      : pre;
    const act = (u: number, other: number): number => {
      if (gated) return (u / (1 + Math.exp(-u))) * other;
      if (s.mlp === 'relu') return Math.max(0, u);
      return 0.5 * u * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (u + 0.044715 * u ** 3)));
    };
    const post = put(
      b('mlp.hook_post'),
      zip(pre, straight, (row, others) => zip(row, others, act)),
    );
    const mlp = put(
      b('hook_mlp_out'),
      post.map((row, i) => times(drop(b('mlp'), row, i), weight(b('mlp.W_out')))),
    );
    x = put(b('hook_resid_post'), zip(x, mlp, plus));
  }
  const last = put('ln_final.hook_out', normed('ln_final', x));
  put(
    'unembed.hook_logits',
    last.map((row) => times(row, weight('unembed.W_U'))),
  );
  const pooled =
    s.pool === 'cls'
      ? (last.at(-1) ?? [])
      : Array.from({ length: s.dim }, (_, j) => mean(column(last, j)));
  put('pooled', [pooled]);
  put('logits', [times(pooled, weight('unembed.W_U'))]);
  return sites;
}

/** Mean cross-entropy over rows. */
export function crossEntropy(logits: Rows, labels: readonly number[]): number {
  return mean(
    zip(logits, labels, (row, label) => {
      const top = Math.max(...row);
      return top + Math.log(row.reduce((s, v) => s + Math.exp(v - top), 0)) - Number(row[label]);
    }),
  );
}

/** Directional derivative of `f` with respect to an array that it reads, by central differences of fourth order. */
export function slope(
  f: () => number,
  data: Float64Array,
  direction: ArrayLike<number>,
  step = 1e-4,
): number {
  const held = data.slice();
  const value = (by: number): number => {
    data.set(zip([...held], direction, (v, along) => v + by * along));
    return f();
  };
  const near = value(step) - value(-step);
  const far = value(2 * step) - value(-2 * step);
  data.set(held);
  return (8 * near - far) / (12 * step);
}
