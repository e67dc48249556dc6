/** Third-party packages made with `grok new`, and a page built with vite. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { findChromium } from '../chromium.mjs';
import { must, userFolder } from './folder.mjs';

/** @typedef {import('./cases.mjs').World} World */

const KINDS = ['strategy', 'backend', 'task', 'optimizer', 'probe'];
/** @param {string} name */
const own = (name) => fileURLToPath(new URL(name, import.meta.url));
/** @param {string} kind */
const nameOf = (kind) => (kind === 'strategy' ? 'rkd' : `my-${kind}`);

/**
 * Five packages written, built, tested, published, installed with the command line, used and
 * uninstalled. @param {World} world
 */
export function thirdParties({ folder, env, publish }) {
  const user = userFolder(join(folder, 'user'), env);
  user.install('@grok/cli');
  const author = userFolder(join(folder, 'author'), env);
  const grok = join(user.path, 'node_modules/.bin/grok');
  const [first, ...others] = KINDS;
  author.run('npm', 'create', '--yes', '@grok/plugin', '--', first ?? '', '@third/rkd');
  for (const kind of others) author.run(grok, 'new', kind, `@third/${nameOf(kind)}`);
  author.copy(own('rkd.ts'), 'rkd/src/index.ts');
  const test = join(author.path, 'rkd/test/index.test.ts');
  writeFileSync(test, readFileSync(test, 'utf8').replace('{ scale: 0 }', '{ samples: 2 }'));
  const rkdReadme = readFileSync(join(author.path, 'rkd/README.md'), 'utf8');
  must(rkdReadme.includes('npm install @third/rkd'), 'the README does not say how to install it');
  // One installation for all five.
  author.write(
    'package.json',
    JSON.stringify({ private: true, workspaces: KINDS.map((kind) => nameOf(kind)) }),
  );
  author.install();
  author.run('npm', 'run', 'build', '--workspaces');
  const tests = author.run('npm', 'test', '--workspaces');
  author.run('npm', 'pack', '--workspaces');
  for (const kind of KINDS) publish(join(author.path, `third-${nameOf(kind)}-0.1.0.tgz`));

  const packages = KINDS.map((kind) => `@third/${nameOf(kind)}`);
  user.install(...packages);
  must(user.copiesOf('@grok/core') === 1, 'a second core came along');
  const flags = packages.flatMap((name) => ['--plugin', name]);
  const listed = user.run(grok, 'plugins', ...flags);
  for (const kind of KINDS) must(listed.includes(nameOf(kind)), `${nameOf(kind)} is not listed`);
  const experiment = {
    task: { use: 'my-task', options: { bits: 5 } },
    model: { use: 'transformer', options: { dim: 8, depth: 1 } },
    optimizer: { use: 'my-optimizer', options: { learningRate: 0.05 } },
    probes: [{ use: 'my-probe', options: { every: 1 } }],
    batch: 16,
    epochs: 3,
    seed: 1,
  };
  user.write('spec.json', JSON.stringify({ experiment, execution: { backend: 'my-backend' } }));
  user.run(grok, 'train', '--spec', 'spec.json', ...flags, '--out', 't', '--quiet');
  const rows = readFileSync(join(user.path, 't/metrics.jsonl'), 'utf8').trim().split('\n');
  must(Object.keys(JSON.parse(rows[2] ?? '{}').probes ?? {}).includes('my-probe'), rows[2] ?? '');
  const student = ['distill', '--teacher', 'teacher', '--strategy', 'rkd:weight=10', '--quiet'];
  const tiny = ['--dim', '8', '--epochs', '4'];
  user.run(grok, 'train', '--p', '7', ...tiny, '--quiet', '--out', 'teacher');
  user.run(grok, ...student, ...tiny, '--plugin', '@third/rkd', '--out', 'student');
  const metrics = readFileSync(join(user.path, 'student/metrics.jsonl'), 'utf8').trim().split('\n');
  const terms = metrics.map((line) => JSON.parse(line).terms);
  must(
    terms.every((t) => Number.isFinite(t['rkd.distances'])),
    JSON.stringify(terms),
  );

  user.run('npm', 'uninstall', '@third/rkd');
  const gone = user.tryRun(grok, ...student, ...tiny, '--plugin', '@third/rkd', '--out', 'again');
  must(gone.code === 2 && gone.all.includes('plugin "@third/rkd": no such package'), gone.all);
  user.run(grok, 'plugins', ...flags.slice(2));
  const passed = [...tests.matchAll(/Tests .*?(\d+) passed/g)].map(([, n]) => Number(n));
  const ended = terms.at(-1)['rkd.distances'].toFixed(4);
  return `${KINDS.length} packages, ${passed.reduce((a, b) => a + b, 0)} tests of theirs; rkd ended at ${ended}`;
}

/** A page that trains on the browser backend. @param {World} world */
export async function page({ folder, env }) {
  const executablePath = findChromium();
  if (executablePath === undefined)
    return 'skipped, there is no Chromium (CHROMIUM_PATH names one)';
  const user = userFolder(join(folder, 'page'), env);
  const parts = ['model', 'optim', 'data', 'distill-attention', 'backend-onnx', 'core', 'tfjs'];
  user.install(...parts.map((name) => `@grok/${name}`), 'onnxruntime-web@1.30.0', 'vite@8.3.8');
  user.copy(own('page.ts'), 'page.ts');
  user.write(
    'index.html',
    '<!doctype html><title>…</title><script type="module" src="page.ts"></script>',
  );
  user.run('npx', 'vite', 'build', '--target', 'es2022', '--logLevel', 'warn');
  const server = await serve(join(user.path, 'dist'));
  const browser = await chromium.launch({ executablePath });
  try {
    const tab = await browser.newPage();
    /** @type {string[]} */
    const errors = [];
    tab.on('pageerror', (error) => errors.push(String(error)));
    await tab.goto(server.url);
    await tab.waitForFunction(() => /^(done|failed)/.test(document.title), undefined, {
      timeout: 180_000,
    });
    const title = await tab.title();
    must(title.startsWith('done') && errors.length === 0, `${title}\n${errors.join('\n')}`);
    return title;
  } finally {
    await browser.close();
    server.stop();
  }
}

const TYPES = /** @type {Record<string, string>} */ ({
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
});

/** Serves a folder on loopback. @param {string} folder @returns {Promise<{ url: string, stop(): void }>} */
function serve(folder) {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    try {
      const body = readFileSync(join(folder, path === '/' ? 'index.html' : path));
      const type = TYPES[extname(path) || '.html'] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': type }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      resolve({ url: `http://127.0.0.1:${port}/`, stop: () => void server.close() });
    });
  });
}
