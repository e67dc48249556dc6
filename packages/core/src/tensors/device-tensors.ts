/** Device tensors and the adapter's handles behind them: who refers to which, and how a dead one died. */
import { InputError } from '../contracts/errors.js';
import type { DeviceTensor, TensorSpec } from '../contracts/types.js';
import { specText } from './program-io.js';

/** A handle with the number of device tensors and of running calls that refer to it. */
interface Reference<H> {
  readonly handle: H;
  readonly slot: number;
  count: number;
}
/** The tensors of one backend. */
export interface DeviceTensors<H> {
  /** What the first tensor over a new handle, and all others over it, are added with. */
  refer(handle: H): Reference<H>;
  /** A new tensor over a handle that others may refer to as well. */
  add(reference: Reference<H>, spec: TensorSpec): DeviceTensor;
  /** `what` looks for it. @throws InputError when the tensor is dead or of another backend. */
  find(tensor: DeviceTensor, what: string): Reference<H>;
  /** Ends a tensor, whatever still runs on its handle; `fate` says how. A dead or foreign one is left alone. */
  end(tensor: DeviceTensor, fate: string): void;
  /** Waits for what runs, and releases every handle; `fate` is that of all tensors that were alive. */
  endAll(fate: string): Promise<void>;
  /** Keeps the handles of the references until `body` has settled. */
  hold<T>(references: readonly Reference<H>[], body: () => Promise<T>): Promise<T>;
}

/** No tensors yet; `release` gets each handle when its last reference has ended. */
export function createDeviceTensors<H>(
  backend: string,
  release: (handle: H) => void,
): DeviceTensors<H> {
  // What a tensor refers to, or how it died.
  const entries = new WeakMap<DeviceTensor, { held: Reference<H> | string }>();
  // Slots and not a set, which would be hashed anew and anew while a step's state goes round.
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
