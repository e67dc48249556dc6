/** Tracks device tensors and the adapter's handles behind them: which tensor refers to which handle, and how a tensor ended. */
import { InputError } from '../contracts/errors.js';
import type { DeviceTensor, TensorSpec } from '../contracts/types.js';
import { specText } from './program-io.js';

/** A handle with the number of device tensors and running calls that refer to it. */
interface Reference<H> {
  readonly handle: H;
  readonly slot: number;
  count: number;
}
/** The tensors of one backend. */
export interface DeviceTensors<H> {
  /** Creates the reference of a new handle; all tensors over the handle are added with it. */
  refer(handle: H): Reference<H>;
  /** Adds a tensor over a handle, which other tensors may share. */
  add(reference: Reference<H>, spec: TensorSpec): DeviceTensor;
  /**
   * Finds a tensor's reference; errors name `what`. @throws InputError when the tensor has ended or
   * belongs to another backend.
   */
  find(tensor: DeviceTensor, what: string): Reference<H>;
  /** Ends a tensor, even while its handle is in use; `fate` says how it ended. Ended and foreign tensors are ignored. */
  end(tensor: DeviceTensor, fate: string): void;
  /** Waits for running calls, then releases every handle; all live tensors end with `fate`. */
  endAll(fate: string): Promise<void>;
  /** Keeps the handles of the references alive until `body` settles. */
  hold<T>(references: readonly Reference<H>[], body: () => Promise<T>): Promise<T>;
}

/** Creates an empty collection; `release` receives each handle when its last reference ends. */
export function createDeviceTensors<H>(
  backend: string,
  release: (handle: H) => void,
): DeviceTensors<H> {
  // A tensor's reference, or how it ended.
  const entries = new WeakMap<DeviceTensor, { held: Reference<H> | string }>();
  // An array with reused slots: a set would rehash again and again as the state changes every step.
  const live: (Reference<H> | undefined)[] = [];
  const vacant: number[] = [];
  const running = new Set<Promise<unknown>>();
  let end: string | undefined;
  const drop = (reference: Reference<H>): void => {
    reference.count--;
    if (reference.count > 0) return;
    live[reference.slot] = undefined;
    vacant.push(reference.slot);
    release(reference.handle);
  };
  return {
    refer(handle) {
      const reference = { handle, slot: vacant.pop() ?? live.length, count: 0 };
      live[reference.slot] = reference;
      return reference;
    },
    add(reference, { shape, dtype }) {
      const tensor: DeviceTensor = Object.freeze({ shape: [...shape], dtype });
      reference.count++;
      entries.set(tensor, { held: reference });
      return tensor;
    },
    find(tensor, what) {
      const held = entries.get(tensor)?.held ?? 'belongs to another backend; upload it to this one';
      if (typeof held !== 'string' && end === undefined) return held;
      const rule = typeof held === 'string' ? held : end;
      throw new InputError(`backend "${backend}", ${what}: tensor ${specText(tensor)} ${rule}`);
    },
    end(tensor, fate) {
      const entry = entries.get(tensor);
      if (entry === undefined || typeof entry.held === 'string' || end !== undefined) return;
      const { held } = entry;
      entry.held = fate;
      drop(held);
    },
    async endAll(fate) {
      await Promise.allSettled(running);
      end = fate;
      for (const reference of live) if (reference !== undefined) release(reference.handle);
      live.length = 0;
    },
    async hold(references, body) {
      for (const reference of references) reference.count++;
      const result = body();
      running.add(result);
      try {
        return await result;
      } finally {
        running.delete(result);
        references.forEach(drop);
      }
    },
  };
}
