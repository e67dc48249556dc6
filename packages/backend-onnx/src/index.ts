/** The backend `onnx`: a tfjs step, its gradients and its optimizer become one graph for onnxruntime. */
import {
  type Component,
  defineBackend,
  definePlugin,
  flag,
  integer,
  oneOf,
  type Plugin,
  schema,
  text,
} from '@grok/core';
import { loadRuntime } from '#runtime';
import { onnxModel } from './export.js';
import { type Rules, ruleNames } from './optimize/index.js';
import type { Runtime } from './session.js';

export { isInstalled, telemetry } from '#runtime';
export type { OnnxProgram } from './adapter.js';
export { type OnnxModelOptions, onnxModel } from './export.js';
export { ruleNames } from './optimize/index.js';
export type { Telemetry } from './telemetry.js';

/** Options of `onnx`. */
export interface OnnxOptions {
  /** Threads per run; default: all cores. */
  readonly threads?: number | undefined;
  /** Rewrite rules by name: false turns a rule off, true turns it on; `rowSums` works with one thread only. */
  readonly rules?: Readonly<Record<string, boolean | undefined>> | undefined;
  /** Prefix of file names for onnxruntime's profiles, one per program, written on dispose. */
  readonly profile?: string | undefined;
  /** In browsers: `wasm` (default), or `webgpu` if there is an adapter. */
  readonly provider?: 'wasm' | 'webgpu' | undefined;
  /**
   * In browsers: URL of the folder with onnxruntime's binaries, ending in `/`; bundlers set it automatically.
   */
  readonly wasmPaths?: string | undefined;
}

const rules = schema(Object.fromEntries(ruleNames.map((name) => [name, flag().optional()])));

/** Compiles steps into ONNX graphs and runs them with onnxruntime on the CPU. */
export const onnx: Component<'backend', OnnxOptions> = defineBackend({
  name: 'onnx',
  summary: 'Traces a step into one ONNX graph and runs it with onnxruntime.',
  options: schema({
    threads: integer().min(1).optional().describe('threads of one run (default: all cores)'),
    rules: rules.optional().describe('rewrite rules to turn on or off'),
    profile: text().optional().describe('file prefix for profiles of onnxruntime (default: none)'),
    provider: oneOf('wasm', 'webgpu')
      .optional()
      .describe('in browsers: where it runs (default: wasm)'),
    wasmPaths: text().optional().describe('in browsers: URL prefix of the .wasm files'),
  }),
  async create({ threads, rules: switches = {}, profile, provider, wasmPaths }) {
    // A run on another backend loads none of this.
    const { createAdapter } = await import('./adapter.js');
    const runtime = await loadRuntime({ threads, provider, wasmPaths });
    const used = runtime.threads ?? threads ?? runtime.cores;
    const rules = { ...switchesFor(runtime.provider, used), ...switches };
    return createAdapter(runtime, { threads: used, rules, profile });
  },
});

/** The default rules for a runtime, without those that hurt it. */
function switchesFor(provider: Runtime['provider'], threads: number): Rules {
  switch (provider) {
    case undefined:
      // Matrix products are fast here, and one thread must give the same bits as several.
      return { rowSums: false };
    case 'wasm':
      // WebAssembly's rotary embedding uses plain loops, three times slower than the nodes it
      // replaces, and the last digits of its GatedAdd vary between sessions (seen in 1.30).
      return { rope: false, rowSums: threads === 1, gatedAdds: false };
    case 'webgpu':
      // In 1.30, gradients through the two results of its normalization are wrong.
      return { rmsNorm: false, rowSums: false };
  }
}

/** The backend `onnx`, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/backend-onnx',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [onnx, onnxModel],
});
export default plugin;
