/** A copy with its parts in another order and basis is the same model, and after alignment the same point. */
import wasm from '@grok/backend-wasm';
import {
  type Backend,
  createRegistry,
  type HostArray,
  type HostParams,
  type Model,
  openBackend,
  type Rng,
  rng,
} from '@grok/core';
import {
  align,
  compareBarriers,
  connectLinearly,
  createLossSurface,
  hookModel,
  type LabeledBatch,
  type LossSurface,
} from '@grok/interp';
import { type TransformerOptions, transformer } from '@grok/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let backend: Backend;
beforeAll(async () => {
  backend = await openBackend(createRegistry([wasm]), { backend: 'wasm' });
}, 60_000);
afterAll(() => backend.dispose());

type Table = number[][];
const LAYERS = 2;
const V = 13;
const WIDTH = 12;

const toTable = ({ data, shape }: HostArray): Table => {
  const columns = shape.at(-1) ?? 1;
  return Array.from({ length: data.length / columns }, (_, row) =>
    Array.from(data.subarray(row * columns, (row + 1) * columns)),
  );
};
const product = (a: Table, b: Table): Table =>
  a.map((row) =>
    (b[0] ?? []).map((_, j) => row.reduce((sum, value, k) => sum + value * (b[k]?.[j] ?? 0), 0)),
  );
const transpose = (a: Table): Table => (a[0] ?? []).map((_, j) => a.map((row) => row[j] ?? 0));
const identity = (n: number): Table =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => (i === j ? 1 : 0)));

/** A random orthogonal matrix by Gram and Schmidt; with `fixed`, it keeps the direction of the mean. */
function orthogonal(n: number, random: Rng, keepsMean = false): Table {
  const values = random.normal(n * n);
  const rows: Table = keepsMean ? [new Array<number>(n).fill(1 / Math.sqrt(n))] : [];
  for (let i = 0; rows.length < n; i++) {
    const row = Array.from(values.subarray(i * n, (i + 1) * n));
    for (const other of rows) {
      const along = row.reduce((sum, value, k) => sum + value * (other[k] ?? 0), 0);
      for (const [k, value] of other.entries()) row[k] = (row[k] ?? 0) - along * value;
    }
    const length = Math.hypot(...row);
    rows.push(row.map((value) => value / length));
  }
  if (!keepsMean) return rows;
  // Between two bases that both begin with the mean.
  const turned = [rows[0] ?? [], ...rows.slice(2), rows[1] ?? []];
  return product(transpose(rows), turned);
}

/** Rotations of the pairs (i, i + width/2) of one head. */
function pairRotation(width: number, random: Rng): Table {
  const out = identity(width);
  for (const [i, u] of random.uniform(width / 2).entries()) {
    const j = i + width / 2;
    const [cos, sin] = [Math.cos(7 * u), Math.sin(7 * u)];
    for (const [row, column, value] of [
      [i, i, cos],
      [j, j, cos],
      [i, j, sin],
      [j, i, -sin],
    ] as const)
      (out[row] ?? [])[column] = value;
  }
  return out;
}

