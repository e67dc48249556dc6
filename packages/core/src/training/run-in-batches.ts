/** Runs a function of parameters and rows over any number of rows in batches, compiled once per batch size. */
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

/** A task's inputs and labels as arrays. */
export function toArrays(task: Task): { inputs: HostArray; labels: HostArray } {
  const { inputs, labels } = task;
  return { inputs, labels: { shape: [labels.length], dtype: 'int32', data: labels } };
}

/** Inputs of a batched run. */
export interface RowsInput<I extends { readonly params: Params }> {
  readonly params: HostParams;
  readonly data: Readonly<Record<Exclude<keyof I, 'params'>, HostArray>>;
  readonly rows: Int32Array;
  /** Maximum rows per batch. */
  readonly most: number;
}
/** The output for one batch, read to the host, by path. */
export interface RowsOutput {
  readonly rows: number;
  readonly values: Record<string, HostArray>;
}
/** Programs of a function, one per batch size, kept until they are disposed of. */
export interface RowPrograms<I extends { readonly params: Params }> {
  /** Yields the function's output for each batch, in order. */
  run(input: RowsInput<I>): AsyncGenerator<RowsOutput>;
  dispose(): void;
}

/** Creates the programs of `fn`; each batch size is compiled on first use. */
export function createRowPrograms<I extends { readonly params: Params }>(
  backend: Backend,
  name: string,
  fn: (inputs: I) => object,
): RowPrograms<I> {
  const programs = new Map<number, Program<I, object>>();
  return {
    async *run({ params: hostParams, data, rows: all, most }) {
      const params = uploadTree(backend, hostParams);
      try {
        for (const [start, end] of ranges(all.length, most)) {
          const rows = all.subarray(start, end);
          const taken = mapTree(data as Tree<HostArray>, (array) => takeRows(array, rows));
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
        freeTree(backend, params);
      }
    },
    dispose() {
      for (const program of programs.values()) program.dispose();
      programs.clear();
    },
  };
}
