/** The conformance suite on every strategy of the workspace, and on the example plugin. */
import { type ComponentDefinition, hard } from '@grok/core';
import { attention } from '@grok/distill-attention';
import { feature } from '@grok/distill-feature';
import { logit } from '@grok/distill-logit';
import { strategySuite } from '@grok/testing';
import cosine from '../examples/plugin-cosine/index.js';
import { backends } from './parity/at-hand.mjs';

const wasm = backends.find(({ name }) => name === 'wasm')!;
const backend = () => wasm.create();

strategySuite('hard', hard, { backend, zeroWhenEqual: false });
strategySuite('logit', logit, {
  backend,
  options: { temperature: 3 },
  refuses: [{ temperature: 0 }, { temperature: -1 }, { temperature: 'hot' }],
});
strategySuite('attention', attention, {
  backend,
  refuses: [{ reduce: 'max' }, { layers: { a: 0 } }, { layers: {} }],
});
strategySuite('feature', feature, {
  backend,
  // Its projectors give a nonzero loss even for equal student and teacher.
  zeroWhenEqual: false,
  refuses: [{ direction: 'sideways' }, { reduce: 'max' }],
});
strategySuite('feature, student to teacher', feature, {
  backend,
  zeroWhenEqual: false,
  options: { direction: 'student-to-teacher', layers: { 5: 0, 1: 4 }, reduce: 'sum' },
});
const example = cosine.components[0] as unknown as ComponentDefinition<'strategy'>;
strategySuite('cosine of the example', example, { backend });
strategySuite('cosine of patterns', example, { backend, options: { site: 'pattern' } });
