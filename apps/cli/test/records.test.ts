/** Records of finished runs on the command line: written by `study record`, taken for done by `--records`. */
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bench } from './helpers.js';

const plan = {
  name: 'tiny',
  summary: 'For tests.',
  shared: {
    ...{ task: { use: 'div', options: { p: 5 } }, optimizer: { use: 'adamw' } },
    ...{ batch: 8, epochs: 2 },
  },
  teacher: { model: { use: 'transformer', options: { dim: 8, depth: 1 } } },
  student: { model: { use: 'transformer', options: { dim: 4, depth: 1 } } },
  arms: { none: {} },
  seeds: [0],
  overrides: { slow: { student: { epochs: 1 } }, quick: { student: { batch: 4 } } },
};
const world = bench();
writeFileSync(join(world.dir, 'tiny.json'), JSON.stringify(plan));
afterAll(() => world.remove());

describe('study record', () => {
  it('writes a file a run, which another folder takes for done', async () => {
    const run = ['study', 'run', 'tiny.json', '--backend', 'wasm', '--quiet'];
    expect(await world.grok(...run, '--out', 'a')).toMatchObject({ code: 0 });
    const published = 'mechanistic_analysis_results.json';
    const analysis = ['quick', 'slow'].map((name) => `analysis/${name}/seed-0/${published}`);
    expect(
      await world.grok('analyze', 'a', '--backend', 'wasm', '--as-published', '--at', 'last'),
    ).toMatchObject({
      code: 0,
    });
    const files = [
      ...[...analysis, 'plan.json', 'quick/none@0.json.gz'],
      ...['slow/none@0.json.gz', 'slow/teacher@0.json.gz'],
    ];
    const first = await world.grok('study', 'record', 'a', 'kept');
    // The teacher that both overrides share is one run.
    expect(first.out.trim().split('\n').sort()).toEqual(files);
    const again = await world.grok('study', 'record', 'a', 'kept');
    expect([again.code, again.out]).toEqual([0, '']);
    const done = await world.grok(...run, '--out', 'b', '--records', 'kept');
    expect(done).toMatchObject({ code: 0 });
    expect(
      readdirSync(join(world.dir, 'b')).filter((name) => name.includes('transformer')),
    ).toEqual([]);
    const table = await world.grok('study', 'table', 'a', '--no-times');
    const same = await world.grok('study', 'table', 'b', '--no-times', '--records', 'kept');
    expect(same.out).toBe(table.out);
  }, 180_000);
  it('makes a folder that is read as the study itself is', async () => {
    // Catches: verdicts that need the checkpoints of a machine that is gone.
    const quantity = { of: 'inside', run: 'none', measure: 'rank', layer: 0 };
    const claim = { id: 'x', source: '1', claim: 'a claim', quantity, value: 1, band: 9 };
    const claims = { format: 'grok claims 1', paper: 'p', setting: {}, claims: [claim] };
    writeFileSync(join(world.dir, 'claims.json'), JSON.stringify(claims));
    const [own, kept] = [
      await world.grok('verify', 'claims.json', 'a', '--json'),
      await world.grok('verify', 'claims.json', 'kept', '--json'),
    ];
    expect([kept.code, kept.json()]).toEqual([own.code, own.json()]);
    expect(own.json()).toMatchObject({ claims: [{ seeds: 2 }] });
    const analyzed = await world.grok('analyze', 'a', '--missing', '--at', 'last', '--json');
    expect(analyzed.json()).toMatchObject({ analyses: 0 });
  });
  it('keeps the analyses of a record whose folder has none', async () => {
    // Catches: analyses that are gone once a run is recorded again from another machine.
    const path = join(world.dir, 'kept/quick/none@0.json.gz');
    const before = readFileSync(path);
    for (const file of world.files().filter((name) => /^a\/.*\/analysis\/analysis-end/.test(name)))
      rmSync(join(world.dir, file));
    const again = await world.grok('study', 'record', 'a', 'kept');
    expect([again.code, again.out]).toEqual([0, '']);
    expect(readFileSync(path)).toEqual(before);
  });
  it('names a record that is damaged, and a folder that is missing', async () => {
    truncateSync(join(world.dir, 'kept/slow/none@0.json.gz'), 30);
    for (const [folder, message] of [
      ['kept', /kept\/slow\/none@0\.json\.gz: is not gzipped, or truncated/],
      ['nowhere', /records nowhere: no such folder/],
    ] as const) {
      const { code, err } = await world.grok('study', 'status', 'tiny.json', '--records', folder);
      expect(code).toBe(2);
      expect(err).toMatch(message);
    }
  });
});
