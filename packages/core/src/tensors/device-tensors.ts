/** Device tensors and the adapter's handles behind them: who refers to which, and how a dead one died. */
import { InputError } from '../contracts/errors.js';
import type { DeviceTensor, TensorSpec } from '../contracts/types.js';
import { specText } from './program-io.js';

/** A handle with the number of device tensors and of running calls that refer to it. */
export interface Reference<H> {
  readonly handle: H;
  count: number;
}
/** The tensors of one backend. */
export interface DeviceTensors<H> {
  /** A new tensor over a handle that others may refer to as well. */
  add(reference: Reference<H>, spec: TensorSpec): DeviceTensor;
  /** `what` looks for it. @throws InputError when the tensor is dead or of another backend. */
  find(tensor: DeviceTensor, what: string): Reference<H>;
  /** Ends a tensor, whatever still runs on its handle; `fate` says how. A dead or foreign one is left alone. */
  end(tensor: DeviceTensor, fate: string): void;
  endAll(fate: string): void;
  /** Keeps the handles of the references until `body` has settled. */
  hold<T>(references: readonly Reference<H>[], body: () => Promise<T>): Promise<T>;
}

/** No tensors yet; `release` gets each handle when its last reference has ended. */
export function createDeviceTensors<H>(
  backend: string,
  release: (handle: H) => void,
): DeviceTensors<H> {
  const live = new Map<DeviceTensor, Reference<H>>();
  const fates = new WeakMap<DeviceTensor, string>();
  const drop = (reference: Reference<H>): void => {
    reference.count--;
    if (reference.count === 0) release(reference.handle);
  };
  const end = (tensor: DeviceTensor, fate: string): void => {
    const reference = live.get(tensor);
    if (reference === undefined) return;
    live.delete(tensor);
    fates.set(tensor, fate);
    drop(reference);
  };
  return {
    add(reference, { shape, dtype }) {
      const tensor: DeviceTensor = Object.freeze({ shape: [...shape], dtype });
      reference.count++;
      live.set(tensor, reference);
      return tensor;
    },
    find(tensor, what) {
      const reference = live.get(tensor);
      if (reference !== undefined) return reference;
      const fate = fates.get(tensor);
      const rule = fate === undefined ? 'is not of this backend; upload it here' : fate;
      throw new InputError(`backend "${backend}", ${what}: tensor ${specText(tensor)} ${rule}`);
    },
    end,
    endAll(fate) {
      for (const tensor of [...live.keys()]) end(tensor, fate);
    },
    async hold(references, body) {
      for (const reference of references) reference.count++;
      try {
        return await body();
      } finally {
        references.forEach(drop);
      }
    },
  };
}
