import { describe, expect, it } from 'vitest';
import { madeUp } from '../../../tests/made-up-study.js';
import { buildFigures, renderSvg, runsTables } from '../src/index.js';
import { statesTables } from '../src/report/states.js';

const names = ['teacher', 'none', 'logit', 'attention', 'feature'];
const runs = names.map((name) => madeUp({ name }));
const figureOne = (of = runs) => {
  const figure = buildFigures(of, []).find(({ name }) => name === 'figure-1');
  if (figure === undefined) throw new Error('there is no figure 1');
  return figure;
};

describe('figure 1', () => {
  it('draws one line a run in each panel, with axes that name their units', async () => {
    // Catches: lines merged into one, a missing title, a legend sorted by the alphabet.
    const svg = await renderSvg(figureOne().spec);
    expect(svg).toMatch(/^<svg[\s\S]*<\/svg>\n$/);
    expect(svg.match(/aria-roledescription="line mark"/g)).toHaveLength(2 * names.length);
    expect(svg).toContain('>validation accuracy (%)<');
    expect(svg).toContain('>training loss (nats, log scale)<');
    expect(svg).toContain('>epoch<');
    const order = names.map((name) => svg.indexOf(`>${name}<`));
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });
  it('is plain JSON that holds its data', () => {
    // Catches: a spec that needs another file to be drawn again.
    const { spec } = figureOne();
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
    expect(JSON.stringify(spec)).toContain('"run":"feature"');
  });
  it('draws runs without an epoch', async () => {
    const none = { ...madeUp({ name: 'none' }), history: [] };
    expect(await renderSvg(figureOne([none]).spec)).toContain('<svg');
  });
});

describe('the figure of the teachers', () => {
  const figureTitle = (...teachers: Parameters<typeof madeUp>[0][]) =>
    buildFigures(teachers.map(madeUp), [])[0]?.title;
  const name = 'teacher';
  it('says what became of them', () => {
    // Catches: "The teacher groks" over one that ends at 39 %.
    expect(figureTitle({ name })).toBe('Figure 1a. The teacher groks');
    expect(figureTitle({ name }, { name, seed: 1 })).toBe('Figure 1a. The teacher groks');
    expect(figureTitle({ name, crossing: null, final: 0.39 })).toBe(
      'Figure 1a. The teacher does not grok: it ends at 39.00 % of validation accuracy',
    );
    expect(figureTitle({ name }, { name, seed: 1, crossing: null })).toBe(
      'Figure 1a. 1 of 2 teachers grok',
    );
  });
  it('has a panel for each override, but one where they share their teachers', () => {
    const of = (override: string, wd: number) => ({ ...madeUp({ name, wd }), override });
    const spec = (...runs: ReturnType<typeof of>[]) =>
      JSON.stringify(buildFigures(runs, [])[0]?.spec);
    expect(spec(of('a', 1), of('b', 0))).toContain('"facet":{"field":"teacher"');
    expect(spec(of('a', 1), of('b', 0))).toContain('"teacher":"b/teacher"');
    expect(spec(of('a', 1), of('b', 1))).not.toContain('facet');
  });
});

describe('tables of runs', () => {
  it('put a paper’s numbers beside ours, and nothing where there are none', () => {
    // Catches: the paper's numbers beside another task's; a run without its folder and hash.
    const beside = { logit: { epochsTo99: '123', finalValAccuracy: 0.9998 } };
    const [table, folders] = runsTables(runs, beside);
    expect(table?.head.slice(0, 2)).toEqual(['run', 'seed']);
    expect(table?.rows.find(([name]) => name === 'logit')).toContain('123');
    expect(table?.note).toContain('as published');
    expect(folders?.rows[1]?.slice(0, 2)).toEqual(['none, seed 0', 'none-s0']);
    expect(runsTables(runs, {})[0]?.head).not.toContain('paper');
  });
});

describe('tables of hidden states', () => {
  it('put each CKA beside its null', async () => {
    // Catches: a CKA that positions alone give, stated as similarity.
    const run = madeUp({ name: 'logit' });
    const site = 'blocks.0.hook_resid_mid';
    const cka = { biased: 0.9, debiased: 0.89, interval: [0.8, 0.9] };
    const chance = { biased: 0.9, debiased: 0.88, interval: [0.87, 0.89], p: 0.01 };
    const analysis = {
      ...{ format: 'grok analysis 1', run: run.run, moment: 'end', epoch: 150, step: 1500 },
      ...{ replayedFrom: 1500, probes: {}, frequencies: null },
      against: {
        ...{ run: 'a'.repeat(64), step: 1500, rows: 128, frequencies: null },
        states: { [site]: { cka: { ...cka, null: chance } } },
      },
    };
    await run.store.write(
      'analysis/analysis-end.json',
      new TextEncoder().encode(JSON.stringify(analysis)),
    );
    const [table] = await statesTables([run], (message) => {
      throw new Error(message);
    });
    expect(table?.rows).toEqual([['logit, last step (1)', '0.890 (0.880)']]);
    expect(table?.note).toContain('Positions alone give it');
  });
});
