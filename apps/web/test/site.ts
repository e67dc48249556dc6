/** The built page on a server of its own, and Chromium to look at it with. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { memoryStore, type Store } from '@grok/core';
import { unzipSync } from 'fflate';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { inject } from 'vitest';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const vite = fileURLToPath(new URL('../node_modules/vite/bin/vite.js', import.meta.url));

/** A browser, as tests use it. */
export interface Site {
  readonly browser: Browser;
  /** The built folder. */
  readonly folder: string;
  /** A fresh visitor; `isolated: false` is a host that sends no headers. */
  visit(options?: {
    isolated?: boolean;
    width?: number;
    height?: number;
    dark?: boolean;
  }): Promise<Visit>;
  close(): Promise<void>;
}
/** One visitor: a page, and what went wrong or went elsewhere on it. */
export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly url: string;
  /** Errors on the console, uncaught ones, and requests to other hosts. */
  readonly faults: string[];
  /** Bytes that the server sent, compressed, by path. */
  readonly sent: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Builds the page into a temporary folder and starts Chromium. */
export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'grok-web-'));
  const root = fileURLToPath(new URL('..', import.meta.url));
  // In a process of its own: this one's NODE_ENV is the tests'.
  await promisify(execFile)(
    process.execPath,
    [vite, 'build', '--outDir', folder, '--emptyOutDir'],
    {
      cwd: root,
      env: { ...process.env, NODE_ENV: 'production' },
    },
  );
  const browser: Browser = await chromium.launch({ executablePath: inject('chromium') });
  return {
    browser,
    folder,
    async visit({ isolated = true, width = 1280, height = 900, dark = false } = {}) {
      const sent = new Map<string, number>();
      const server = await serve(folder, isolated ? ISOLATED : {}, sent);
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const viewport = { width, height };
      const colorScheme = dark ? 'dark' : 'light';
      const context = await browser.newContext({
        viewport,
        colorScheme,
        deviceScaleFactor: 1,
      });
      const page = await context.newPage();
      const faults: string[] = [];
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) faults.push(message.text());
      });
      page.on('pageerror', (error) => faults.push(error.message));
      context.on('request', (request) => {
        const at = request.url();
        if (!/^(blob|data):/.test(at) && !at.startsWith(url)) faults.push(`asked ${at}`);
      });
      return {
        page,
        context,
        url,
        faults,
        sent,
        async close() {
          await context.close();
          server.closeAllConnections();
          server.close();
        },
      };
    },
    async close() {
      await browser.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function serve(
  folder: string,
  headers: Readonly<Record<string, string>>,
  sent: Map<string, number>,
): Promise<Server> {
  const server = createServer(async ({ url = '/' }, response) => {
    const path = new URL(url, 'http://host').pathname;
    try {
      const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
      const body = zipped(file, await readFile(file));
      sent.set(path, body.length);
      const type = TYPES[extname(file)] ?? 'application/octet-stream';
      response.writeHead(200, { ...headers, 'Content-Type': type, 'Content-Encoding': 'gzip' });
      response.end(body);
    } catch {
      response.writeHead(404, headers).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const compressed = new Map<string, Buffer>();
function zipped(file: string, content: Buffer): Buffer {
  const known = compressed.get(file) ?? gzipSync(content, { level: 6 });
  compressed.set(file, known);
  return known;
}

/** Drops files on the page as a visitor would. */
export async function drop(
  page: Page,
  files: readonly { name: string; bytes: Uint8Array }[],
): Promise<void> {
  await page.evaluate(
    (given) => {
      const transfer = new DataTransfer();
      for (const { name, base64 } of given)
        transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
      document.body.dispatchEvent(
        new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }),
      );
    },
    files.map(({ name, bytes }) => ({ name, base64: Buffer.from(bytes).toString('base64') })),
  );
}

/** Waits until the page says where it stands. */
export async function until(
  page: Page,
  status: 'training' | 'watching' | 'paused' | 'failed' | 'finished',
): Promise<void> {
  await page.waitForSelector(`[data-status=${status}]`, { timeout: 600_000 });
}

/** The one run in a downloaded archive, as a store. */
export async function unpacked(zip: Uint8Array): Promise<Store> {
  const store = memoryStore();
  for (const [path, bytes] of Object.entries(unzipSync(zip))) {
    const [, ...inside] = path.split('/');
    if (inside.length > 0) await store.write(inside.join('/'), bytes);
  }
  return store;
}

/** The files of the study that is open, as the page hands them out. */
export async function downloadRuns(page: Page): Promise<Uint8Array> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download runs' }).click(),
  ]);
  return new Uint8Array(readFileSync(await download.path()));
}

/** Paths of the files that the page keeps, from the studies' folder on. */
export function keptFiles(page: Page): Promise<readonly string[]> {
  return page.evaluate(async () => {
    const walk = async (folder: FileSystemDirectoryHandle, at: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const handle of folder.values())
        if (handle instanceof FileSystemDirectoryHandle)
          found.push(...(await walk(handle, `${at}${handle.name}/`)));
        else found.push(at + handle.name);
      return found;
    };
    const root = await navigator.storage.getDirectory();
    return walk(await root.getDirectoryHandle('studies'), '');
  });
}

/** Writes one of the files that the page keeps, behind its back. */
export async function overwrite(page: Page, path: string, text: string): Promise<void> {
  await page.evaluate(
    async ({ parts, content }) => {
      let folder = await navigator.storage.getDirectory();
      for (const part of ['studies', ...parts.slice(0, -1)])
        folder = await folder.getDirectoryHandle(part, { create: true });
      const file = await folder.getFileHandle(parts.at(-1)!, { create: true });
      const writable = await file.createWritable();
      await writable.write(content);
      await writable.close();
    },
    { parts: path.split('/'), content: text },
  );
}
