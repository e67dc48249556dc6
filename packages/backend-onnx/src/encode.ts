/**
 * Writes a graph as ONNX protobuf bytes (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3),
 * with only the fields that onnxruntime needs.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { sizeOf } from '@grok/core';
import {
  type Attribute,
  type Body,
  type ElementType,
  type Graph,
  type Node,
  readElements,
  type Value,
} from './graph.js';

const IR_VERSION = 9;
const OPSET = 18;
/** TensorProto.DataType. */
const DATA_TYPE: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
};
/** Attributes that are floats even when their value is an integer. */
const FLOATS: ReadonlySet<string> = new Set(['alpha', 'beta', 'gamma', 'epsilon', 'scale']);

/** The name of a value in the model; inputs and outputs of the graph have such names too. */
export const formatName = ({ id, name }: Value): string => name ?? `v${id}`;

/** The name of the empty output that `encode` puts first on request. */
export const NOTHING = 'nothing';

/** An extent that is not known before a run: the dimension `rows` of the model. */
export const FREE = -1;

/** How a model is written. */
interface EncodeOptions {
  /** Its first output is an empty sequence. */
  readonly nothing?: boolean;
  /** What it says of itself. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A model that onnxruntime can load. */
export function encode(
  graph: Graph,
  { nothing = false, metadata = {} }: EncodeOptions = {},
): Uint8Array<ArrayBuffer> {
  const w = new BinaryWriter();
  int(w, 1, IR_VERSION);
  text(w, 2, 'grok');
  const body = { inputs: fedInputs(graph), nodes: graph.nodes, outputs: computedOutputs(graph) };
  message(w, 7, () => {
    if (nothing) writeNothing(w);
    writeBody(w, body);
  });
  for (const [domain, version] of [
    ['', OPSET] as const,
    ...(hasOwnOperators(graph.nodes) ? [['com.microsoft', 1] as const] : []),
  ])
    message(w, 8, () => {
      text(w, 1, domain);
      int(w, 2, version);
    });
  for (const [key, value] of Object.entries(metadata))
    message(w, 14, () => {
      text(w, 1, key);
      text(w, 2, value);
    });
  return w.finish();
}

/** Whether a node, or one inside its body, is an operator of onnxruntime's own. */
function hasOwnOperators(nodes: readonly Node[]): boolean {
  const isBody = (value: Attribute): value is Body => typeof value === 'object' && 'nodes' in value;
  return nodes.some(
    ({ domain, attributes }) =>
      domain !== '' ||
      Object.values(attributes).some((it) => isBody(it) && hasOwnOperators(it.nodes)),
  );
}

/** The values that the model is given: inputs and views of them that a node reads. */
export function fedInputs(graph: Graph): Value[] {
  const used = new Set(graph.nodes.flatMap((node) => node.inputs));
  const given = [...graph.inputs, ...graph.views.map(({ value }) => value)];
  return given.filter((value) => used.has(value));
}
/** The values that the model computes: outputs, or their parts, that are neither fed nor constant. */
export function computedOutputs(graph: Graph): Value[] {
  const given = new Set([...graph.inputs, ...graph.views.map(({ value }) => value)]);
  const parts = new Map(graph.joins.map((join) => [join.value, join.parts]));
  const all = graph.outputs.flatMap((value) => parts.get(value) ?? [value]);
  return [...new Set(all)].filter((v) => v.constant === undefined && !given.has(v));
}

function writeNothing(w: BinaryWriter): void {
  message(w, 1, () => {
    text(w, 2, NOTHING);
    text(w, 4, 'SequenceEmpty');
  });
  const tensor = (): void => int(w, 1, DATA_TYPE.float32);
  message(w, 12, () => {
    text(w, 1, NOTHING);
    // TypeProto.sequence_type of tensor_type
    message(w, 2, () => message(w, 4, () => message(w, 1, () => message(w, 1, tensor))));
  });
}

function writeBody(w: BinaryWriter, { inputs, nodes, outputs }: Body): void {
  const used = new Set(nodes.flatMap((node) => node.inputs));
  nodes.forEach((node, i) => {
    message(w, 1, () => writeNode(w, node, i));
  });
  text(w, 2, 'grok');
  for (const value of used)
    if (value.constant !== undefined) message(w, 5, () => writeConstant(w, value));
  for (const value of inputs) message(w, 11, () => writeValueInfo(w, value));
  for (const value of outputs) message(w, 12, () => writeValueInfo(w, value));
}

function writeNode(w: BinaryWriter, node: Node, index: number): void {
  for (const value of node.inputs) text(w, 1, formatName(value));
  for (const value of node.outputs) text(w, 2, formatName(value));
  text(w, 3, `${index}:${node.source}`);
  text(w, 4, node.op);
  for (const [name, value] of Object.entries(node.attributes))
    message(w, 5, () => writeAttribute(w, name, value));
  if (node.domain !== '') text(w, 7, node.domain);
}

function writeAttribute(w: BinaryWriter, name: string, value: Attribute): void {
  text(w, 1, name);
  if (typeof value === 'string') {
    w.tag(4, WireType.LengthDelimited).string(value);
    int(w, 20, 3);
  } else if (typeof value === 'number') {
    if (FLOATS.has(name)) {
      w.tag(2, WireType.Bit32).float(value);
      int(w, 20, 1);
    } else {
      int(w, 3, value);
      int(w, 20, 2);
    }
  } else if ('nodes' in value) {
    message(w, 6, () => writeBody(w, value));
    int(w, 20, 5);
  } else {
    for (const item of value) int(w, 8, item);
    int(w, 20, 7);
  }
}

function writeConstant(w: BinaryWriter, value: Value): void {
  for (const extent of value.shape) int(w, 1, extent);
  int(w, 2, DATA_TYPE[value.type]);
  text(w, 8, formatName(value));
  w.tag(9, WireType.LengthDelimited).bytes(encodeElements(value));
}
function encodeElements(value: Value): Uint8Array {
  const elements = readElements(value)!;
  const array = ((): ArrayBufferView => {
    switch (value.type) {
      case 'float32':
        return Float32Array.from(elements);
      case 'float64':
        return Float64Array.from(elements);
      case 'int32':
        return Int32Array.from(elements);
      case 'int64':
        return BigInt64Array.from(Array.from(elements), BigInt);
      default:
        return Uint8Array.from(elements);
    }
  })();
  if (array.byteLength === 0 && sizeOf(value.shape) !== 0)
    throw new Error(`constant ${formatName(value)} is empty`);
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function writeValueInfo(w: BinaryWriter, value: Value): void {
  text(w, 1, formatName(value));
  message(w, 2, () =>
    message(w, 1, () => {
      int(w, 1, DATA_TYPE[value.type]);
      message(w, 2, () => {
        for (const extent of value.shape)
          message(w, 1, () => (extent === FREE ? text(w, 2, 'rows') : int(w, 1, extent)));
      });
    }),
  );
}

function int(w: BinaryWriter, field: number, value: number): void {
  w.tag(field, WireType.Varint).int64(value);
}
function text(w: BinaryWriter, field: number, value: string): void {
  w.tag(field, WireType.LengthDelimited).string(value);
}
function message(w: BinaryWriter, field: number, write: () => void): void {
  w.tag(field, WireType.LengthDelimited).fork();
  write();
  w.join();
}
