/** A built site: its files and links, a server of its own, and what a visitor's browser asked for. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** Builds the site for a base into a folder of its own. */
export function buildSite(base: string): string {
  const out = mkdtempSync(join(tmpdir(), 'grok-docs-'));
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const vitepress = join(cwd, 'node_modules/vitepress/bin/vitepress.js');
  const args = [vitepress, 'build', '--base', base, '--outDir', out];
  const env = { ...process.env, NODE_ENV: 'production' };
  const { status, stderr, stdout } = spawnSync(process.execPath, args, {
    ...{ cwd, env, encoding: 'utf8' },
  });
  if (status !== 0) throw new Error(`vitepress build: ${stdout}${stderr}`);
  return out;
}

/** The pages of a built site, by their paths from its folder. */
export const listPages = (out: string): readonly string[] =>
  readdirSync(out, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.html'))
    .sort();

/** Links and resources that lead nowhere, anchors included, and those that leave the base. */
export function brokenLinks(out: string, base: string): string[] {
  const pages = new Map(
    listPages(out).map((page) => [page, readFileSync(join(out, page), 'utf8')]),
  );
  const ids = new Map<string, ReadonlySet<string>>();
  const hasId = (page: string, id: string): boolean => {
    const known =
      ids.get(page) ??
      new Set(
        [...(pages.get(page) ?? '').matchAll(/\sid="([^"]*)"/g)].map(([, name = '']) => name),
      );
    ids.set(page, known);
    return known.has(id);
  };
  return [...pages].flatMap(([page, html]) =>
    [...html.matchAll(/\s(?:href|src)="([^"]*)"/g)].flatMap(([, link = '']) => {
      const fault = linkFault(link.replaceAll('&amp;', '&'), page, { out, base, hasId });
      return fault === undefined ? [] : [`${page}: ${link} ${fault}`];
    }),
  );
}

interface Built {
  readonly out: string;
  readonly base: string;
  hasId(page: string, id: string): boolean;
}

function linkFault(link: string, page: string, { out, base, hasId }: Built): string | undefined {
  if (/^(https?:|data:)/.test(link)) return undefined;
  const [path = '', id] = link.split('#');
  if (path.startsWith('/') && !path.startsWith(base)) return `is not below ${base}`;
  const seen = path.startsWith('/')
    ? path.slice(base.length)
    : posix.join(posix.dirname(page), path);
  const file = path === '' ? page : fileAt(out, seen);
  if (file === undefined) return 'leads nowhere';
  const isMissing = id !== undefined && id !== '' && !hasId(file, decodeURIComponent(id));
  return isMissing ? 'has no such place' : undefined;
}

/** The file that a server gives for a path. */
function fileAt(out: string, path: string): string | undefined {
  const candidates = [path, `${path}.html`, posix.join(path, 'index.html')];
  return candidates.find(
    (file) => existsSync(join(out, file)) && statSync(join(out, file)).isFile(),
  );
}

/** Serves a built site below its base on loopback, as any static host would. */
export async function serveSite(
  out: string,
  base: string,
): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://host');
    const file = pathname.startsWith(base)
      ? fileAt(out, decodeURIComponent(pathname.slice(base.length)))
      : undefined;
    if (file === undefined) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
    return response.end(readFileSync(join(out, file)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}${base}`, close: () => server.close() };
}
