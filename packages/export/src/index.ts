/** Exporters of metrics and models, and the reader of parameters that were trained elsewhere. */
import { definePlugin, type Plugin } from '@grok/core';
import { csv } from './csv.js';
import { huggingFace } from './hugging-face.js';
import { parquet } from './parquet.js';

export { csv } from './csv.js';
export { huggingFace } from './hugging-face.js';
export {
  mapParams,
  PARAM_MAP,
  PARAM_MAPS,
  type ParamMap,
  type ParamSource,
} from './param-map.js';
export { parquet } from './parquet.js';
export { buildTable, type TidyColumn, type TidyValue } from './table.js';

export { readTensors, type SourceTensor } from './tensor-file.js';

/** The exporters, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/export',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [csv, parquet, huggingFace],
});
export default plugin;
