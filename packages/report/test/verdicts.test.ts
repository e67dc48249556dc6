import type { Verified } from '@grok/analysis';
import { expect, it } from 'vitest';
import { verdictTable } from '../src/index.js';

it('has a line for each verdict, the claim and its numbers in it', () => {
  // Catches: a verdict printed beside another claim.
  const verified: readonly Verified[] = [
    {
      id: 'power-80',
      source: '4.2',
      claim: 'a claim',
      published: 80,
      band: [75, 85],
      ours: 12.5,
      sd: 1,
      interval: [11, 14],
      seeds: 10,
      verdict: 'contradicted',
    },
  ];
  expect(verdictTable(verified, { style: 'text' })).toMatch(/power-80 .* contradicted\n/);
});
