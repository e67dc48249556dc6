/**
 * What parts of a model say directly of the logits: direct logit attribution (Elhage et al. 2021; as
 * TransformerLens's `logit_attrs`) and the logit lens (nostalgebraist 2020). Both replace the last residual
 * stream and let the model itself read it, so that they hold for any unembedding, pooling and norm.
 */
import type { HostArray, Site } from '@grok/core';
import { reader } from '@grok/core/internal';
import type { HookedModel } from './hooked-model.js';
import type { Hook } from './hooks.js';
import type { LabeledBatch, Metric } from './metrics.js';
import { getActName } from './sites.js';

/** The contribution of one component of the residual stream to the metric. */
export interface Attribution {
  /** Label as in TransformerLens: `embed`, `pos_embed`, `L0H1` (layer 0, head 1), `0_mlp_out`. */
  readonly component: string;
  readonly value: number;
}

/** One part of the last residual stream: a site, or one head of it. */
interface Component {
  readonly component: string;
  readonly site: Site;
  readonly head?: number;
}

function listComponents({ model, sites }: HookedModel): readonly Component[] {
  const known = new Set(sites.map(({ name }) => name));
  const { layers, heads } = model.shape;
  const layer = (l: number): readonly Component[] => [
    ...Array.from({ length: heads }, (_, head) => ({
      ...{ component: `L${l}H${head}`, site: getActName('result', l), head },
    })),
    { component: `${l}_mlp_out`, site: getActName('mlp_out', l) },
  ];
  return [
    { component: 'embed', site: 'hook_embed' },
    ...(known.has('hook_pos_embed') ? [{ component: 'pos_embed', site: 'hook_pos_embed' }] : []),
    ...Array.from({ length: layers }, (_, l) => layer(l)).flat(),
  ];
}

/**
 * Contribution of each component of the residual stream to the mean logit difference, with the final norm's
 * scale held fixed. Unless the norm has a bias, the contributions add up to the total. The metric must be
 * linear in the logits (default `logitDifference`).
 * @throws InputError if the model lacks one of the sites.
 */
export async function directLogitAttribution(
  model: HookedModel,
  batch: LabeledBatch,
  metric: Metric = 'logitDifference',
): Promise<readonly Attribution[]> {
  const last = getActName('resid_post', model.model.shape.layers - 1);
  const components = listComponents(model);
  const scales = model.sites
    .map(({ name }) => name)
    .filter((name) => name === 'ln_final.hook_scale');
  const wanted = [...new Set([...components.map(({ site }) => site), ...scales])];
  const { cache } = await model.runWithCache(batch.inputs, wanted);
  const read = reader('site', cache);
  const held = scales.map((site): Hook => ({ site, replace: read(site) }));
  const whole = await model.measure(batch, metric, held);
  const values: Attribution[] = [];
  for (const { component, site, head } of components) {
    const value = head === undefined ? read(site) : takeHead(read(site), head);
    const without = await model.measure(batch, metric, [
      { site: last, add: { ...value, data: Float32Array.from(value.data, (x) => -x) } },
      ...held,
    ]);
    values.push({ component, value: whole - without });
  }
  return values;
}

/** `[rows, pos, head, d_model]` → one head's `[rows, pos, d_model]`. */
function takeHead({ data, shape }: HostArray, head: number): HostArray {
  const [rows = 0, pos = 0, heads = 1, width = 0] = shape;
  const out = new Float32Array(rows * pos * width);
  for (let i = 0; i < rows * pos; i++) {
    const start = (i * heads + head) * width;
    out.set(data.subarray(start, start + width), i * width);
  }
  return { data: out, shape: [rows, pos, width], dtype: 'float32' };
}

/** Result of the logit lens at one layer. */
export interface LensLayer {
  readonly site: Site;
  /** Mean metric of these logits. */
  readonly value: number;
  /** `[rows, d_vocab]`. */
  readonly logits: HostArray;
}

/**
 * Applies the final norm and the unembedding to the residual stream before each attention and MLP, and at the
 * end. Default metric: `logitDifference`.
 */
export async function logitLens(
  model: HookedModel,
  batch: LabeledBatch,
  metric: Metric = 'logitDifference',
): Promise<readonly LensLayer[]> {
  const { layers } = model.model.shape;
  const last = getActName('resid_post', layers - 1);
  const depths = [
    ...Array.from({ length: layers }, (_, l) => [
      getActName('resid_pre', l),
      getActName('resid_mid', l),
    ]).flat(),
    last,
  ];
  const { cache } = await model.runWithCache(batch.inputs, depths);
  const lens: LensLayer[] = [];
  for (const site of depths) {
    const hooks: readonly Hook[] = [{ site: last, replace: reader('site', cache)(site) }];
    const { value, logits } = await model.runAndMeasure(batch, metric, hooks);
    lens.push({ site, value, logits });
  }
  return lens;
}
