/**
 * Builds a `Backend` from an adapter: trees, signatures, donation, lifetimes and checks are
 * implemented here for every backend.
 */
import type * as tf from '@grok/tfjs';
import { InputError, RunError } from '../contracts/errors.js';
import type {
  AdapterProgram,
  Backend,
  BackendAdapter,
  DeviceTensor,
  OnDevice,
  Program,
  ProgramInput,
  Signature,
  TensorSpec,
  Tree,
} from '../contracts/types.js';
import { createDeviceTensors, type DeviceTensors } from './device-tensors.js';
import { checkOutputs, checkUpload, describeInputs, matchInputs } from './program-io.js';
import { leavesByPath, zipTree } from './tree.js';

/** Creates the backend `name` from an adapter. */
export function createBackend<H>(name: string, adapter: BackendAdapter<H>): Backend {
  const tensors = createDeviceTensors<H>(name, (handle) => adapter.release(handle));
  const programs = new Set<{ dispose(): void }>();
  let disposed = false;
  const checkAlive = (): void => {
    if (disposed) throw new InputError(`backend "${name}" was disposed; create another`);
  };
  return {
    name,
    // Read each time, since an adapter may report counts here.
    get device() {
      return adapter.device;
    },
    capabilities: adapter.capabilities,
    upload(data, shape, dtype, { lent = false } = {}) {
      checkAlive();
      const spec = { shape, dtype };
      checkUpload(data, spec);
      return tensors.add(tensors.refer(adapter.upload(data, spec, { lent })), spec);
    },
    async read(tensor) {
      const reference = tensors.find(tensor, 'read');
      return tensors.hold([reference], async () => (await adapter.read(reference.handle)).slice());
    },
    free: (tensor) => tensors.end(tensor, 'was freed; upload it again, or free it later'),
    async compile<I extends object, O extends object>(
      program: string,
      fn: (inputs: I) => O,
      signature: Signature<I>,
      { donate = [] }: { donate?: readonly (keyof I & string)[] } = {},
    ): Promise<Program<I, O>> {
      checkAlive();
      const inputs = describeInputs(program, signature, donate);
      // Not the signature itself, which may consist of device tensors; a program must not keep
      // those alive.
      const like = zipTree(signature, inputs, (_, input) => input);
      let outputs: Outputs = { specs: {}, count: 0 };
      const flat = (symbols: readonly tf.Tensor[]): tf.Tensor[] => {
        const created = fn(zipTree(like, symbols, (_, symbol) => symbol) as I);
        const { tensors: list, specs } = checkOutputs(program, inputs, created as Tree<unknown>);
        outputs = { specs, count: list.length };
        return list;
      };
      const compiled = await adapter.compile(program, flat, inputs);
      let open = true;
      const self: Program<I, O> = {
        ...compiled,
        async run(given) {
          checkAlive();
          if (!open) throw new InputError(`program "${program}" was disposed; compile it again`);
          const call = { name: program, inputs, compiled, outputs: () => outputs };
          return (await runProgram(call, tensors, given)) as OnDevice<O>;
        },
        dispose() {
          if (!open) return;
          open = false;
          programs.delete(self);
          void compiled.dispose();
        },
      };
      programs.add(self);
      return self;
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      await tensors.endAll('was disposed with its backend; create a new one');
      for (const program of programs) program.dispose();
      await adapter.dispose();
    },
  };
}

/** What a program's function returned in its last call. */
interface Outputs {
  readonly specs: Tree<TensorSpec>;
  readonly count: number;
}
/** A compiled program with its inputs and its function's outputs. */
interface Call<H> {
  readonly name: string;
  readonly inputs: readonly ProgramInput[];
  readonly compiled: AdapterProgram<H>;
  readonly outputs: () => Outputs;
}

/** Runs a program on device tensors: donated ones end, and each output becomes a new tensor. */
async function runProgram<H>(
  { name, inputs, compiled, outputs }: Call<H>,
  tensors: DeviceTensors<H>,
  tree: Tree<DeviceTensor>,
): Promise<Tree<DeviceTensor>> {
  const given = matchInputs(name, inputs, leavesByPath(tree));
  const references = given.map(([{ path }, tensor]) =>
    tensors.find(tensor, `program "${name}", input "${path}"`),
  );
  // Held while the program reads them, even if the caller frees them meanwhile.
  return tensors.hold(references, async () => {
    const handles = await compiled.run(references.map(({ handle }) => handle));
    const { specs, count } = outputs();
    if (handles.length !== count)
      throw new RunError(
        `program "${name}": its backend returned ${handles.length} outputs, its function ${count}`,
      );
    const known = new Map(references.map((reference) => [reference.handle, reference]));
    const created = handles.map((handle) => {
      const reference = known.get(handle) ?? tensors.refer(handle);
      known.set(handle, reference);
      return reference;
    });
    const results = zipTree(specs, created, (spec, reference) => tensors.add(reference, spec));
    const fate = `was donated to program "${name}"; use the program’s output`;
    for (const [{ donated }, tensor] of given) if (donated) tensors.end(tensor, fate);
    return results;
  });
}
