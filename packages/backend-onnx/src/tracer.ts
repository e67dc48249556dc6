/**
 * A TensorFlow.js backend whose kernels compute nothing: each writes nodes into the graph of the
 * current trace. tfjs's own gradients are kernels too, so a whole training step becomes one graph.
 *
 * There are two kinds of data: host data (written by `tf.tensor`, usable in any trace as a
 * constant) and symbols, which carry the graph they belong to and are rejected everywhere else.
 */
import { sizeOf } from '@grok/core';
import * as tf from '@grok/tfjs';
import { type Builder, reshape } from './builder.js';
import {
  addValue,
  type Constant,
  createGraph,
  type ElementType,
  type Graph,
  makeConstant,
  readElements,
  sameShape,
  type Value,
} from './graph.js';
import { type Inputs, type Kernel, kernels } from './kernels/index.js';

/** The backend's name in tfjs's registries. */
const TFJS_NAME = 'onnx';

interface Datum {
  refCount: number;
  readonly dtype: tf.DataType;
  readonly shape: readonly number[];
  /** Host data. */
  readonly constant?: Constant;
  /** A symbol: its value, and the same value in other shapes. */
  readonly value?: Value;
}
/** One trace: its graph, and its values for host data and reshaped symbols. */
interface Trace {
  readonly graph: Graph;
  readonly values: Map<Datum, Value[]>;
  /** Number of live symbols. */
  live: number;
}
/** Parts of tfjs's engine that its types hide. */
interface EngineState {
  backendName: string | undefined;
  backendInstance: unknown;
  pendingBackendInit?: Promise<unknown>;
  readonly registry: object;
  readonly state: { readonly scopeStack: readonly { readonly name: string }[] };
}
const engine = (): EngineState => tf.engine() as unknown as EngineState;

/** The innermost tfjs op that is running, such as `matMul`. */
function currentOp(): string {
  const { scopeStack } = engine().state;
  for (let i = scopeStack.length - 1; i >= 0; i--) {
    const { name } = scopeStack[i]!;
    if (name?.endsWith('__op')) return name.slice(0, -4);
  }
  return '';
}

function elementType(dtype: tf.DataType): ElementType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new Error(
    `backend "onnx": tensors of type ${dtype} are not supported; use float32, int32 or bool`,
  );
}

class Tracer extends tf.KernelBackend {
  private readonly data: tf.DataStorage<Datum> = new tf.DataStorage<Datum>(this, tf.engine());
  trace: Trace | undefined;

