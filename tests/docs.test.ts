/** The documentation is correct: its code compiles and runs, and its commands, links and claims exist. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkSpec } from '@grok/core/internal';
import { checkPlan } from '@grok/study';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { readReference } from '../scripts/api/pages.mjs';
import { readTree } from './architecture/files.js';
import { commandFaults, npxFaults } from './docs/commands.js';
import { featureFaults } from './docs/features.js';
import { type Block, parseBlocks, parseLinks } from './docs/markdown.js';

const root = fileURLToPath(new URL('..', import.meta.url));
// A template's page names a package that does not exist until it is created.
const pages = readTree(root).filter(
  ({ path }) => path.endsWith('.md') && !/^\.changeset\/|CHANGELOG\.md$|\/templates\//.test(path),
);
const blocks = pages.flatMap(({ path, text }) => parseBlocks(path, text));
const inLanguage = (...languages: string[]): Block[] =>
  blocks.filter(({ lang }) => languages.includes(lang));
const label = ({ file, line }: Block): string => `${file}:${line}`;

/** Beside its page, so that imports resolve the same way, and with the page's line numbers. */
const findFolder = ({ file }: Block): string => posix.join(dirname(file), '.tsc/docs');
const blockFile = (block: Block): string =>
  posix.join(findFolder(block), `${posix.basename(block.file, '.md')}-${block.line}.${block.lang}`);

const code = inLanguage('ts', 'js');
beforeAll(() => {
  for (const folder of new Set(code.map(findFolder))) {
    rmSync(join(root, folder), { recursive: true, force: true });
    mkdirSync(join(root, folder), { recursive: true });
  }
  for (const block of code)
    writeFileSync(
      join(root, blockFile(block)),
      `${'\n'.repeat(block.line - 1)}${block.text}\nexport {};\n`,
    );
});

describe('code', () => {
  // Catches: an example that no longer matches the types it uses.
  test('compiles', () => {
    const config = join(root, '.tsc/docs.tsconfig.json');
    mkdirSync(dirname(config), { recursive: true });
    writeFileSync(
      config,
      JSON.stringify({
        extends: '../tests/tsconfig.json',
        compilerOptions: { incremental: false, rootDir: '..' },
        include: [],
        exclude: [],
        files: code.map((block) => `../${blockFile(block)}`),
      }),
    );
    const tsc = spawnSync(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), '-p', config],
      { cwd: root, encoding: 'utf8' },
    );
    // Errors in the packages themselves are reported by `npm run check`.
    const elsewhere = /^(packages|apps|examples)\/[^/]+\/(src|test)\//;
    const faults = tsc.stdout
      .split('\n')
      .filter((line) => !/^(\s|$)/.test(line) && !elsewhere.test(line));
    expect(faults).toEqual([]);
    expect(tsc.error).toBeUndefined();
  });
  // Catches: an example that compiles and then throws.
  const runnable = code.filter(({ info }) => !info.includes('no-run'));
  test.each(runnable.map((block) => [label(block), block] as const))(
    '%s runs',
    async (_, block) => {
      const log = vi.spyOn(console, 'log').mockImplementation(() => {});
      await import(/* @vite-ignore */ join(root, blockFile(block)));
      log.mockRestore();
    },
  );
});

test.each(inLanguage('json').map((block) => [label(block), block] as const))(
  '%s is JSON, and a valid specification or plan if it looks like one',
  (where, { text }) => {
    const value = JSON.parse(text) as { experiment?: unknown; arms?: unknown };
    if (value.experiment !== undefined) checkSpec(value);
    if (value.arms !== undefined) checkPlan(value, where);
  },
);

const cli = join(root, 'apps/cli/dist/cli.js');
describe.skipIf(!existsSync(cli))(
  'commands (of the built command line) (skipped without a build)',
  () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const { helps } = readReference();
    const programs = {
      scripts: Object.keys(manifest.scripts),
      help: (subcommand: string): string => helps[subcommand] ?? '',
      exists: (path: string): boolean => existsSync(join(root, path)),
    };
    test('exist, with their options', () => {
      const faults = inLanguage('bash', 'sh').flatMap((block) => commandFaults(block, programs));
      expect(faults).toEqual([]);
    });
  },
);

test('npx is used only after installation', () => {
  const shell = inLanguage('bash', 'sh');
  const faults = pages.flatMap(({ path }) => npxFaults(shell.filter(({ file }) => file === path)));
  expect(faults).toEqual([]);
});

test('links resolve', () => {
  const dead = pages.flatMap(({ path, text }) =>
    parseLinks(text)
      .filter((target) => !existsSync(join(root, dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  );
  expect(dead).toEqual([]);
});

test('FEATURES.md: every claim has its file and its test', () => {
  const read = (path: string): string | undefined => {
    const file = join(root, path);
    return existsSync(file) ? (path.endsWith('/') ? '' : readFileSync(file, 'utf8')) : undefined;
  };
  expect(featureFaults(read('FEATURES.md') ?? '', read)).toEqual([]);
});
