/** The documentation site as a visitor meets it: built for two bases, crawled, searched and looked at. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it, test } from 'vitest';
import { brokenLinks, buildSite, listPages, serveSite } from './site.js';

const screens = fileURLToPath(new URL('../../../docs/screens/', import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe.each(['/', '/grok/'])('the site at %s', (base) => {
  let out = '';
  let browser: Browser;
  let site: Awaited<ReturnType<typeof serveSite>>;
  beforeAll(async () => {
    out = buildSite(base);
    site = await serveSite(out, base);
    browser = await chromium.launch({ executablePath: inject('chromium') });
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    site?.close();
    rmSync(out, { recursive: true, force: true });
  });
  /** Visits a page, and hands back what its browser asked of other hosts and what went wrong. */
  const visit = async (path: string, colorScheme: 'light' | 'dark', width = 1280) => {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(site.url)) faults.push(request.url());
    });
    page.on('response', (response) => {
      if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`);
    });
    page.on('pageerror', (error) => faults.push(error.message));
    await page.goto(`${site.url}${path}`, { waitUntil: 'networkidle' });
    return { page, faults, close: () => context.close() };
  };

  it('has no broken link, and none that leaves its base', () => {
    // Catches: a page that was moved, a heading that was renamed, a path that forgets the base.
    expect(brokenLinks(out, base)).toEqual([]);
    expect(listPages(out).length).toBeGreaterThan(50);
  });

  it.each([
    ['how do I write a strategy', 'guides/writing-a-plugin', "kind: 'strategy'"],
    ['what is hook_resid_mid', 'reference/sites', 'residual stream between attention and MLP'],
    ['how do I load a run in pandas', 'guides/from-python', 'pd.json_normalize'],
    ['how do I sweep weight decay', 'guides/sweep-and-compare', '"weightDecay": 0.1'],
  ])('answers "%s" by its first search result', async (question, path, answer) => {
    // Catches: an answer that no visitor finds.
    const { page, faults, close } = await visit('', 'light');
    await page
      .getByRole('button', { name: /search/i })
      .first()
      .click();
    await page.getByRole('searchbox').fill(question);
    await page.locator('.results a').first().click();
    await page.waitForURL((url) => url.pathname.startsWith(`${base}${path}`));
    expect(await page.locator('main').textContent()).toContain(answer);
    expect(faults).toEqual([]);
    await close();
  });

  it.each([
    ['a strategy', ['Write a strategy'], 'guides/writing-a-plugin'],
    ['a site', ['Reference', 'Sites'], 'reference/sites'],
    ['pandas', ['Guides', 'Use runs from Python'], 'guides/from-python'],
    ['a sweep', ['Guides', 'Sweep and compare'], 'guides/sweep-and-compare'],
  ])('has %s two clicks from the first page', async (_, clicks, path) => {
    const { page, faults, close } = await visit('', 'light');
    for (const name of clicks) await page.getByRole('link', { name, exact: true }).first().click();
    await page.waitForURL((url) => url.pathname.startsWith(`${base}${path}`));
    expect(faults).toEqual([]);
    await close();
  });

  describe.runIf(base === '/').each(['light', 'dark'] as const)('in %s', (scheme) => {
    it.each([
      ...['', 'get-started', 'guides/writing-a-plugin', 'guides/from-python'],
      ...['reference/sites', 'reference/errors', 'api/model', 'results/reproduction'],
    ])('page "%s" passes axe and asks no other host', async (path) => {
      // Catches: text too faint, a control without a name, a table that the keyboard cannot scroll.
      const { page, faults, close } = await visit(path, scheme);
      expect(await violations(page)).toEqual([]);
      expect(faults).toEqual([]);
      await close();
    });
  });

  it.runIf(base === '/').each(['', 'guides/sweep-and-compare', 'api/experiment'])(
    'page "%s" passes axe on a phone',
    async (path) => {
      // Catches: a button without a name where its text is hidden.
      const { page, faults, close } = await visit(path, 'light', 390);
      expect(await violations(page)).toEqual([]);
      expect(faults).toEqual([]);
      await close();
    },
  );

  test.runIf(process.env.GROK_SCREENS && base === '/')('pictures of it are kept', async () => {
    mkdirSync(screens, { recursive: true });
    for (const [name, path, scheme, width] of PICTURES) {
      const { page, close } = await visit(path, scheme, width);
      await page.screenshot({ path: `${screens}${name}.png`, fullPage: path === '' });
      await close();
    }
    const { page, close } = await visit('', 'light');
    await page
      .getByRole('button', { name: /search/i })
      .first()
      .click();
    await page.getByRole('searchbox').fill('what is hook_resid_mid');
    await page.locator('.results a').first().waitFor();
    await page.screenshot({ path: `${screens}docs-search.png` });
    await close();
  });
});

const PICTURES = [
  ['docs-home', '', 'light', 1280],
  ['docs-guide', 'guides/writing-a-plugin', 'light', 1280],
  ['docs-sites-dark', 'reference/sites', 'dark', 1280],
  ['docs-phone', 'get-started', 'light', 390],
] as const;

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What axe finds wrong with a page, a line for each rule. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate<readonly Violation[]>('axe.run().then((r) => r.violations)');
  return found.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}: ${nodes.length}, such as ${nodes[0]?.html.slice(0, 200)}`,
  );
}
