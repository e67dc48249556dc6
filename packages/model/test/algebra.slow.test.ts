import * as tf from '@grok/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askedFor, changedBy, switches } from './algebra.js';
import { useFloat64 } from './float64.js';
import { title, variants } from './helpers.js';

useFloat64();

beforeAll(() => tf.setBackend('cpu'));
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

describe.each(variants.map((v) => [title(v), v] as const))('%s', (_, variant) => {
  it.each(switches.map((s) => [JSON.stringify(s), s] as const))(
    '%s changes nothing',
    (_, algebra) => {
      // Catches: an option, a set of sites and a shortcut that are only exact in pairs.
      expect(changedBy(algebra, variant, askedFor)).toEqual([]);
    },
  );
});
