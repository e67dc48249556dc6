/** The bare model as an ONNX file: standard operators alone, its parameters under their own names, its sites as outputs. */
import type { ExportedModel, Model, Site } from '@grok/core';
import { matchNames, reader } from '@grok/core/internal';
import type * as tf from '@grok/tfjs';
import { emit, transpose } from './builder.js';
import { encode } from './encode.js';
import { freeRows, type Recorded } from './free-rows.js';
import { addValue, type Graph, makeConstant, substitute, type Value } from './graph.js';
import { rebuild, withoutDead } from './optimize/rewrite.js';
import { trace } from './tracer.js';

/** A usual batch. */
const ROWS = 512;

/**
 * Bytes of the file: input `inputs` `[rows, …]`, outputs `logits` and the sites that patterns match, each
 * `[rows, …]`. @throws InputError on an unknown site.
 */
export async function encodeModel(
  exported: ExportedModel,
  patterns: readonly string[],
  metadata: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const names = exported.model.sites().map(({ name }) => name);
  const others = matchNames('site', patterns, names).filter((name) => name !== 'logits');
  const sites = ['logits', ...others];
  // A model may choose its way by the number of rows: neighbors choose the same.
  const fewer = await record(exported, sites, ROWS);
  const more = await record(exported, sites, ROWS + 1);
  return encode(nameInputs(freeRows(fewer, more), exported), { metadata });
}

/** The model over so many rows; its parameters are inputs, behind the rows. */
async function record(
  { model, params, task }: ExportedModel,
  sites: readonly Site[],
  rows: number,
): Promise<Recorded> {
  const { dtype, shape } = task.inputs;
  const specs = [{ dtype, shape: [rows, ...shape.slice(1)] }, ...Object.values(params)];
  const graph = await trace(
    specs.map((spec) => ({ type: spec.dtype, shape: spec.shape })),
    ([inputs, ...weights]) => {
      const entries = Object.keys(params).map((name, i) => [name, weights[i]] as const);
      const named = Object.fromEntries(entries.filter(isGiven));
      const found = model.apply(reader('parameter', named), inputs as tf.Tensor, {
        sites: new Set(sites),
        taps: touchEmbedding(model),
      });
      return sites.map(reader('site', found));
    },
  );
  return { graph: nameOutputs(toStandard(withoutDead(graph)), sites), rows };
}

/** A tap that changes nothing: where the embedding may be replaced, a model computes nothing by the number of its rows. */
function touchEmbedding(model: Model): Readonly<Record<Site, (value: tf.Tensor) => tf.Tensor>> {
  const site = model
    .sites()
    .find(({ name, table }) => name === 'hook_embed' || table !== undefined);
  return site === undefined ? {} : { [site.name]: (value) => value };
}

type Named<T> = readonly [name: string, value: T];
const isGiven = (entry: Named<tf.Tensor | undefined>): entry is Named<tf.Tensor> =>
  entry[1] !== undefined;

/** onnxruntime's own product in operators of ONNX itself: any runtime can load the file. */
function toStandard(graph: Graph): Graph {
  const product = rebuild(graph, ({ node, out, ...b }) => {
    if (node.op !== 'FusedMatMul') return undefined;
    const { transA, transB } = node.attributes;
    const [x, y] = node.inputs.map((value, i) => {
      const axes = value.shape.map((_, axis) => axis);
      const swapped = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
      return [transA, transB][i] === 1 ? transpose(b, value, swapped) : value;
    });
    return x && y && emit(b, 'MatMul', [x, y], out);
  });
  return withoutDead(product);
}

/** Outputs under the names of their sites; a value that is several sites has as many names. */
function nameOutputs(graph: Graph, sites: readonly Site[]): Graph {
  const next = { ...graph, nodes: [...graph.nodes] };
  next.outputs = graph.outputs.map((value, i) => {
    const output = { ...addValue(next, value.type, value.shape), name: sites[i] ?? '' };
    next.nodes.push({
      ...{ op: 'Identity', domain: '', inputs: [value], outputs: [output] },
      ...{ attributes: {}, source: 'output' },
    });
    return output;
  });
  return next;
}

/** The rows as the one input; parameters as constants. */
function nameInputs(graph: Graph, { params }: ExportedModel): Graph {
  const [rows, ...weights] = graph.inputs;
  const named = new Map<Value, Value>();
  for (const [i, [name, { data }]] of Object.entries(params).entries()) {
    const weight = weights[i];
    if (weight !== undefined) named.set(weight, { ...weight, name, constant: makeConstant(data) });
  }
  if (rows !== undefined) named.set(rows, { ...rows, name: 'inputs' });
  const open = substitute(graph, named);
  return { ...open, inputs: open.inputs.filter(({ constant }) => constant === undefined) };
}
