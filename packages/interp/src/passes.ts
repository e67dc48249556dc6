/** Compiled passes of a model: one function for each set of hooks, sites and metric, kept until disposed of. */
import {
  type Backend,
  type HostArray,
  type HostParams,
  InputError,
  type Model,
  type Params,
  type Site,
  type SiteInfo,
  sizeOf,
} from '@grok/core';
import {
  createRowPrograms,
  EVAL_ROWS,
  type RowPrograms,
  reader,
  valueAndGrads,
} from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import type { HookFunction, SiteHook } from './hooks.js';
import { type LabeledBatch, type Metric, metricFunction } from './metrics.js';
import { findSite } from './sites.js';

/** What a compiled pass reads: parameters with scales of hooks, the batch's rows, and per-row shifts. */
interface PassInputs {
  readonly params: Params;
  readonly inputs: tf.Tensor;
  readonly [data: string]: tf.Tensor | Params;
}
/** What a pass is to do. */
interface Pass {
  readonly hooks: readonly SiteHook[];
  readonly sites: readonly Site[];
  readonly metric?: Metric;
  /** Gives gradients at the sites instead of values. */
  readonly gradients?: true;
}

/** A model with its parameters, on a backend. */
export interface BoundModel {
  readonly backend: Backend;
  readonly model: Model;
  readonly params: HostParams;
}
/** Runs passes, each compiled when it is first asked for. */
export interface Passes {
  /** Outputs over all rows by path: `sites/…`, and the rows' `metric` where one is asked for. */
  run(
    pass: Pass,
    batch: Partial<LabeledBatch> & Pick<LabeledBatch, 'inputs'>,
  ): Promise<Record<string, HostArray>>;
  readonly compiled: number;
  dispose(): void;
}

/** The passes of a model. */
export function createPasses({ backend, model, params }: BoundModel): Passes {
  const sites = model.sites();
  const programs = new Map<string, RowPrograms<PassInputs>>();
  const assignNumber = createNumbering();
  return {
    async run(pass, batch) {
      checkInputs(sites, params, batch.inputs);
      const key = formatKey(pass, batch, assignNumber);
      const program =
        programs.get(key) ??
        createRowPrograms(backend, `interp-${programs.size}`, passFunction(model, pass));
      programs.set(key, program);
      const [rows = 0] = batch.inputs.shape;
      const { shared, perRow } = coefficients(pass.hooks);
      const parts: Record<string, HostArray>[] = [];
      const input = {
        params: { ...params, ...shared },
        data: { inputs: batch.inputs, ...perRow, ...readTargets(batch, rows) },
        rows: Int32Array.from({ length: rows }, (_, row) => row),
        most: EVAL_ROWS,
      };
      for await (const { values } of program.run(input)) parts.push(values);
      return concatParts(parts);
    },
    get compiled() {
      return programs.size;
    },
    dispose() {
      for (const program of programs.values()) program.dispose();
      programs.clear();
    },
  };
}

/** Numbers functions by identity: two are the same pass only if they are the same function. */
function createNumbering(): (f: HookFunction | Metric) => string {
  const numbers = new Map<unknown, number>();
  return (f) => {
    if (typeof f === 'string') return f;
    const number = numbers.get(f) ?? numbers.size;
    numbers.set(f, number);
    return `#${number}`;
  };
}

/** Passes of one key are one compiled function. */
function formatKey(
  { hooks, sites, metric, gradients }: Pass,
  batch: Partial<LabeledBatch>,
  assignNumber: (f: HookFunction | Metric) => string,
): string {
  const stages = hooks.map(({ info, stages }) => [
    info.name,
    ...stages.map((stage) =>
      'apply' in stage ? assignNumber(stage.apply) : stage.shift.length > stage.scale.length,
    ),
  ]);
  return JSON.stringify([
    stages,
    sites,
    metric === undefined ? null : assignNumber(metric),
    gradients ?? false,
    batch.wrong !== undefined,
  ]);
}

/** The coefficients of hooks: those of all rows alike, and those of each. */
function coefficients(hooks: readonly SiteHook[]): {
  shared: Record<string, HostArray>;
  perRow: Record<string, HostArray>;
} {
  const shared: Record<string, HostArray> = {};
  const perRow: Record<string, HostArray> = {};
  for (const { info, stages } of hooks)
    for (const [i, stage] of stages.entries()) {
      const array = (data: Float32Array): HostArray => ({
        data,
        shape: [data.length / sizeOf(info.shape), ...info.shape],
        dtype: 'float32',
      });
      const name = `${info.name}:${i}`;
      if ('apply' in stage) shared[`hook.mask:${name}`] = array(stage.mask);
      else {
        shared[`hook.scale:${name}`] = array(stage.scale);
        const isPerRow = stage.shift.length > stage.scale.length;
        (isPerRow ? perRow : shared)[`hook.shift:${name}`] = array(stage.shift);
      }
    }
  return { shared, perRow };
}

function readTargets(
  { labels, wrong }: Partial<LabeledBatch>,
  rows: number,
): Record<string, HostArray> {
  const targets: Record<string, HostArray> = {};
  for (const [name, data] of Object.entries({ labels, wrong })) {
    if (data === undefined) continue;
    if (data.length !== rows)
      throw new InputError(
        `batch: must have one "${name}" per row, got ${data.length} for ${rows} rows`,
      );
    targets[name] = { data, shape: [rows], dtype: 'int32' };
  }
  return targets;
}

