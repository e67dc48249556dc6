/** Tables and figures of a report, on made-up runs. */

import type { Verified } from '@grok/analysis';
import { describe, expect, it } from 'vitest';
import { madeUp, paper } from '../../../tests/made-up-study.js';
import { buildFigures, buildReport, buildTables } from '../src/index.js';

const about = { title: 'A title', summary: 'A summary.', command: 'grok report', analyses: [] };

it('a claim’s number is whole where it is whole (550,272 parameters told as 550300)', async () => {
  const claim: Verified = {
    ...{ id: 'size', source: '3.2', claim: 'Parameters', verdict: 'reproduced' },
    ...{ published: 550_272, band: [550_272, 550_272] },
    ...{ ours: 550_272, sd: null, interval: null, seeds: 1 },
  };
  const { files } = await buildReport({
    ...about,
    runs: [madeUp({ name: 'none' })],
    claims: [claim],
  });
  expect(files['report.html']).toContain('<td>550272</td><td>550272</td>');
});

describe('the table of similarities', () => {
  it('has every student, and no teacher', () => {
    // Catches: an arm left out for the end of its name.
    const runs = ['teacher', 'none', 'self-teacher'].map((name) => madeUp({ name }));
    const file = {
      ...paper,
      cka_scores: { layer_0: { none: 0.25, 'self-teacher': 0.5 } },
    };
    const table = buildTables(runs, [{ seed: 0, file }]).find(
      ({ name }) => name === 'table-4.3.1',
    )!;
    expect(table.head).toEqual(['Layer', 'none', 'self-teacher']);
    expect(table.rows).toEqual([['Layer 0', '0.250', '0.500']]);
  });
});

it('a loss of 0 is drawn as the smallest (on a scale of logarithms it flattens all others)', () => {
  const run = madeUp({ name: 'none', epochs: 3 });
  const history = run.history.map((row) => ({ ...row, train: { ...row.train, loss: 0 } }));
  const figure = buildFigures([{ ...run, history }], []).find(({ name }) => name === 'figure-1')!;
  const { hconcat } = figure.spec as unknown as {
    hconcat: { data: { values: { value: number; low: number }[] } }[];
  };
  for (const { value, low } of hconcat[1]!.data.values) expect([value, low]).toEqual([1e-6, 1e-6]);
});
