/** What a contributor and a plugin author do: add a strategy to the repository, and follow the guide word for word. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, run } from '../release/packages.mjs';
import { must, userFolder } from './folder.mjs';
import { TYPESCRIPT, trains } from './typed.mjs';

/** @typedef {import('./cases.mjs').World} World */

const RKD = fileURLToPath(new URL('rkd.ts', import.meta.url));
const NAME = '@grok/distill-rkd';

/**
 * `grok new strategy rkd` in a clone, with its loss filled in: tested, trained, packed, used;
 * nothing else changes. @param {World} world
 */
export function inside({ folder, env }) {
  const clone = join(folder, 'clone');
  run('git', ['clone', '--quiet', root, clone]);
  /** @param {string} command @param {string[]} args */
  const here = (command, ...args) => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: clone, encoding: 'utf8' });
    must(status === 0, `${command} ${args.join(' ')} (${status})\n${stdout}${stderr}`);
    return stdout;
  };
  /** @param {string[]} args */
  const grok = (...args) => here('node', 'apps/cli/dist/cli.js', ...args);
  here('npm', 'run', '-s', 'setup');
  here('npm', 'run', '-s', 'build');
  grok('new', 'strategy', 'rkd');
  const at = join(clone, 'packages/distill-rkd');
  const loss = readFileSync(RKD, 'utf8').replaceAll('@third/rkd', NAME);
  writeFileSync(join(at, 'src/index.ts'), loss);
  const test = join(at, 'test/index.test.ts');
  writeFileSync(test, readFileSync(test, 'utf8').replace('{ scale: 0 }', '{ samples: 2 }'));
  here('npm', 'run', '-s', 'docs:api');
  here('npx', 'tsc', '-b', '.', 'tests');
  here('npx', 'biome', 'check', '--error-on-warnings', 'packages/distill-rkd', 'tsconfig.json');
  const own = ['packages/distill-rkd', 'tests/architecture.test.ts', 'tests/api.test.ts'];
  const tests = here('npx', 'vitest', 'run', '--project', 'node', ...own);
  const passed = /^(\d+) passed, 0 failed$/m.exec(tests)?.[1];
  must(passed !== undefined, tests);

  const tiny = ['--dim', '8', '--epochs', '4', '--quiet'];
  grok('train', '--p', '7', ...tiny, '--out', 'runs/teacher');
  const plugin = ['--plugin', './packages/distill-rkd', '--strategy', 'rkd:weight=10'];
  grok('distill', '--teacher', 'runs/teacher', ...plugin, ...tiny, '--out', 'runs/student');

  const changed = here('git', 'status', '--porcelain').trimEnd().split('\n');
  const expected = [
    ...[' M docs/api/README.md', ' M pnpm-lock.yaml', ' M tsconfig.json'],
    ...['?? docs/api/distill-rkd.md', '?? packages/distill-rkd/'],
  ];
  must(changed.join('\n') === expected.join('\n'), `changed as well:\n${changed.join('\n')}`);

  const { packageManager } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8'));
  const pack = ['--yes', '--ignore-scripts', packageManager, '--filter', NAME, 'pack'];
  // From the build: `dist` in the clone is a link, and links are not packed.
  run('npx', [...pack, '--pack-destination', clone], { cwd: join(clone, '.build/current') });
  const user = userFolder(join(folder, 'rkd-tgz'), env);
  const tarball = join(clone, 'grok-distill-rkd-0.1.0.tgz');
  const parts = ['core', 'tfjs', 'model', 'optim', 'data', 'backend-wasm'];
  user.install(tarball, ...parts.map((part) => `@grok/${part}`), TYPESCRIPT);
  return `${passed} tests; from its tgz, ${trains(user, NAME)}`;
}

/** Writes the guide's files and runs its commands, in order, in an empty folder. @param {World} world */
export function walk({ folder, env }) {
  const user = userFolder(join(folder, 'reader'), env);
  const guide = readFileSync(join(root, 'docs/guides/writing-a-plugin.md'), 'utf8');
  const blocks = [...guide.matchAll(/^```(\w+)( no-run)?\n(.*?)^```$/gms)].map(
    ([, lang, kept, text = '']) => ({ lang: `${lang}${kept ?? ''}`, text }),
  );
  const plugin = 'grok-logit-regression';
  const files = { json: 'package.json', js: 'index.js', 'js no-run': 'index.test.js' };
  for (const [lang, file] of Object.entries(files)) {
    const block = blocks.find((item) => item.lang === lang);
    must(block !== undefined, `the guide has no block "${lang}"`);
    user.write(`${plugin}/${file}`, block.text);
  }
  const lines = blocks
    .filter(({ lang }) => lang === 'sh')
    .flatMap(({ text }) => text.trim().split('\n'));
  let at = user.path;
  const seen = [];
  for (const line of lines) {
    const moved = /^cd (\S+)/.exec(line)?.[1];
    if (moved !== undefined) at = join(at, moved);
    // Tests publish nothing: the package is packed and installed from the tarball.
    else if (line === 'npm publish') seen.push(shell('npm pack', at));
    else seen.push(shell(line, at));
  }
  /** @param {string} line @param {string} cwd */
  function shell(line, cwd) {
    const { status, stdout, stderr } = spawnSync(line, { cwd, env, encoding: 'utf8', shell: true });
    must(status === 0, `${line} (${status})\n${stdout}${stderr}`);
    return stdout;
  }
  const tests = /Tests .*?(\d+) passed/.exec(seen.join('\n'))?.[1];
  must(tests !== undefined, seen.join('\n'));
  user.install(join(user.path, plugin, `${plugin}-0.1.0.tgz`));
  const listed = user.run('npx', 'grok', 'plugins', '--plugin', plugin);
  must(listed.includes('logit-regression'), listed);
  return `${lines.length} commands, ${tests} tests`;
}
