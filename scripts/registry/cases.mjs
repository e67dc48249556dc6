/** What users do with the packages, each case in new folders; a case returns what it saw, or throws. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../release/packages.mjs';
import { must, userFolder } from './folder.mjs';
import { inside, walk } from './inside.mjs';
import { instruction } from './instruction.mjs';
import { MANAGERS } from './managers.mjs';
import { small } from './small.mjs';
import { page, thirdParties } from './third.mjs';
import { TSC, TYPESCRIPT, trains } from './typed.mjs';

/**
 * @typedef {{ folder: string, env: NodeJS.ProcessEnv, tarballs: string, url: string, publish(tarball: string): void }} World
 */

/** @param {string} name */
const own = (name) => fileURLToPath(new URL(name, import.meta.url));
const basic = ['@grok/core', '@grok/tfjs'];

/** @type {Record<string, (world: World) => string | Promise<string>>} */
export const cases = {
  'a: one strategy alone, then with a model to train': ({ folder, env }) =>
    alone(userFolder(join(folder, 'alone'), env)),

  'b: the command line, npx grok reproduce': ({ folder, env }) =>
    commandLine(userFolder(join(folder, 'cli'), env)),

  'c: packages of third parties, made by npm create and grok new': thirdParties,

  'd: a page made by vite, in Chromium': page,

  'e: a strategy uninstalled': ({ folder, env }) => {
    const user = userFolder(join(folder, 'uninstalled'), env);
    const strategies = ['@grok/distill-attention', '@grok/distill-logit'];
    const parts = ['@grok/model', '@grok/optim', '@grok/data', '@grok/backend-wasm'];
    user.install(...strategies, ...basic, ...parts, TYPESCRIPT);
    user.copy(own('train.ts'));
    user.run('npx', 'tsc', ...TSC, 'train.ts');
    user.run('npm', 'uninstall', '@grok/distill-attention');
    const out = user.run('node', 'train.js');
    must(/^logit: [\d.]+ → [\d.]+$/m.test(out), `the rest no longer works:\n${out}`);
    const message = /^attention: (.*)$/m.exec(out)?.[1] ?? '';
    must(message.startsWith('unknown strategy "attention"'), `no clear message:\n${out}`);
    return message;
  },

  'g: with pnpm, and with yarn': ({ folder, env }) => {
    /** @param {string} name */
    const pnpm = (name) => userFolder(join(folder, name), env, MANAGERS.pnpm);
    const began = alone(pnpm('pnpm-alone'));
    const table = commandLine(pnpm('pnpm-cli'));
    const yarn = alone(userFolder(join(folder, 'yarn-alone'), env, MANAGERS.yarn));
    return `pnpm: ${began}; ${table}; yarn: ${yarn}`;
  },

  'h: relational distillation inside the repository': inside,

  'i: docs/guides/writing-a-plugin.md word for word': walk,

  'j: the documented installation with npm 10, 11 and 12, pnpm, and Yarn 4 with Plug’n’Play':
    instruction,

  'k: the command line by itself, at most 60 MB, and its preset quick': small,

  // Last, since it publishes newer versions.
  'f: the newest strategy with the previous core': ({ folder, env, tarballs, publish }) => {
    for (const name of ['core', 'distill-logit']) {
      const tarball = renewed(join(tarballs, `grok-${name}-0.1.0.tgz`), '0.2.0');
      publish(tarball);
    }
    const user = userFolder(join(folder, 'previous'), env);
    const parts = ['@grok/model', '@grok/optim', '@grok/data', '@grok/backend-wasm'];
    user.install('@grok/core@0.1.0', '@grok/tfjs', '@grok/distill-logit', ...parts, TYPESCRIPT);
    const versions = ['core', 'distill-logit'].map(
      (name) =>
        JSON.parse(
          readFileSync(join(user.path, 'node_modules/@grok', name, 'package.json'), 'utf8'),
        ).version,
    );
    must(versions.join() === '0.1.0,0.2.0', `got ${versions}`);
    user.copy(own('train.ts'));
    user.run('npx', 'tsc', ...TSC, 'train.ts');
    const out = user.run('node', 'train.js');
    must(/^logit: [\d.]+ → [\d.]+$/m.test(out), out);
    return `core ${versions[0]}, distill-logit ${versions[1]}`;
  },
};

/** Runs one strategy on a minimal model, then trains with it. @param {import('./folder.mjs').UserFolder} user */
function alone(user) {
  user.install('@grok/distill-attention', ...basic, '@grok/backend-wasm', TYPESCRIPT);
  must(
    user.ours().join() === 'backend-wasm,core,distill-attention,tfjs',
    `other packages of ours came along: ${user.ours()}`,
  );
  for (const name of [...basic, '@tensorflow/tfjs-core'])
    must(user.copiesOf(name) === 1, `${user.copiesOf(name)} copies of ${name}`);
  user.copy(own('literal.ts'));
  user.run('npx', 'tsc', ...TSC, 'literal.ts');
  const literal = user.run('node', 'literal.js').trim();
  user.install('@grok/model', '@grok/optim', '@grok/data');
  return `${literal}; trained, ${trains(user, '@grok/distill-attention')}`;
}

/** Runs a tiny reproduction. @param {import('./folder.mjs').UserFolder} user */
function commandLine(user) {
  user.install('@grok/cli');
  const sets = ['shared.task.options.p=7', 'shared.epochs=2', 'teacher.model.options.dim=8'];
  const args = [...sets, 'student.model.options.dim=4'].flatMap((text) => ['--set', text]);
  const how = ['--seed', '1', '--quiet', '--out', 'r'];
  const out = user.run('npx', 'grok', 'reproduce', ...args, ...how);
  must(/logit/.test(out) && /attention/.test(out), out);
  for (const name of [...basic, '@tensorflow/tfjs-core'])
    must(user.copiesOf(name) === 1, `${user.copiesOf(name)} copies of ${name}`);
  return `a table of ${out.split('\n').filter((line) => /none|logit|attention|feature/.test(line)).length} rows`;
}

/** Repacks a tarball under another version, like a later release. @param {string} tarball @param {string} version */
function renewed(tarball, version) {
  const folder = tarball.replace(/\.tgz$/, `-${version}`);
  mkdirSync(folder);
  run('tar', ['-xzf', tarball, '-C', folder]);
  const file = join(folder, 'package/package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...manifest, version }));
  const out = `${folder}.tgz`;
  run('tar', ['-czf', out, '-C', folder, 'package']);
  return out;
}
