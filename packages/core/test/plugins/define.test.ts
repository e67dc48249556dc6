import { defineStrategy, number, type Objective, schema } from '@grok/core';
import * as tf from '@grok/tfjs';
import { describe, expect, it } from 'vitest';
import { formatSubject } from '../../src/plugins/define.js';

const seen: unknown[] = [];
const product: Objective = () => ({ needs: { student: [] }, loss: () => ({}) });
const cosine = defineStrategy({
  name: 'cosine',
  summary: 'For the test.',
  options: schema({ margin: number().default(0.5) }),
  create(options, host) {
    seen.push([options, host.tf === tf]);
    return product;
  },
});

describe('component', () => {
  it('is plain data, and a function of its options', () => {
    // Catches: code and spec that create different things; a `name` hidden by the function's own.
    expect({ ...cosine }).toMatchObject({
      kind: 'strategy',
      name: 'cosine',
      summary: 'For the test.',
    });
    expect(Object.keys(cosine).sort()).toEqual(['create', 'kind', 'name', 'options', 'summary']);
    expect(cosine.name).toBe('cosine');
    expect(cosine()).toBe(product);
    expect(cosine({ margin: 2 })).toBe(product);
    expect(cosine.create({ margin: 3 }, { tf })).toBe(product);
    expect(seen).toEqual([
      [{ margin: 0.5 }, true],
      [{ margin: 2 }, true],
      [{ margin: 3 }, true],
    ]);
  });

  it('checks options in code as in a spec', () => {
    // Catches: a typo that is only reported for JSON.
    expect(() => cosine({ margn: 1 } as never)).toThrow(
      'strategy "cosine": unknown option "margn": did you mean "margin"?',
    );
    expect(formatSubject(cosine)).toBe('strategy "cosine"');
  });
});
