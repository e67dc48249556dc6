/** The exporter `huggingface`: a run's model as a folder for the Hugging Face Hub: weights, configuration, model card. */
import {
  type Component,
  defineExporter,
  type ExportedModel,
  paramsSha256,
  schema,
} from '@grok/core';
import { writeSafetensors } from '@grok/core/internal';

/** Writes `model.safetensors`, `config.json` and `README.md`, the model card. */
export const huggingFace: Component<'exporter'> = defineExporter({
  name: 'huggingface',
  summary: 'A folder for the Hugging Face Hub: safetensors, config.json and a model card.',
  options: schema({}),
  create: () => async (source) => {
    const exported = await source.model();
    const about = describe(exported);
    return {
      // The format's own readers ask for this key.
      'model.safetensors': writeSafetensors(exported.params, {
        format: 'pt',
        ...listOrigin(exported),
      }),
      'config.json': `${JSON.stringify(about, null, 2)}\n`,
      'README.md': writeCard(exported),
    };
  },
});

function listOrigin({ run, step, params }: ExportedModel): Readonly<Record<string, string>> {
  return { run: run.manifest.run, step: String(step), params_sha256: paramsSha256(params) };
}

/** `config.json`: enough to build the model anew, and to say where it comes from. */
function describe(exported: ExportedModel): object {
  const { run, step, model, task } = exported;
  const { experiment } = run;
  return {
    model_type: 'grok',
    architectures: [experiment.model.use],
    ...listOrigin(exported),
    step,
    layers: model.shape.layers,
    hidden_size: model.shape.width,
    num_attention_heads: model.shape.heads,
    vocab_size: task.vocabulary,
    input: { dtype: task.inputs.dtype, shape: task.inputs.shape.slice(1) },
    ...(model.conventions === undefined ? {} : { conventions: model.conventions }),
    experiment,
  };
}

function writeCard(exported: ExportedModel): string {
  const { run, model } = exported;
  const { slug } = run.manifest;
  const rows = listFacts(exported).map(([name, value]) => `| ${name} | ${escapeCell(value)} |`);
  return `---
library_name: grok
pipeline_tag: other
tags:
- grokking
- ${run.experiment.task.use}
---

# ${slug}

A small \`${run.experiment.model.use}\`, trained on the task \`${run.experiment.task.use}\`. It names no license: add
\`license:\` above before you publish it.

| | |
|---|---|
${rows.join('\n')}

## Tensors

\`model.safetensors\` holds the parameters, \`config.json\` the whole experiment.
${model.conventions === undefined ? '' : `\nConventions: ${model.conventions}.\n`}
\`\`\`python
from safetensors import safe_open

with safe_open("model.safetensors", framework="np") as file:
    params = {name: file.get_tensor(name) for name in file.keys()}
\`\`\`

The hash is the SHA-256 of all parameters as little-endian float32, in the order of the file.
`;
}

function listFacts(exported: ExportedModel): readonly (readonly [string, string])[] {
  const { run, step, epoch, params } = exported;
  const { experiment, manifest, history } = run;
  const {
    task,
    model,
    optimizer,
    objective = [{ use: 'hard' }],
    batch,
    seed,
    splitSeed,
  } = experiment;
  const row = history.findLast((one) => one.step <= step);
  const first = history.find(({ validation }) => validation.accuracy >= 0.99);
  const use = (it: { readonly use: string; readonly options?: object }): string =>
    `${it.use} ${JSON.stringify(it.options ?? {})}`;
  return [
    ['task', use(task)],
    ['model', use(model)],
    ['loss', objective.map(use).join(' + ')],
    ['optimizer', use(optimizer)],
    ['batch', String(batch)],
    ['parameters', manifest.parameters.toLocaleString('en-US')],
    ['epochs', String(epoch)],
    ['epochs to 99 % validation accuracy', String(first?.epoch ?? 'never')],
    [
      'validation accuracy',
      row === undefined ? '–' : `${(100 * row.validation.accuracy).toFixed(2)} %`,
    ],
    ['validation loss', row === undefined ? '–' : row.validation.loss.toPrecision(4)],
    ['seed, split seed', `${seed}, ${splitSeed ?? seed}`],
    ['run', manifest.run],
    ['parameters, SHA-256', paramsSha256(params)],
    ['step', String(step)],
  ];
}

const escapeCell = (text: string): string => text.replaceAll('|', '\\|');
