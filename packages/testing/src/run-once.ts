/** Programs on host arrays: typed uploads, and a function compiled, run and read in one call. */
import type { Backend, HostArray, Program, Tree } from '@grok/core';
import type { MapLeaves, OnDevice, Signature } from '@grok/core/internal';
import { freeTree, uploadTree } from '@grok/core/internal';
import { readAndFree } from './arrays.js';

/** A tree of tensors as host arrays. */
export type OnHost<T> = MapLeaves<T, HostArray>;

/** Uploads host arrays in the form that a function receives. */
export function upload<I extends object>(
  backend: Backend,
  inputs: OnHost<I> & Tree<HostArray>,
): OnDevice<I> {
  return uploadTree(backend, inputs) as OnDevice<I>;
}

/** A compiled function and its uploaded inputs. */
export interface Loaded<I extends object, O extends object> {
  readonly program: Program<I, O>;
  readonly inputs: OnDevice<I>;
  /** Disposes of the program and frees its inputs. */
  unload(): void;
}

/** Uploads the inputs of a function and compiles it for their shapes. */
export async function load<I extends object, O extends object>(
  backend: Backend,
  name: string,
  fn: (inputs: I) => O,
  inputs: OnHost<I> & Tree<HostArray>,
): Promise<Loaded<I, O>> {
  const given = upload<I>(backend, inputs);
  const free = (): void => freeTree(backend, given);
  try {
    const program = await backend.compile(name, fn, given as Signature<I>);
    return {
      program,
      inputs: given,
      unload() {
        program.dispose();
        free();
      },
    };
  } catch (error) {
    free();
    throw error;
  }
}

/** Uploads, compiles, runs once, reads the outputs by path, and frees everything. */
export async function runOnce<I extends object, O extends object>(
  backend: Backend,
  name: string,
  fn: (inputs: I) => O,
  inputs: OnHost<I> & Tree<HostArray>,
): Promise<Record<string, HostArray>> {
  const loaded = await load(backend, name, fn, inputs);
  try {
    return await readAndFree(backend, await loaded.program.run(loaded.inputs));
  } finally {
    loaded.unload();
  }
}

/** The arrays whose paths start with a prefix, by the rest of their paths. */
export function under(
  prefix: string,
  all: Readonly<Record<string, HostArray>>,
): Record<string, HostArray> {
  return Object.fromEntries(
    Object.entries(all)
      .filter(([path]) => path.startsWith(prefix))
      .map(([path, value]) => [path.slice(prefix.length), value]),
  );
}
