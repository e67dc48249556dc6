/** The atlas's page: what it holds, what it may do, and how large it is. */
import { LEVELS, type MeasuredRun, type TableRow } from '@grok/analysis';
import { describe, expect, it } from 'vitest';
import { madeUp } from '../../../tests/made-up-study.js';
import { averageOverSeeds } from '../src/atlas/figure.js';
import { atlasFigures, buildAtlas } from '../src/index.js';

const ARMS = ['teacher', 'none', 'logit', 'attention', 'feature'];
const about = { title: 'A study', summary: 'Made up.', command: 'grok atlas DIR' };

/** As many characters as a picture at modulus p has, of which no two are alike. */
const noise = (length: number, seed: number): string =>
  Array.from({ length }, (_, i) => LEVELS[(i * i * 7 + seed * i) % LEVELS.length]).join('');

function listNeurons(seed: number): readonly TableRow[] {
  return Array.from({ length: 12 }, (_, rank) => ({
    ...{ rank, block: 0, neuron: rank, name: `neuron ${rank}`, p: 97, side: 49 },
    ...{ picture: noise(97 * 97, seed + rank), pictureLow: -1, pictureHigh: 2 },
    ...{ spectrum: noise(49 * 49, seed + rank), spectrumLow: 0, spectrumHigh: 1 },
  }));
}

function measured(name: string, seed: number, label = name): MeasuredRun {
  const sites = ['hook_embed', 'blocks.0.hook_resid_mid', 'blocks.0.hook_resid_post'];
  const pairs = sites.flatMap((site) => sites.map((teacherSite) => ({ site, teacherSite })));
  return {
    run: madeUp({ name: label, seed }),
    measures: {
      neurons: { strongest: listNeurons(seed), kinds: [{ block: 0, kind: 'dead', share: 0.1 }] },
      ...(name === 'teacher'
        ? {}
        : { similarity: { similarity: pairs.map((p) => ({ ...p, cka: 0.5, ckaChance: 0.01 })) } }),
    },
  };
}

describe('the page', () => {
  const runs = ARMS.flatMap((name) => [0, 1, 2].map((seed) => measured(name, seed)));
  it('is at most 5 MB with the script, for 15 runs of 12 neurons at modulus 97', async () => {
    // Catches: pictures that are not packed, data that every figure repeats.
    const { page, figures } = await buildAtlas({ ...about, runs, script: 'x'.repeat(600_000) });
    expect(page.length).toBeLessThan(5e6);
    expect(figures.map(({ id }) => id)).toContain('neuron-pictures');
  });
  it('holds each figure’s data as JSON, and figures without data are left out', async () => {
    const { page, figures } = await buildAtlas({ ...about, runs, script: '' });
    for (const { id } of figures) {
      const [, text = ''] =
        new RegExp(`<script type="application/json" id="${id}-data">(.*?)</script>`).exec(page) ??
        [];
      const { fields, rows } = JSON.parse(text);
      expect(fields.length).toBeGreaterThan(1);
      expect(rows.length).toBeGreaterThan(0);
    }
    expect(page.includes('id="activation-patching"')).toBe(false);
    const ids = page.match(/ id="[^"]+"/g) ?? [];
    expect(ids).toHaveLength(new Set(ids).size);
  });
  it('runs its own script only, and a name in it ends no element', async () => {
    const evil = '</script><script>alert(1)</script>';
    const { page } = await buildAtlas({
      ...{ ...about, title: evil, script: 'draw()' },
      runs: [measured('none', 0, evil)],
    });
    const [, policy] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    // SHA-256 of `draw()`.
    expect(policy).toContain(
      `default-src 'none'; script-src 'sha256-jm3FkV4tNIdBUr8jRVVl5n9PUixlaxTWD0pdpFiSH5A=';`,
    );
    expect(page.includes('<script>alert')).toBe(false);
  });
});

describe('figures', () => {
  it('have ids of their own, and each caption says what chance would show', () => {
    expect(new Set(atlasFigures.map(({ id }) => id)).size).toBe(atlasFigures.length);
    for (const { id, caption } of atlasFigures) {
      const words =
        /chance|permuted|permutations|gives 0|would need|noise|control|before training|alike/i;
      expect(caption, id).toMatch(words);
    }
  });
  it('have means over seeds with 95 % t intervals, and what chance shows', () => {
    // Catches: an interval of the normal distribution, values of other runs mixed in.
    const row = (run: string, seed: number, value: number): TableRow => ({
      run,
      seed,
      value,
      null: 1,
    });
    const rows = [row('a', 0, 1), row('a', 1, 2), row('a', 2, 3), row('b', 0, 9)];
    const [a, b] = averageOverSeeds(rows, [], 'value', { chance: 'null' });
    // t.975 with 2 degrees of freedom is 4.30265.
    expect(a).toMatchObject({ run: 'a', value: 2, seeds: 3, chance: 1 });
    expect(a?.high).toBeCloseTo(2 + 4.30265 / Math.sqrt(3), 4);
    expect(b).toMatchObject({ run: 'b', value: 9, low: 9, high: 9, seeds: 1 });
  });
});
