/**
 * A page of `bench/web` in headless Chromium, served with this project's sources, cross-origin
 * isolated so that it can use threads.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';
import { findChromium } from '../scripts/chromium.mjs';

const near = (name) => createRequire(new URL(`../packages/${name}/package.json`, import.meta.url));

/**
 * Opens `bench/web/<file>` and waits until it has set `globalThis[ready]`. Errors of the page go to
 * stderr.
 * @param {string} file @param {string} ready
 */
export async function openPage(file, ready) {
  const runtime = dirname(near('backend-onnx').resolve('onnxruntime-web/wasm'));
  const binaries = dirname(near('backend-wasm').resolve('@tensorflow/tfjs-backend-wasm'));
  const server = await createServer({
    root: fileURLToPath(new URL('web', import.meta.url)),
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
      port: 0,
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
  const browser = await chromium.launch({ executablePath: findChromium() });
  const close = async () => {
    await browser.close();
    await server.close();
  };
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.location().url.endsWith('favicon.ico'))
        console.error(message.text());
    });
    await page.goto(`${server.resolvedUrls.local[0]}${file}`);
    await page.waitForFunction((name) => name in globalThis, ready, { timeout: 120_000 });
    return { page, version: browser.version(), close };
  } catch (error) {
    await close();
    throw error;
  }
}
