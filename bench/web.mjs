/**
 * Times a student's step in Chromium: `node bench/web.mjs [--dim 64] [--dropout 0] [--threads 1] [--laps 5]`.
 * Prints medians, and ratios within a lap; an epoch is with its evaluation, in the page and in Node.
 * Stock TensorFlow.js takes half the cores.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';
import { findChromium } from '../scripts/chromium.mjs';
import { baseline } from './contestants.mjs';
import { start } from './protocol.mjs';
import { median, ratio } from './race.mjs';

const { values } = parseArgs({
  options: {
    dim: { type: 'string', default: '64' },
    dropout: { type: 'string', default: '0' },
    threads: { type: 'string', default: '1' },
    laps: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const how = Object.fromEntries(
  ['dim', 'dropout', 'threads'].map((key) => [key, Number(values[key])]),
);
const near = (name) => createRequire(new URL(`../packages/${name}/package.json`, import.meta.url));
const runtime = dirname(near('backend-onnx').resolve('onnxruntime-web/wasm'));
const binaries = dirname(near('backend-wasm').resolve('@tensorflow/tfjs-backend-wasm'));

const root = fileURLToPath(new URL('web', import.meta.url));
const server = await createServer({
  root,
  configFile: false,
  logLevel: 'error',
  resolve: {
    conditions: ['@grok/source', 'module', 'browser', 'development|production'],
    alias: {
      'onnxruntime-web/wasm': join(runtime, 'ort.wasm.bundle.min.mjs'),
      'tfjs-backend-wasm': join(binaries, 'index.js'),
    },
  },
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  server: {
    host: '127.0.0.1',
    fs: { strict: false },
    headers: {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    },
  },
  plugins: [
    {
      name: 'wasm-folder',
      resolveId: (id) => (id === 'virtual:wasm-folder' ? `\0${id}` : null),
      load: (id) =>
        id === '\0virtual:wasm-folder'
          ? `export default ${JSON.stringify(`/@fs${binaries}/`)}`
          : null,
    },
  ],
});
await server.listen();
const node = await start(
  'Node',
  baseline({ dim: how.dim, dropout: how.dropout }, how.threads).command,
);
const browser = await chromium.launch({ executablePath: findChromium() });
try {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.endsWith('favicon.ico'))
      console.error(message.text());
  });
  await page.goto(server.resolvedUrls.local[0]);
  await page.waitForFunction(() => 'openRace' in globalThis, undefined, { timeout: 120_000 });
  const devices = await page.evaluate((given) => globalThis.openRace(given), how);
  const laps = [];
  for (let i = 0; i < Number(values.laps); i++) {
    const { epochMs, evalMs } = await node.go();
    const inPage = await page.evaluate(() => globalThis.lap());
    laps.push({ ...inPage, 'Node epoch': epochMs + evalMs });
  }
  const of = (name) => laps.map((lap) => lap[name]);
  if (values.json) console.log(JSON.stringify({ how, devices, laps }));
  else {
    console.log([...devices, `Chromium ${browser.version()}`, node.ready.version].join('; '));
    for (const name of Object.keys(laps[0]))
      console.log(`${name.padEnd(12)} ${median(of(name)).toFixed(1).padStart(8)} ms`);
    for (const [over, under] of [
      ['stock', 'onnx'],
      ['onnx', 'products'],
      ['onnx epoch', 'Node epoch'],
      ['stock', 'wasm'],
    ])
      console.log(`${over} / ${under}`.padEnd(24), ratio(of(over), of(under)).toFixed(2));
  }
} finally {
  await node.stop();
  await browser.close();
  await server.close();
}
