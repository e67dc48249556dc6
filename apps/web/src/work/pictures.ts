/**
 * Where the numbers of a model's pictures come from: its embedding along two principal directions, on
 * the circle of each frequency (Nanda et al. 2023, arXiv 2301.05217), and its mean attention.
 */
import type { HostArray, Task } from '@grok/core';
import { cyclicGroup, embeddingSpectrum } from '@grok/metrics';

/** Points `[x, y, x, y, …]`, one for each residue in the group's order. */
export interface EmbeddingPicture {
  readonly residues: readonly number[];
  readonly spectrum: readonly number[];
  readonly principal: readonly number[];
  readonly circles: readonly (readonly number[])[];
}

/** The residues' rows of an embedding `[vocabulary, width]`, seen from where their order shows. */
export function pictureOf(embedding: HostArray, task: Pick<Task, 'modular'>): EmbeddingPicture {
  const width = embedding.shape[1]!;
  let group: ReturnType<typeof cyclicGroup>;
  try {
    group = cyclicGroup(task);
  } catch {
    return { residues: [], spectrum: [], principal: [], circles: [] };
  }
  const n = group.order;
  const rows = group.residues.map((residue) =>
    (embedding.data as Float32Array).subarray(residue * width, (residue + 1) * width),
  );
  const mean = sum(rows.map((row) => scaled(row, 1 / n)));
  const centred = rows.map((row) => row.map((value, j) => value - mean[j]!));
  const circles = Array.from({ length: Math.floor((n - 1) / 2) }, (_, i) => {
    const angle = (x: number): number => (2 * Math.PI * (((i + 1) * x) % n)) / n;
    const cosine = sum(centred.map((row, x) => scaled(row, Math.cos(angle(x)))));
    const sine = sum(centred.map((row, x) => scaled(row, Math.sin(angle(x)))));
    return along(centred, cosine, sine);
  });
  return {
    residues: group.residues,
    spectrum: embeddingSpectrum(embedding, group).frequencies.slice(0, circles.length),
    principal: along(centred, ...principalDirections(centred)),
    circles,
  };
}

/** The two directions of largest variance, by orthogonal iteration. */
function principalDirections(rows: readonly Float32Array[]): [Float32Array, Float32Array] {
  const width = rows[0]!.length;
  let first: Float32Array = Float32Array.from({ length: width }, (_, j) => Math.sin(j + 1));
  let second: Float32Array = Float32Array.from({ length: width }, (_, j) => Math.cos(j + 1));
  for (let i = 0; i < 50; i++) {
    first = unit(sum(rows.map((row) => scaled(row, dot(row, first)))));
    second = sum(rows.map((row) => scaled(row, dot(row, second))));
    second = unit(minus(second, first));
  }
  return [first, second];
}

/** Coordinates along two directions, made orthogonal, of length 1. */
function along(rows: readonly Float32Array[], a: Float32Array, b: Float32Array): readonly number[] {
  const x = unit(a);
  const y = unit(minus(b, x));
  return rows.flatMap((row) => [dot(row, x), dot(row, y)]);
}
/** `a` without its component along the unit vector `b`. */
function minus(a: Float32Array, b: Float32Array): Float32Array {
  const part = dot(a, b);
  return a.map((value, j) => value - part * b[j]!);
}
function unit(a: Float32Array): Float32Array {
  return scaled(a, 1 / (Math.sqrt(dot(a, a)) || 1));
}
function scaled(a: Float32Array, by: number): Float32Array {
  return a.map((value) => value * by);
}
function sum(rows: readonly Float32Array[]): Float32Array {
  const total = new Float32Array(rows[0]?.length ?? 0);
  for (const row of rows) for (let j = 0; j < total.length; j++) total[j]! += row[j]!;
  return total;
}
function dot(a: Float32Array, b: Float32Array): number {
  let total = 0;
  for (let j = 0; j < a.length; j++) total += a[j]! * b[j]!;
  return total;
}

/** Mean over rows of patterns `[rows, head, query, key]`: for each head `[query · key]`. */
export function meanPatterns({ data, shape }: HostArray): readonly (readonly number[])[] {
  const [rows, heads, queries, keys] = shape as [number, number, number, number];
  const size = queries * keys;
  return Array.from({ length: heads }, (_, head) =>
    Array.from({ length: size }, (_, cell) => {
      let total = 0;
      for (let row = 0; row < rows; row++) total += data[(row * heads + head) * size + cell]!;
      return total / rows;
    }),
  );
}
