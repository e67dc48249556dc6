/** The exporter `onnx`: a run's model for any program that reads ONNX. */
import { type Component, defineExporter, listOf, paramsSha256, schema, text } from '@grok/core';

/** Options of the exporter `onnx`. */
export interface OnnxModelOptions {
  /** Patterns of sites that are outputs beside `logits`; default: all. */
  readonly sites?: string[] | undefined;
}

/** Writes `model.onnx`: the bare model in standard operators, for any number of rows. */
export const onnxModel: Component<'exporter', OnnxModelOptions> = defineExporter({
  name: 'onnx',
  summary: 'The bare model as one ONNX file, with its sites as outputs.',
  options: schema({
    sites: listOf(text()).default(['*']).describe('names of sites; `*` matches one part'),
  }),
  create:
    ({ sites }) =>
    async (source) => {
      const exported = await source.model();
      const { run, step, params } = exported;
      // A command that exports something else loads none of this.
      const { encodeModel } = await import('./model-file.js');
      const metadata = {
        ...{ run: run.manifest.run, step: String(step), params_sha256: paramsSha256(params) },
        experiment: JSON.stringify(run.experiment),
      };
      return { 'model.onnx': await encodeModel(exported, sites, metadata) };
    },
});
