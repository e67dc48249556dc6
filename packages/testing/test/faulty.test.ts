/** The suites reject what they promise to reject: each faulty example fails the test made for it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

const folder = mkdtempSync(join(tmpdir(), 'grok-faulty-'));
let failed: Map<string, string[]>;

beforeAll(() => {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const file = join(folder, 'report.json');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--config',
      fileURLToPath(new URL('faulty/vitest.config.ts', import.meta.url)),
      '--reporter=json',
      `--outputFile=${file}`,
    ],
    { cwd: root, encoding: 'utf8' },
  );
  let report: Report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new Error(`no report was written:\n${stdout}${stderr}`);
  }
  failed = new Map();
  for (const { ancestorTitles, title, status } of report.testResults.flatMap(
    (result) => result.assertionResults,
  )) {
    const suite = ancestorTitles[0]!;
    const titles = failed.get(suite) ?? [];
    failed.set(suite, titles);
    if (status === 'failed') titles.push([...ancestorTitles.slice(1), title].join(' > '));
  }
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

// Catches: a suite that passes anything.
describe('a faulty strategy', () => {
  it.each([
    ['nan', 'finite scalars'],
    ['slope', 'the gradient that its values have'],
    ['counting', 'is pure'],
    ['keeping', 'leaves no tensor behind'],
    ['dicing', 'draws what its seed says'],
    ['crossed', 'is zero'],
    ['crashing', 'asks for its teacher'],
    ['lax', 'refuse an unknown key'],
    ['lax', 'refuse {"scale":0}'],
    ['unwritable', 'are JSON'],
    ['nameless', 'say what they are for'],
  ])('%s fails "%s"', (name, title) => {
    expect(failed.get(`strategy ${name}`)?.join('\n')).toContain(title);
  });
  it('and none but a faulty one', () => {
    expect(failed.get('strategy sound')).toEqual([]);
  });
});

describe('a faulty backend', () => {
  it.each([
    ['aliasing', 'are copies'],
    ['inexact', 'has the value and the gradient of float64'],
    ['mistyped', 'come back as they went up'],
    ['leaking', 'leaves no tensor behind'],
    ['leaking', 'are freed once and for all'],
    ['possessive', 'gives it back after each call'],
    ['immortal', 'dies alone'],
    ['unchecked', 'must fill their shape'],
    ['wavering', 'times alike'],
    ['nameless', 'says what it is'],
  ])('%s fails "%s"', (name, title) => {
    expect(failed.get(`backend ${name}`)?.join('\n')).toContain(title);
  });
});