  override numDataIds(): number {
    return this.data.numDataIds();
  }
  override memory(): { unreliable: boolean; reasons: string[] } {
    return { unreliable: true, reasons: ['a tensor has no values while it is traced'] };
  }
  override floatPrecision(): 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7;
  }
  override timerAvailable(): boolean {
    return false;
  }
  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    const id = {};
    this.store(id, values, shape, dtype, 1);
    return id;
  }
  override move(
    id: tf.DataId,
    values: tf.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    this.store(id, values, shape, dtype, refCount);
  }
  override refCount(id: tf.DataId): number {
    return this.data.has(id) ? this.data.get(id).refCount : 0;
  }
  override incRef(id: tf.DataId): void {
    this.data.get(id).refCount++;
  }
  override disposeData(id: tf.DataId, force = false): boolean {
    if (!this.data.has(id)) return true;
    const datum = this.data.get(id);
    datum.refCount--;
    if (!force && datum.refCount > 0) return false;
    this.data.delete(id);
    if (datum.value?.graph === this.trace?.graph.id && this.trace) this.trace.live--;
    return true;
  }
  override readSync(id: tf.DataId): tf.BackendValues {
    const { constant, dtype, shape } = this.data.get(id);
    if (constant === undefined)
      throw new Error(
        'backend "onnx": a tensor has no values while a step is traced; use tensor operations (tf.where instead of if), or return it and read it after run',
      );
    const elements = readElements({ id: 0, graph: 0, type: elementType(dtype), shape, constant })!;
    if (dtype === 'float32') return Float32Array.from(elements);
    return dtype === 'int32' ? Int32Array.from(elements) : Uint8Array.from(elements);
  }
  override async read(id: tf.DataId): Promise<tf.BackendValues> {
    return this.readSync(id);
  }
  override dispose(): void {}

  /** A new tfjs tensor that represents `value`. */
  tensorOf(value: Value): tf.Tensor {
    return tf.engine().makeTensorFromTensorInfo(this.infoOf(value));
  }
  /** The value of a tensor in the current trace, in the tensor's own shape. */
  valueOf({ dataId, shape }: tf.TensorInfo): Value {
    const datum = this.data.get(dataId);
    const { trace } = this;
    if (trace === undefined)
      throw new Error(
        'backend "onnx": operations are recorded only inside compile; nothing is being traced',
      );
    if (datum.value !== undefined && datum.value.graph !== trace.graph.id)
      throw new Error(
        `backend "onnx": a tensor [${shape.join(', ')}] from another trace was used; pass it as an input, or create it inside the function`,
      );
    let known = trace.values.get(datum);
    if (known === undefined) {
      const value =
        datum.value ?? addValue(trace.graph, elementType(datum.dtype), shape, datum.constant!);
      known = [value];
      trace.values.set(datum, known);
    }
    let value = known.find((candidate) => sameShape(candidate.shape, shape));
    if (value === undefined) {
      value = reshape(this.builder(trace), known[0]!, shape);
      known.push(value);
    }
    return value;
  }
  record(kernel: Kernel, inputs: tf.NamedTensorInfoMap, attrs: unknown): unknown {
    const values: Partial<Inputs> = Object.fromEntries(
      Object.entries<tf.TensorInfo | null | undefined>(inputs).flatMap(([name, info]) =>
        info ? [[name, this.valueOf(info)]] : [],
      ),
    );
    if (this.trace === undefined)
      throw new Error('backend "onnx": operations are recorded only inside compile');
    const emitted = kernel(this.builder(this.trace), values as Inputs, attrs as never);
    return Array.isArray(emitted)
      ? emitted.map((value) => this.infoOf(value))
      : this.infoOf(emitted);
  }
  /** The same data in another shape, or the same tensor. */
  share({ dataId, dtype }: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo {
    this.incRef(dataId);
    return { dataId, dtype, shape: [...shape] };
  }

  private builder({ graph }: Trace): Builder {
    return { graph, source: currentOp() };
  }
  private infoOf(value: Value): tf.TensorInfo {
    const id = {};
    const dtype = value.type as tf.DataType;
    const { shape, constant } = value;
    if (constant === undefined) {
      this.data.set(id, { refCount: 1, dtype, shape, value });
      this.trace!.live++;
    } else this.data.set(id, { refCount: 1, dtype, shape, constant });
    return { dataId: id, shape: [...shape], dtype };
  }
  private store(
    id: tf.DataId,
    values: tf.BackendValues,
    shape: readonly number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    elementType(dtype);
    // Copied, since a caller may keep writing to its array.
    const constant = makeConstant(values as Float32Array);
    const own =
      constant.uniform === undefined ? { elements: (values as Float32Array).slice() } : constant;
    this.data.set(id, { refCount, dtype, shape, constant: own });
  }
}

