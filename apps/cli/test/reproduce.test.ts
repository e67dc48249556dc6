/** `grok reproduce`: five runs, their table and figure, stopped and gone on with. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRecord } from '@grok/study';
import { afterAll, describe, expect, it } from 'vitest';
import { bench, TINY_PLAN } from './helpers.js';

const world = bench({ GROK_BACKEND: 'wasm' });
afterAll(() => world.remove());
const read = (file: string): string => readFileSync(join(world.dir, file), 'utf8');

describe('reproduce', () => {
  it('trains five runs on one split and reports them', async () => {
    // Catches: a student on another split, a report without its figure, a run missing from the table.
    const done = await world.grok(
      'reproduce',
      ...TINY_PLAN,
      '--seed',
      '7',
      '--out',
      'study',
      '--quiet',
      '--json',
    );
    expect(done).toMatchObject({ code: 0 });
    const result = done.json<{ teacher: RunRecord; students: Record<string, RunRecord> }>();
    expect(Object.keys(result.students)).toEqual(['none', 'logit', 'attention', 'feature']);
    const all = [result.teacher, ...Object.values(result.students)];
    expect(new Set(all.map(({ splitHash }) => splitHash)).size).toBe(1);
    expect(new Set(all.map(({ seed }) => seed))).toEqual(new Set([7]));
    for (const record of all) expect(record.out).toMatch(/^study\/div7-.*-s7-[0-9a-f]{10}$/);
    expect(done.err).toMatch(/^attention +604/m);
    expect(read('study/report.md')).toContain('| attention |');
    expect(read('study/figures/figure-1.svg')).toContain('<svg');
    expect(JSON.parse(read('study/figures/figure-1.vl.json')).$schema).toContain('vega-lite');
  });
  it('does nothing twice, and writes the same table', async () => {
    // Catches: finished runs trained again.
    const table = read('study/report.md');
    const done = await world.grok('reproduce', ...TINY_PLAN, '--seed', '7', '--out', 'study');
    expect(done).toMatchObject({ code: 0 });
    expect(done.out).not.toContain('loss');
    expect(read('study/report.md')).toBe(table);
  });
  it('refuses a folder of another plan', async () => {
    const done = await world.grok('reproduce', ...TINY_PLAN, '--seed', '8', '--out', 'study');
    expect(done).toMatchObject({ code: 2, err: expect.stringContaining('contains another plan') });
  });
  it('goes on where it was stopped', async () => {
    // Catches: a stopped reproduction that begins anew, or forgets its students.
    const command = [
      'reproduce',
      ...TINY_PLAN,
      '--seed',
      '7',
      '--out',
      'stopped',
      '--threads',
      '1',
    ];
    const stop = (text: string): boolean => text.includes('logit@7: started');
    const stopped = await world.stopped(stop, ...command, '--json');
    expect(stopped).toMatchObject({ code: 130 });
    const resumed = await world.grok('resume', 'stopped', '--json');
    expect(resumed).toMatchObject({ code: 0 });
    expect(resumed.err).not.toContain('teacher@7: started');
    // Catches: the rest trained with all threads, which are other bits.
    expect(JSON.parse(read('stopped/study.json')).execution.threads).toBe(1);
    const hashes = async (folder: string): Promise<unknown> => {
      const { runs } = (await world.grok('runs', folder, '--json')).json<{ runs: RunRecord[] }>();
      return runs.map(({ run, paramsSha256 }) => [run, paramsSha256]);
    };
    expect(await hashes('stopped')).toEqual(await hashes('study'));
  });
  it('labels every student of the leaked preset', async () => {
    const done = await world.grok(
      'reproduce',
      '--preset',
      'paper-leaked',
      ...TINY_PLAN,
      '--out',
      'leak',
      '--quiet',
      '--json',
    );
    const { teacher: own, students } = done.json<{
      teacher: RunRecord;
      students: Record<string, RunRecord>;
    }>();
    expect(own.leaked).toBe(false);
    expect(Object.values(students).map(({ leaked }) => leaked)).toEqual([false, true, true, true]);
    expect(read('leak/report.md')).toContain('feature (leaked)');
  });
});
