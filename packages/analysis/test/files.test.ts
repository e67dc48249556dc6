/** Analyses that do not fit are named with line and key, never half read. */
import { memoryStore } from '@grok/core';
import { expect, it } from 'vitest';
import { readAnalysis, readPublishedFile } from '../src/index.js';

const analysis = {
  format: 'grok analysis 1',
  run: '0123456789abcdef'.repeat(4),
  moment: 'last',
  epoch: 2,
  step: 8,
  replayedFrom: 8,
  probes: { score: { loss: null } },
  frequencies: null,
};
const published = {
  weight_statistics: { teacher: { L1: 1 } },
  cka_scores: { layer_0: { logit: null } },
  effective_ranks: {},
  attention_entropies: {},
};

it.each<[string, unknown, string]>([
  [
    'another format',
    { ...analysis, format: 'x' },
    'line 2: key "format": must be "grok analysis 1", got "x"',
  ],
  ['a step of text', { ...analysis, step: 'last' }, 'key "step": must be a number, got "last"'],
  ['an unknown key', { ...analysis, epcoh: 1 }, 'unknown key "epcoh": did you mean "epoch"?'],
])('an analysis with %s', async (_, value, message) => {
  const store = memoryStore('runs/x');
  const write = (content: unknown): Promise<void> =>
    store.write(
      'analysis/analysis-last.json',
      new TextEncoder().encode(JSON.stringify(content, null, 2)),
    );
  expect(await readAnalysis(store, 'last')).toBeUndefined();
  await write(analysis);
  expect(await readAnalysis(store, 'last')).toEqual(analysis);
  await write(value);
  await expect(readAnalysis(store, 'last')).rejects.toThrow(message);
  await expect(readAnalysis(store, 'last')).rejects.toThrow(
    /^runs\/x\/analysis\/analysis-last\.json: line \d+: .*; remove it, and analyze the run again$/,
  );
});

it('the paper’s layout may hold more, but what is read of it fits', async () => {
  const store = memoryStore('s');
  const write = (content: unknown): Promise<void> =>
    store.write('p.json', new TextEncoder().encode(JSON.stringify(content)));
  await write({ ...published, more: 1 });
  expect(await readPublishedFile(store, 'p.json')).toEqual(published);
  await write({ ...published, cka_scores: { layer_0: { logit: 'high' } } });
  await expect(readPublishedFile(store, 'p.json')).rejects.toThrow(
    's/p.json: line 1: key "cka_scores.layer_0.logit": must be a number, got "high"',
  );
});
