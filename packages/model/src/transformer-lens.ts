/**
 * The exporter `transformerlens`: a run's transformer as `HookedTransformer` of TransformerLens 3 (Nanda and Bloom
 * 2022) loads it. Its names are ours already; attention's weights get an axis of heads, and biases are zero.
 */
import {
  type Component,
  defineExporter,
  type ExportedModel,
  type HostArray,
  type HostParams,
  InputError,
  schema,
  sizeOf,
} from '@grok/core';
import { quote, reader, writeSafetensors } from '@grok/core/internal';
import { readOptions } from './component.js';
import { type Config, configure } from './options.js';

const ACTIVATIONS = { swiglu: 'silu', relu: 'relu', gelu: 'gelu_new' } as const;
const NORMS = { rms: 'RMS', layer: 'LN', none: null } as const;

/** Writes `model.safetensors`, `config.json` and `load.py`, which loads them. */
export const transformerLens: Component<'exporter'> = defineExporter({
  name: 'transformerlens',
  summary:
    'A state dict and a configuration for HookedTransformer, and the Python that loads them.',
  options: schema({}),
  create: () => async (source) => {
    const exported = await source.model();
    const cfg = readConfig(exported);
    return {
      'model.safetensors': writeSafetensors(toStateDict(exported.params, cfg)),
      'config.json': `${JSON.stringify(toConfig(cfg), null, 2)}\n`,
      'load.py': writeLoader(cfg),
    };
  },
});

/** @throws InputError on another model, and on what HookedTransformer has no place for. */
function readConfig({ run: { experiment }, task: { vocabulary, inputs } }: ExportedModel): Config {
  const { model, transforms = [] } = experiment;
  const refuse = (rule: string, got: string): InputError =>
    new InputError(`exporter "transformerlens": ${rule}, got ${got}; use the exporter "onnx"`);
  if (model.use !== 'transformer')
    throw refuse('the model must be "transformer"', quote(model.use));
  if (transforms.length > 0)
    throw refuse('the model must have no transforms', quote(transforms[0]?.use ?? ''));
  if (inputs.dtype !== 'int32') throw refuse('inputs must be tokens', `${inputs.dtype} features`);
  const { shape, dtype } = inputs;
  return configure(readOptions(model.options), { vocabulary, inputs: { shape, dtype } });
}

/** `HookedTransformerConfig`'s keyword arguments. */
function toConfig(cfg: Config): Readonly<Record<string, string | number | boolean | null>> {
  const isRotary = cfg.positions === 'rope';
  return {
    n_layers: cfg.depth,
    d_model: cfg.dim,
    n_ctx: cfg.length,
    d_head: cfg.dHead,
    n_heads: cfg.heads,
    d_mlp: cfg.dMlp,
    d_vocab: cfg.vocabulary,
    d_vocab_out: cfg.vocabulary,
    act_fn: ACTIVATIONS[cfg.mlp],
    gated_mlp: cfg.mlp === 'swiglu',
    normalization_type: NORMS[cfg.norm],
    eps: cfg.eps,
    // Without positions, learned ones are zero.
    positional_embedding_type: isRotary ? 'rotary' : 'standard',
    ...(isRotary ? { rotary_dim: cfg.dHead, rotary_base: cfg.ropeBase } : {}),
    rotary_adjacent_pairs: false,
    attention_dir: cfg.causal ? 'causal' : 'bidirectional',
    default_prepend_bos: false,
  };
}

function toStateDict(params: HostParams, cfg: Config): HostParams {
  const { dim, heads, dHead, dMlp, vocabulary } = cfg;
  const read = reader('parameter', params);
  const zeros = (...shape: number[]): HostArray => ({
    ...{ shape, dtype: 'float32' },
    data: new Float32Array(sizeOf(shape)),
  });
  const blocks = Array.from({ length: cfg.depth }, (_, layer): [string, HostArray][] => {
    const at = `blocks.${layer}`;
    return [
      ...['W_Q', 'W_K', 'W_V'].map((name): [string, HostArray] => [
        `${at}.attn.${name}`,
        splitHeads(read(`${at}.attn.${name}`), cfg),
      ]),
      ...['b_Q', 'b_K', 'b_V'].map((name): [string, HostArray] => [
        `${at}.attn.${name}`,
        zeros(heads, dHead),
      ]),
      [`${at}.attn.W_O`, { ...read(`${at}.attn.W_O`), shape: [heads, dHead, dim] }],
      [`${at}.attn.b_O`, zeros(dim)],
      [`${at}.mlp.b_in`, zeros(dMlp)],
      [`${at}.mlp.b_out`, zeros(dim)],
    ];
  });
  return {
    ...params,
    ...(cfg.positions === 'none' ? { 'pos_embed.W_pos': zeros(cfg.length, dim) } : {}),
    ...Object.fromEntries(blocks.flat()),
    'unembed.b_U': zeros(vocabulary),
  };
}

/** `[d_model, head · d_head]` → `[head, d_model, d_head]`. */
function splitHeads({ data }: HostArray, { dim, heads, dHead }: Config): HostArray {
  const out = new Float32Array(data.length);
  for (let head = 0; head < heads; head++)
    for (let row = 0; row < dim; row++) {
      const from = row * dim + head * dHead;
      out.set(data.subarray(from, from + dHead), (head * dim + row) * dHead);
    }
  return { data: out, shape: [heads, dim, dHead], dtype: 'float32' };
}

function writeLoader({ pool }: Config): string {
  const logits = pool === 'cls' ? 'model(tokens)[:, -1]' : 'model(tokens).mean(1)';
  return `# pip install "transformer-lens==3.9.0" safetensors
import json
from pathlib import Path

from safetensors.torch import load_file
from transformer_lens import HookedTransformer, HookedTransformerConfig

here = Path(__file__).parent
model = HookedTransformer(HookedTransformerConfig(**json.loads((here / "config.json").read_text())))
model.load_state_dict(load_file(here / "model.safetensors"), strict=False)  # masks and rotary tables are its own
# The model's logits: ${logits}
`;
}
