/** Finds functions that are too long or too complex, with Biome's rules. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../release/packages.mjs';

export const LIMITS = { lines: 60, complexity: 15 };

/**
 * @typedef {{ path: string, line: number, rule: 'lines' | 'complexity', found: number }} Finding
 * @param {readonly string[]} folders seen from the root @returns {Finding[]}
 */
export function findExcessive(folders) {
  const scratch = mkdtempSync(join(tmpdir(), 'measure-'));
  try {
    const config = join(scratch, 'biome.json');
    writeFileSync(config, JSON.stringify(rules()));
    const bin = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        bin,
        'lint',
        `--config-path=${config}`,
        '--reporter=json',
        '--max-diagnostics=none',
        ...folders,
      ],
      { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 },
    );
    if (!stdout.startsWith('{')) throw new Error(`biome gave no report: ${stderr}`);
    return JSON.parse(stdout)
      .diagnostics.filter(({ category }) => category.startsWith('lint/complexity/'))
      .map(toFinding);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** @param {any} diagnostic @returns {Finding} */
function toFinding({ category, message, location: { path, start } }) {
  const rule = category.endsWith('noExcessiveLinesPerFunction') ? 'lines' : 'complexity';
  return { path, line: start.line, rule, found: Number(/\d+/.exec(message)?.[0]) };
}

const rules = () => ({
  linter: {
    rules: {
      preset: 'none',
      complexity: {
        noExcessiveLinesPerFunction: { level: 'error', options: { maxLines: LIMITS.lines } },
        noExcessiveCognitiveComplexity: {
          level: 'error',
          options: { maxAllowedComplexity: LIMITS.complexity },
        },
      },
    },
  },
});