/** The same function from other weights: every symmetry drawn anew. */
function disguise(params: HostParams, options: TransformerOptions, seed: number): HostParams {
  const random = rng(seed);
  const { heads = 1 } = options;
  const tables = new Map(Object.entries(params).map(([name, value]) => [name, toTable(value)]));
  const change = (name: string, f: (table: Table) => Table): void => {
    const table = tables.get(name);
    if (table !== undefined) tables.set(name, f(table));
  };
  const turn = orthogonal(WIDTH, random.split('residual'), options.norm === 'layer');
  const back = transpose(turn);
  const behind = (norm: string, readers: readonly string[]): void => {
    const scale = tables.get(`${norm}.w`)?.[0];
    const drawn = Array.from(random.split(norm).uniform(WIDTH), (u) => 0.5 + u);
    for (const name of readers)
      change(name, (table) =>
        // Into the basis without scales, and on to scales of its own.
        product(
          back,
          table.map((row, i) => row.map((value) => value * (scale?.[i] ?? 1))),
        ).map((row, i) => row.map((value) => (scale ? value / (drawn[i] ?? 1) : value))),
      );
    change(`${norm}.b`, ([row = []]) => {
      const turned = product([row.map((value, i) => value / (scale?.[i] ?? 1))], turn);
      return turned.map((all) => all.map((value, i) => value * (drawn[i] ?? 1)));
    });
    change(`${norm}.w`, () => [drawn]);
  };
  const writes = (name: string): void => change(name, (table) => product(table, turn));
  writes('embed.W_E');
  writes('pos_embed.W_pos');
  behind('ln_final', ['unembed.W_U']);
  for (let l = 0; l < LAYERS; l++) {
    const at = (name: string): string => `blocks.${l}.${name}`;
    behind(
      at('ln1'),
      ['W_Q', 'W_K', 'W_V'].map((w) => at(`attn.${w}`)),
    );
    behind(
      at('ln2'),
      ['W_gate', 'W_in'].map((w) => at(`mlp.${w}`)),
    );
    for (const name of ['attn.W_O', 'mlp.W_out']) writes(at(name));
    const size = WIDTH / heads;
    const order = [...random.split(at('heads')).permutation(heads)];
    const turns = order.map((head) => ({
      head,
      score:
        options.positions === 'learned'
          ? orthogonal(size, random.split(at(`score ${head}`)))
          : pairRotation(size, random.split(at(`score ${head}`))),
      value: orthogonal(size, random.split(at(`value ${head}`))),
    }));
    const columns = (table: Table, which: 'score' | 'value'): Table =>
      table.map((row) =>
        turns.flatMap(
          ({ head, [which]: by }) =>
            product([row.slice(head * size, (head + 1) * size)], by)[0] ?? [],
        ),
      );
    for (const w of ['W_Q', 'W_K']) change(at(`attn.${w}`), (table) => columns(table, 'score'));
    change(at('attn.W_V'), (table) => columns(table, 'value'));
    change(at('attn.W_O'), (table) => transpose(columns(transpose(table), 'value')));
    const neurons = [
      ...random.split(at('neurons')).permutation(tables.get(at('mlp.W_out'))?.length ?? 0),
    ];
    const isGated = tables.has(at('mlp.W_gate'));
    const signs = neurons.map((neuron) => (isGated && neuron % 2 === 1 ? -1 : 1));
    change(at('mlp.W_gate'), (table) => table.map((row) => neurons.map((i) => row[i] ?? 0)));
    change(at('mlp.W_in'), (table) =>
      table.map((row) => neurons.map((i, k) => (row[i] ?? 0) * (signs[k] ?? 1))),
    );
    change(at('mlp.W_out'), (table) =>
      neurons.map((i, k) => (table[i] ?? []).map((value) => value * (signs[k] ?? 1))),
    );
  }
  return Object.fromEntries(
    Object.entries(params).map(([name, { shape }]) => [
      name,
      {
        data: Float32Array.from(tables.get(name)?.flat() ?? []),
        ...{ shape, dtype: 'float32' as const },
      },
    ]),
  );
}

