/** The conformance suites on this project's tasks, models, optimizers and probes. */
import { wasm } from '@grok/backend-wasm';
import type { ComponentDefinition } from '@grok/core';
import data from '@grok/data';
import { probes } from '@grok/metrics';
import { transformer } from '@grok/model';
import { adamw, addDecayedWeights, scaleByAdam } from '@grok/optim';
import { modelSuite, optimizerSuite, probeSuite, taskSuite } from '@grok/testing';

const backend = () => wasm();
const SITES = { sites: ['blocks.0.hook_resid_post'], first: 20 };
const PROBE_OPTIONS: Readonly<Record<string, object>> = {
  'attention-entropy': { sites: ['blocks.0.attn.hook_pattern'], first: 20 },
  'effective-ranks': SITES,
  layouts: SITES,
  neurons: { sites: ['blocks.0.mlp.hook_post'], first: 49 },
};

for (const item of data.components)
  if (item.kind === 'task')
    taskSuite(item.name, item as ComponentDefinition<'task'>, {
      options: { p: 7 },
      refuses: [{ p: 1 }],
    });

modelSuite('transformer', transformer, {
  backend,
  options: { dim: 8, depth: 2, heads: 2 },
  refuses: [{ dim: 0 }, { dropout: 1 }],
});
modelSuite('transformer with dropout', transformer, {
  backend,
  options: { dim: 8, depth: 1, dropout: 0.2 },
});

optimizerSuite('adamw', adamw, { backend, refuses: [{ learningRate: -1 }, { b1: 1 }] });
optimizerSuite('addDecayedWeights', addDecayedWeights(0.1), { backend, descends: false });
optimizerSuite('scaleByAdam', scaleByAdam({ b1: 0.9, b2: 0.98, eps: 1e-8 }), {
  backend,
  descends: false,
});

for (const probe of Object.values(probes)) {
  const item = probe as unknown as ComponentDefinition<'probe'>;
  const options = PROBE_OPTIONS[item.name];
  probeSuite(item.name, item, options === undefined ? {} : { options: { ...options } });
}
