/** `grok atlas` on a small study: one page, kept measures, exit codes. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atlasPlan, type Bench, bench } from './helpers.js';

let world: Bench;
beforeAll(async () => {
  world = bench({ GROK_BACKEND: 'wasm' });
  writeFileSync(join(world.dir, 'plan.json'), JSON.stringify(atlasPlan));
  const flags = ['--out', 'study', '--quiet', '--executor', 'inline'];
  expect(await world.grok('study', 'run', 'plan.json', ...flags)).toMatchObject({ code: 0 });
}, 240_000);
afterAll(() => world.remove());

const keptFiles = (): readonly string[] =>
  world.files().filter((file) => /analysis.atlas.[\w-]+\.json$/.test(file));

interface Result {
  readonly out: string;
  readonly bytes: number;
  readonly computed: number;
  readonly figures: readonly { readonly id: string; readonly rows: number }[];
}

describe('atlas', () => {
  it('keeps what was measured when it is interrupted', async () => {
    const stopped = await world.stopped(
      (written) => /\] 1\d %/.test(written),
      ...['atlas', 'study'],
    );
    expect(stopped.code).toBe(130);
    expect(stopped.err).toContain('interrupted; continue with: grok atlas study');
    expect(existsSync(join(world.dir, 'study/atlas.html'))).toBe(false);
    expect(keptFiles()).not.toEqual([]);
  });

  it('writes one page with every figure, and measures nothing twice', async () => {
    const before = keptFiles().map((file) => [file, statSync(join(world.dir, file)).mtimeMs]);
    const first = await world.grok('atlas', 'study', '--json');
    expect(first).toMatchObject({ code: 0 });
    const { figures, bytes, computed, out } = first.json<Result>();
    expect(out).toBe(join('study', 'atlas.html'));
    expect(first.err).toMatch(/\[\d+\/\d+\] 100 % {2}ETA 0:00/);
    const page = readFileSync(join(world.dir, out), 'utf8');
    expect(Buffer.byteLength(page)).toBe(bytes);
    const ids = [
      'cka',
      'activation-patching',
      'circuit-overlap',
      'neuron-pictures',
      'weight-ranks',
    ];
    expect(figures.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
    // Catches: a measure that is computed again though nothing changed.
    expect(computed).toBe(keptFiles().length - before.length);
    for (const [file, time] of before)
      expect(statSync(join(world.dir, String(file))).mtimeMs).toBe(time);
    const again = await world.grok('atlas', 'study', '--json', '--quiet', '--out', 'other.html');
    expect(again.json<Result>()).toMatchObject({ computed: 0, figures: [...figures] });
    expect(again.err).toBe('');
  });

  it.each([
    [['atlas', 'nowhere'], 'no such folder: nowhere'],
    [['atlas', 'study', '--out', 'atlas.txt'], '--out atlas.txt: must end in .html'],
    [['atlas', 'study', '--backend', 'onx'], 'unknown backend "onx"'],
  ])('answers %j in one line, and writes nothing', async (argv, message) => {
    const { code, err } = await world.grok(...argv);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(existsSync(join(world.dir, 'atlas.txt'))).toBe(false);
  });
});