/** A random model with sure answers, which are its labels. */
async function surely(options: TransformerOptions): Promise<{
  readonly model: Model;
  readonly params: HostParams;
  readonly surface: LossSurface;
}> {
  const inputs = {
    data: Int32Array.from({ length: V * V * 3 }, (_, i) => {
      const row = Math.floor(i / 3);
      return [Math.floor(row / V), V - 1, row % V][i % 3] ?? 0;
    }),
    ...{ shape: [V * V, 3], dtype: 'int32' as const },
  };
  const model = transformer({ ...options, dim: WIDTH, depth: LAYERS, dMlp: 20 })({
    ...{ vocabulary: V, inputs },
  });
  const drawn = model.init(rng(3));
  const params = Object.fromEntries(
    Object.entries(drawn).map(([name, value]) => {
      const random = rng(11).split(name).normal(value.data.length);
      const by = name === 'unembed.W_U' ? 12 : 1;
      const data = name.includes('ln')
        ? random.map((z) => 1 + 0.3 * z)
        : Float32Array.from(value.data, (x) => by * x);
      return [name, { ...value, data }];
    }),
  );
  const hooked = hookModel({ backend, model, params });
  const { logits } = await hooked.runWithCache(inputs, []);
  hooked.dispose();
  const labels = Int32Array.from({ length: V * V }, (_, row) => {
    const values = Array.from(logits.data.subarray(row * V, (row + 1) * V));
    return values.indexOf(Math.max(...values));
  });
  const batch: LabeledBatch = { inputs, labels };
  return { model, params, surface: createLossSurface({ backend, model, batch }) };
}

const KINDS: readonly TransformerOptions[] = [
  { heads: 2 },
  { heads: 3, norm: 'none', positions: 'learned', mlp: 'relu' },
  { heads: 2, norm: 'layer', positions: 'learned', mlp: 'gelu' },
];

describe.each(KINDS)('with %o', (options) => {
  test('a permuted and rotated copy has a barrier before alignment, and none after', async () => {
    // Catches: a symmetry that is not undone, scales of norms left out, maps that change the function.
    const { model, params, surface } = await surely(options);
    const copy = disguise(params, options, 5);
    const own = await surface.evaluate(params);
    expect(own.accuracy).toBe(1);
    expect((await surface.evaluate(copy)).loss).toBeCloseTo(own.loss, 4);
    const before = await connectLinearly(surface, params, copy, { points: 5 });
    expect(before.barrier.loss).toBeGreaterThan(0.5);
    const { reference, aligned, similarity } = align(model, params, copy);
    for (const same of [reference, aligned])
      expect((await surface.evaluate(same)).loss).toBeCloseTo(own.loss, 4);
    expect(similarity.before).toBeLessThan(0.5);
    expect(similarity.after).toBeCloseTo(1, 5);
    const after = await connectLinearly(surface, reference, aligned, { points: 5 });
    expect(after.barrier.loss).toBeLessThan(1e-3);
    expect(after.barrier.accuracy).toBe(0);
    surface.dispose();
  });
});

test('barriers between arms stand beside those between seeds', async () => {
  // Catches: pairs that differ in both, results before and after exchanged.
  const [options = {}] = KINDS;
  const { params, surface } = await surely(options);
  const run = (arm: string, seed: number, of: HostParams) => ({
    ...{ name: `${arm} ${seed}`, arm, seed, params: of },
  });
  const pairs = await compareBarriers(
    surface,
    [
      run('none', 0, params),
      run('none', 1, disguise(params, options, 1)),
      run('feature', 0, disguise(params, options, 2)),
    ],
    { points: 3 },
  );
  expect(pairs.map(({ a, b, differ }) => [a, b, differ])).toEqual([
    ['none 0', 'none 1', 'seed'],
    ['none 0', 'feature 0', 'arm'],
  ]);
  for (const { unaligned, aligned } of pairs) {
    expect(unaligned.loss).toBeGreaterThan(0.5);
    expect(aligned.loss).toBeLessThan(1e-3);
  }
  surface.dispose();
});

test('models of other parameters are refused', () => {
  const model = transformer({ dim: 8, depth: 1 })({
    ...{ vocabulary: 5, inputs: { shape: [1, 3], dtype: 'int32' } },
  });
  const { 'ln_final.w': scale, ...rest } = model.init(rng(0));
  const odd = { ...rest, ...(scale && { 'ln_final.scale': scale }) };
  expect(() => align(model, odd, rest)).toThrow('got "ln_final.scale" [8] and none');
  expect(() => align(model, odd, odd)).toThrow('with "ln_final.scale"');
});
