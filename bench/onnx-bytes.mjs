/**
 * A minimal writer of ONNX's protobuf (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3) for
 * graphs of float32 operators without constants; independent of the encoder that is measured.
 */
const VARINT = 0;
const BYTES = 2;
const FLOAT = 1;
const INT_ATTRIBUTE = 2;

/** @param {number} value @returns {number[]} */
function varint(value) {
  const out = [];
  for (; value > 127; value = Math.floor(value / 128)) out.push((value % 128) | 128);
  return [...out, value];
}
/** A field: a number, a text or a nested message. @param {number} field @param {number | string | number[]} value */
function put(field, value) {
  if (typeof value === 'number') return [...varint(field * 8 + VARINT), ...varint(value)];
  const bytes = typeof value === 'string' ? [...new TextEncoder().encode(value)] : value;
  return [...varint(field * 8 + BYTES), ...varint(bytes.length), ...bytes];
}
const all = (field, values) => values.flatMap((value) => put(field, value));

/**
 * @typedef {{ name: string, shape: readonly number[] }} Value
 * @typedef {{ op: string, domain?: string, inputs: readonly string[], output: string, flags?: Record<string, number> }} Node
 * @param {{ nodes: readonly Node[], inputs: readonly Value[], outputs: readonly Value[] }} graph
 */
export function onnxBytes({ nodes, inputs, outputs }) {
  const value = ({ name, shape }) => {
    const dims = shape.flatMap((extent) => put(1, put(1, extent)));
    return [...put(1, name), ...put(2, put(1, [...put(1, FLOAT), ...put(2, dims)]))];
  };
  const attribute = ([name, i]) => [...put(1, name), ...put(3, i), ...put(20, INT_ATTRIBUTE)];
  const node = ({ op, domain = '', inputs: from, output, flags = {} }) => [
    ...all(1, from),
    ...put(2, output),
    ...put(4, op),
    ...all(5, Object.entries(flags).map(attribute)),
    ...put(7, domain),
  ];
  const graph = [
    ...all(1, nodes.map(node)),
    ...put(2, 'products'),
    ...all(11, inputs.map(value)),
    ...all(12, outputs.map(value)),
  ];
  const opset = (domain, version) => put(8, [...put(1, domain), ...put(2, version)]);
  return Uint8Array.from([
    ...put(1, 9),
    ...opset('', 18),
    ...opset('com.microsoft', 1),
    ...put(7, graph),
  ]);
}