/** Registers the tfjs backend and its kernels once; later calls are cheap. */
function install(): void {
  // Priority 0: never chosen if there is another backend.
  if (tf.findBackendFactory(TFJS_NAME) === null)
    tf.registerBackend(TFJS_NAME, () => new Tracer(), 0);
  if (tf.getKernel('Add', TFJS_NAME) !== undefined) return;
  const add = (kernelName: string, kernelFunc: tf.KernelFunc) =>
    tf.registerKernel({ kernelName, backendName: TFJS_NAME, kernelFunc });
  for (const [name, kernel] of Object.entries(kernels))
    if (name !== 'Identity' && name !== 'Reshape')
      add(
        name,
        ({ inputs, attrs, backend }) =>
          (backend as Tracer).record(kernel, inputs, attrs ?? {}) as tf.TensorInfo,
      );
  // These two share the data of their input.
  add('Identity', ({ inputs: { x }, backend }) => (backend as Tracer).share(x!, x!.shape));
  add('Reshape', ({ inputs: { x }, attrs, backend }) => {
    const shape = tf.util.inferFromImplicitShape(attrs!.shape as number[], sizeOf(x!.shape));
    return (backend as Tracer).share(x!, shape);
  });
  // tfjs itself would name only the kernel, after the op's scope has ended.
  for (const [key, name] of Object.entries(tf))
    if (key === name && /^_?[A-Z]/.test(name) && tf.getKernel(name, TFJS_NAME) === undefined)
      add(name, () => {
        throw unsupported(name);
      });
}
/** The error for a missing kernel. */
function unsupported(name: string, op = currentOp(), whose = ''): Error {
  const calledBy = op === '' ? '' : ` (needed by tf.${op})`;
  return new Error(
    `${whose}backend "onnx": kernel "${name}"${calledBy} is not supported; use other operations, supported are: ${Object.keys(kernels).sort().join(', ')}`,
  );
}

/**
 * Runs `fn` once with symbols in place of tensors and returns the recorded graph: `inputs` are the
 * types and shapes of its arguments, and `fn` returns the tensors that the graph computes. This
 * backend is tfjs's current one only while `fn` runs.
 * @throws when `fn` leaves tensors behind (tf.keep, tf.variable) or uses an unsupported kernel.
 */
export async function trace(
  inputs: readonly { readonly type: ElementType; readonly shape: readonly number[] }[],
  fn: (inputs: readonly tf.Tensor[]) => readonly tf.Tensor[],
): Promise<Graph> {
  install();
  // Another backend that is still starting would become current during the trace.
  await engine().pendingBackendInit;
  const tracer = tf.findBackend(TFJS_NAME) as Tracer;
  const current: Trace = { graph: createGraph(), values: new Map(), live: 0 };
  const { graph } = current;
  const leave = enter(tracer);
  tracer.trace = current;
  try {
    tf.tidy(() => {
      const symbols = inputs.map(({ type, shape }) => {
        const value = addValue(graph, type, shape);
        graph.inputs.push(value);
        return tracer.tensorOf(value);
      });
      graph.outputs = fn(symbols).map((tensor) => tracer.valueOf(tensor));
    });
    if (current.live > 0)
      throw new Error(
        `backend "onnx": ${current.live} tensor(s) outlived the trace (tf.keep, tf.variable, or one stored outside): return them, or create them in each call`,
      );
  } catch (error) {
    throw explained(error);
  } finally {
    tracer.trace = undefined;
    leave();
  }
  return graph;
}

/** Makes this backend the current one; the returned function restores the previous one, even if there was none. */
function enter(tracer: Tracer): () => void {
  const state = engine();
  const former = { name: state.backendName, instance: state.backendInstance };
  // synchronous, because the backend is already registered
  void tf.setBackend(TFJS_NAME);
  if (state.backendInstance !== tracer)
    throw new Error('backend "onnx": tfjs did not switch to it; await tf.ready() first');
  return () => {
    if (former.name && former.name in state.registry) void tf.setBackend(former.name);
    else {
      state.backendName = former.name;
      state.backendInstance = former.instance;
    }
  };
}
/** tfjs's own list does not include kernels of other packages, so its error is all there is. */
function explained(error: unknown): unknown {
  const { message = '', stack, cause } = (error ?? {}) as Partial<Error>;
  const [, whose, name] = /^(.*?)Kernel '(.+)' not registered for backend/.exec(message) ?? [];
  if (name === undefined) return error;
  const from = (cause as Error | undefined)?.stack ?? stack ?? '';
  const refusal = unsupported(name, /\b(\w+?)__op\b/.exec(from)?.[1], whose);
  return Object.assign(refusal, { cause: error });
}
