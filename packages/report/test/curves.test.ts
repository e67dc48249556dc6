import { describe, expect, it } from 'vitest';
import { curvesSpec, renderSvg } from '../src/index.js';
import { history } from './helpers.js';

const runs = ['teacher', 'none', 'logit', 'attention', 'feature'].map((name, i) => ({
  name,
  history: history(0.01, 0.02 * i, 0.5, 1),
}));

describe('curves', () => {
  it('draws one line a run, with axes that name their units', async () => {
    // Catches: lines merged into one, a missing title, a legend sorted by the alphabet.
    const svg = await renderSvg(curvesSpec(runs, 'paper, seed 42'));
    expect(svg).toMatch(/^<svg[\s\S]*<\/svg>\n$/);
    expect(svg.match(/aria-roledescription="line mark"/g)).toHaveLength(5);
    expect(svg).toContain('>validation accuracy (%)<');
    expect(svg).toContain('>epoch<');
    expect(svg).toContain('>paper, seed 42<');
    const order = runs.map(({ name }) => svg.indexOf(`>${name}<`));
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });
  it('tells lines apart by colour and by dash', () => {
    // Catches: two runs that look the same in grey, or to the colour-blind.
    const { encoding } = curvesSpec(runs, '') as unknown as {
      encoding: Record<string, { scale: { range: unknown[] } }>;
    };
    const looks = runs.map((_, i) =>
      JSON.stringify([encoding.color!.scale.range[i], encoding.strokeDash!.scale.range[i]]),
    );
    expect(new Set(looks).size).toBe(5);
    expect(new Set(encoding.strokeDash!.scale.range.map((dash) => String(dash))).size).toBe(5);
  });
  it('is plain JSON that holds its data', () => {
    // Catches: a spec that needs another file to be drawn again.
    const spec = curvesSpec(runs, 'x');
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
    expect((spec.data as { values: unknown[] }).values).toHaveLength(20);
  });
  it('draws runs without an epoch', async () => {
    expect(await renderSvg(curvesSpec([{ name: 'none', history: [] }], 'x'))).toContain('<svg');
  });
});
