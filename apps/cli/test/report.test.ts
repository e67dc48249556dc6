/** `grok report` and `grok verify` on a small study: files, one page without requests, exit codes. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, bench, TINY_PLAN } from './helpers.js';

let world: Bench;
const text = (...path: string[]): string => readFileSync(join(world.dir, ...path), 'utf8');

beforeAll(async () => {
  world = bench({ GROK_BACKEND: 'wasm' });
  const { code } = await world.grok(
    ...['reproduce', '--out', 'study', '--quiet', ...TINY_PLAN, '--set', 'seeds=[0,1]'],
  );
  expect(code).toBe(0);
}, 120_000);
afterAll(() => world.remove());

describe('report', () => {
  it('writes one page, figures with their JSON and pixels, and the paper’s tables', async () => {
    const { code, out } = await world.grok('report', 'study', '--claims', 'distilling-grokking');
    expect(code).toBe(0);
    const figures = ['figure-1-teacher', 'figure-1', 'figure-2', 'figure-3'];
    const tables = ['4.2.1', '4.3.1', '4.3.2', '4.3.3', '4.3.4', '4.4.2'];
    for (const file of [
      ...['report.html', 'report.md'],
      ...figures.flatMap((name) =>
        ['svg', 'png', 'vl.json'].map((end) => `figures/${name}.${end}`),
      ),
      ...tables.map((name) => `tables/table-${name}.tex`),
    ]) {
      expect(out).toContain(join('study', file));
      expect(existsSync(join(world.dir, 'study', file))).toBe(true);
    }
    const page = text('study/report.html');
    // Catches: a reference that a page opened from a disk or without a network would miss.
    const addresses = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, to]) => to!);
    expect(addresses.filter((to) => !to.startsWith('#') && !to.startsWith('data:'))).toEqual([]);
    expect(page).not.toMatch(/<script|@import|url\((?!#)/);
    for (const name of figures) expect(page).toContain(`<figure id="${name}">`);
    const ids = [...page.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id);
    expect(ids).toEqual([...new Set(ids)]);
  });

  it('says what was run, and what the data show (the preset’s title, "The teacher groks" at 39 %)', async () => {
    const page = text('study/report.md');
    expect(page).toMatch(/^# paper with \d changes: report\n/);
    expect(page).toContain('The plan "paper" with shared.task.options.p=7, shared.epochs=2, ');
    expect(page).toMatch(/Figure 1a\. No teacher groks: the best ends at [\d.]+ % of validation/);
    expect(page).not.toContain('The teacher groks');
    const table = await world.grok('study', 'table', 'study', '--json');
    expect(table.err).toMatch(/^paper with \d changes\n/);
    expect(table.json<{ changes: string[] }>().changes).toContain('shared.epochs=2');
    // How a plan came to say what it says is no part of it.
    const command = ['reproduce', '--out', 'study', '--quiet', ...TINY_PLAN];
    expect(await world.grok(...command, '--set', 'seeds=[0, 1]')).toMatchObject({ code: 0 });
  });

  it('is a page that may load and run nothing', () => {
    // Catches: a script or a request that a name brought in.
    expect(text('study/report.html')).toContain(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">`,
    );
  });

  it('writes the paper’s columns, the control among them', () => {
    const results = text('study/tables/table-4.2.1.tex');
    expect(results).toContain('\\textbf{Epochs to 99 \\% val. acc.}');
    for (const arm of ['none', 'logit', 'attention', 'feature'])
      expect(results).toContain(`\n${arm} & 2 & never (0/2) & `);
    expect(text('study/tables/table-4.4.2.tex')).toMatch(/logit & [\d.]+ \$\\pm\$ [\d.]+ & never/);
    expect(text('study/tables/table-4.3.1.tex')).toMatch(/\nLayer 1 & .* & .* & .* & .* \\\\/);
    expect(text('study/report.md')).toContain(
      '![Figure 2. Inside the models](figures/figure-2.svg)',
    );
  });

  it('carries bands over seeds, one order of names in every figure', () => {
    const spec = JSON.parse(text('study/figures/figure-3.vl.json'));
    const { values } = spec.data as {
      values: { run: string; low: number; high: number; seeds: number }[];
    };
    expect(values.every(({ seeds }) => seeds === 2)).toBe(true);
    expect(values.some(({ low, high }) => high > low)).toBe(true);
    expect([...new Set(values.map(({ run }) => run))]).toEqual([
      ...['teacher', 'none', 'logit', 'attention', 'feature'],
    ]);
  });

  it('reports a run by itself, and says where there is none', async () => {
    const run = world.files().find((file) => /^study.div.*config\.json$/.test(file))!;
    const folder = join(run, '..');
    expect((await world.grok('report', folder, '--out', 'one')).code).toBe(0);
    expect(existsSync(join(world.dir, 'one/report.html'))).toBe(true);
    const { code, err } = await world.grok('report', 'nowhere');
    expect([code, err]).toEqual([2, expect.stringContaining('no such folder: nowhere')]);
  });
});

describe('verify', () => {
  const claims = (changes: object): string => {
    const claim = {
      ...{ id: 'arms', source: '1', claim: 'Students are trained for two epochs' },
      ...{ quantity: { of: 'epochs', run: 'logit' }, value: 2, band: 0.5, ...changes },
    };
    const file = { format: 'grok claims 1', paper: 'p', setting: {}, claims: [claim] };
    writeFileSync(join(world.dir, 'claims.json'), JSON.stringify(file));
    return 'claims.json';
  };

  it('prints a verdict for each entry, which changes with its number', async () => {
    const good = await world.grok('verify', claims({}), 'study');
    expect([good.code, good.out]).toEqual([0, expect.stringMatching(/^arms .* reproduced$/m)]);
    const bad = await world.grok('verify', claims({ value: 3 }), 'study', '--json');
    expect([bad.code, bad.json()]).toMatchObject([0, { counts: { contradicted: 1 } }]);
  });

  it('takes several folders together, and a run that is in two of them once', async () => {
    const seeds = { quantity: { of: 'epochs', run: 'logit' }, value: 2, band: 0.5 };
    const logit = world.files().find((file) => /^study.div.*logit.*config\.json$/.test(file))!;
    const both = ['study', join(logit, '..')];
    const { code, json } = await world.grok('verify', claims(seeds), ...both, '--json');
    expect([code, json()]).toMatchObject([0, { claims: [{ seeds: 2 }] }]);
    const { err } = await world.grok('verify', claims({}), 'study', 'nowhere');
    expect(err).toContain('no such folder: nowhere');
  });

  it('exits with 1 where a testable claim has no run of its setting, and says why', async () => {
    const { code, out } = await world.grok('verify', 'distilling-grokking', 'study', '--wide');
    expect(code).toBe(1);
    expect(out).toMatch(/untested: no run "logit" of 150 epochs with .*"p":97/);
    expect(out).toMatch(/power-80 .* contradicted/);
    expect(out).toMatch(/a100-hours .* cannot be tested: /);
    const [, total] = /^(\d+) claims: /m.exec(out)!;
    expect(out.trim().split('\n').length).toBe(Number(total) + 4);
  });
});