/** The function that a pass compiles. */
function passFunction(
  model: Model,
  { hooks, sites, metric, gradients }: Pass,
): (inputs: PassInputs) => object {
  return (given) => {
    const data = (name: string): tf.Tensor => {
      const found = given.params[name] ?? given[name];
      if (!(found instanceof tf.Tensor)) throw new RangeError(`pass: tensor "${name}" is missing`);
      return found;
    };
    const hooked = Object.fromEntries(
      hooks.map((hook) => [hook.info.name, (value: tf.Tensor) => applyStages(hook, value, data)]),
    );
    const apply = (wanted: readonly Site[], taps: Readonly<Record<Site, HookFunction>>): Params =>
      model.apply(reader('parameter', given.params), given.inputs, {
        sites: new Set(wanted),
        taps: { ...touchEmbedding(model), ...taps },
      });
    if (metric === undefined) return { sites: apply(sites, hooked) };
    const measured = (found: Params): tf.Tensor =>
      metricFunction(metric)(reader('site', found)('logits'), {
        labels: tf.cast(data('labels'), 'int32') as tf.Tensor1D,
        ...(given.wrong instanceof tf.Tensor ? { wrong: given.wrong as tf.Tensor1D } : {}),
      });
    if (gradients === undefined) {
      const found = apply([...new Set([...sites, 'logits'])], hooked);
      const read = reader('site', found);
      return {
        metric: measured(found),
        sites: Object.fromEntries(sites.map((site) => [site, read(site)])),
      };
    }
    const zeros = zeroDeltas(model, sites, given.inputs.shape[0] ?? 0);
    const { grads } = valueAndGrads((deltas) => {
      const taps = Object.entries(deltas).map(([site, delta]): [Site, HookFunction] => [
        site,
        (value) => tf.add(hooked[site]?.(value) ?? value, delta),
      ]);
      const loss: tf.Scalar = tf.sum(
        measured(apply(['logits'], { ...hooked, ...Object.fromEntries(taps) })),
      );
      return { loss, aux: {} };
    }, zeros);
    return { sites: grads };
  };
}

/**
 * A tap that changes nothing at the embedding. Where it may be replaced, a model cannot look anything up by
 * token, or compute once what its task's rows share: it takes any rows, whichever it was made for.
 */
function touchEmbedding(model: Model): Readonly<Record<Site, HookFunction>> {
  const site = model
    .sites()
    .find(({ name, table }) => name === 'hook_embed' || table !== undefined);
  return site === undefined ? {} : { [site.name]: (value) => value };
}

function zeroDeltas(model: Model, sites: readonly Site[], rows: number): Params {
  const infos = model.sites();
  return Object.fromEntries(
    sites.map((site) => [site, tf.zeros([rows, ...findSite(infos, site).shape])]),
  );
}

function applyStages(
  { info, stages }: SiteHook,
  value: tf.Tensor,
  data: (name: string) => tf.Tensor,
): tf.Tensor {
  return stages.reduce((x, stage, i) => {
    const name = `${info.name}:${i}`;
    if (!('apply' in stage))
      return tf.add(tf.mul(x, data(`hook.scale:${name}`)), data(`hook.shift:${name}`));
    const mask = data(`hook.mask:${name}`);
    const changed = stage.apply(x);
    if (changed.shape.join() !== x.shape.join())
      throw new InputError(
        `hook at "${info.name}": must return the shape of its input, [${x.shape}], got [${changed.shape}]`,
      );
    return tf.add(tf.mul(x, tf.sub(1, mask)), tf.mul(changed, mask));
  }, value);
}

/** Outputs of the parts of a batch, end to end. */
function concatParts(
  parts: readonly Readonly<Record<string, HostArray>>[],
): Record<string, HostArray> {
  const [first = {}] = parts;
  if (parts.length === 1) return first;
  return Object.fromEntries(
    Object.entries(first).map(([path, { shape }]) => {
      const arrays = parts.map((part) => reader('output', part)(path));
      const data = new Float32Array(arrays.reduce((sum, array) => sum + array.data.length, 0));
      let at = 0;
      for (const array of arrays) {
        data.set(array.data, at);
        at += array.data.length;
      }
      return [
        path,
        {
          data,
          shape: [data.length / sizeOf(shape.slice(1)), ...shape.slice(1)],
          dtype: 'float32',
        } satisfies HostArray,
      ];
    }),
  );
}

/** @throws InputError on rows of another length, and on tokens that the model has no embedding of. */
function checkInputs(
  sites: readonly SiteInfo[],
  params: HostParams,
  { data, dtype, shape }: HostArray,
): void {
  const embed = sites.find(({ table }) => table !== undefined);
  if (dtype !== 'int32' || embed?.table === undefined) return;
  const [length] = embed.shape;
  if (shape.length !== 2 || shape[1] !== length || shape[0] === 0)
    throw new InputError(`inputs: must be [rows, ${length}], got [${shape}]`);
  const [known = 0] = params[embed.table]?.shape ?? [];
  const at = data.findIndex((token) => token < 0 || token >= known);
  if (at !== -1)
    throw new InputError(
      `inputs: tokens must be from 0 to ${known - 1}, the model's vocabulary, got ${data[at]} in row ${Math.floor(at / (length ?? 1))}`,
    );
}
