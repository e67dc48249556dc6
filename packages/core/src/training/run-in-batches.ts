/** A function of parameters and rows over any number of rows: part by part, compiled once a size. */

import type {
  Backend,
  DeviceTensor,
  HostArray,
  HostParams,
  OnDevice,
  Params,
  Program,
  Signature,
  Task,
  Tree,
} from '../contracts/types.js';
import { ranges, takeRows } from '../tensors/rows.js';
import { freeTree, mapTree, readTree, uploadTree } from '../tensors/tree.js';

/** A task's inputs and labels, row by row. */
export function arraysOf(task: Task): { inputs: HostArray; labels: HostArray } {
  const { inputs, labels } = task;
  return { inputs, labels: { shape: [labels.length], dtype: 'int32', data: labels } };
}

/** What `fn` gives for parts of at most `most` of the `rows` of `data`, in order, read to the host by path. */
export async function* overRows<I extends { readonly params: Params }>(
  backend: Backend,
  name: string,
  fn: (inputs: I) => object,
  of: {
    readonly params: HostParams;
    readonly data: Readonly<Record<Exclude<keyof I, 'params'>, HostArray>>;
    readonly rows: Int32Array;
    readonly most: number;
  },
): AsyncGenerator<{ rows: number; values: Record<string, HostArray> }> {
  const params = uploadTree(backend, of.params);
  const programs = new Map<number, Program<I, object>>();
  try {
    for (const [start, end] of ranges(of.rows.length, of.most)) {
      const rows = of.rows.subarray(start, end);
      const taken = mapTree(of.data as Tree<HostArray>, (array) => takeRows(array, rows));
      const part = uploadTree(backend, taken);
      const inputs = { params, ...part } as unknown;
      const program =
        programs.get(rows.length) ??
        (await backend.compile(`${name}-${rows.length}`, fn, inputs as Signature<I>));
      programs.set(rows.length, program);
      const outputs = (await program.run(inputs as OnDevice<I>)) as Tree<DeviceTensor>;
      const values = await readTree(backend, outputs);
      freeTree(backend, outputs);
      freeTree(backend, part);
      yield { rows: rows.length, values };
    }
  } finally {
    for (const program of programs.values()) program.dispose();
    freeTree(backend, params);
  }
}
