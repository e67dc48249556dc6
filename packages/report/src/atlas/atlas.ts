/** `atlas.html`: one file with every figure, its data and the script that draws them; it opens from a disk and asks for nothing. */
import type { MeasuredRun, TableRow } from '@grok/analysis';
import { sha256Hex } from '@grok/core/internal';
import type { TopLevelSpec } from 'vega-lite';
import { assignStyles } from '../palette.js';
import { html } from '../report/grid.js';
import { pageHead } from '../report/page.js';
import { listLabels } from '../report/style.js';
import type { AtlasFigure } from './figure.js';
import { atlasFigures } from './figures.js';
import { STYLE } from './page-style.js';

/** What an atlas is made of. */
export interface AtlasInput {
  readonly title: string;
  readonly summary: string;
  /** The command that creates this report. */
  readonly command: string;
  readonly runs: readonly MeasuredRun[];
  /** The page's script: the text of `@grok/report/atlas-page.js`. */
  readonly script: string;
  /** What is damaged or does not fit, a sentence each. */
  readonly leftOut?: readonly string[];
}
/** An atlas as a page, and what is in it. */
export interface Atlas {
  readonly page: string;
  readonly figures: readonly {
    readonly id: string;
    readonly title: string;
    readonly rows: number;
  }[];
}

/** A figure with its rows and its compiled drawing. */
interface Filled {
  readonly figure: AtlasFigure;
  readonly rows: readonly TableRow[];
  readonly spec: object;
}

/** Draws every figure that something was measured for. */
export async function buildAtlas(input: AtlasInput): Promise<Atlas> {
  const { compile } = await import('vega-lite');
  const labels = listLabels(input.runs.map(({ run }) => run));
  const filled = atlasFigures.flatMap((figure): readonly Filled[] => {
    const rows = figure.data(input.runs);
    if (rows.length === 0) return [];
    const spec: TopLevelSpec = JSON.parse(JSON.stringify(surround(figure.draw(rows, labels))));
    return [{ figure, rows, spec: compile(spec).spec }];
  });
  return {
    page: formatPage(input, filled, labels),
    figures: filled.map(({ figure: { id, title }, rows }) => ({ id, title, rows: rows.length })),
  };
}

function surround(drawing: object): object {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'transparent',
    config: { font: 'sans-serif' },
    data: { name: 'atlas' },
    ...drawing,
  };
}

function formatPage(
  { title, summary, command, script, leftOut = [] }: AtlasInput,
  filled: readonly Filled[],
  labels: readonly string[],
): string {
  const groups = [...new Set(filled.map(({ figure }) => figure.group))];
  const darker = assignStyles(labels, true).map(({ color }) => color);
  const colors = Object.fromEntries(
    assignStyles(labels).map(({ color }, i) => [color, darker[i] ?? color]),
  );
  return `${pageHead(title, STYLE, `'sha256-${base64(sha256Hex(script))}'`)}
<body>
<a class="skip" href="#figures">Skip to the figures</a>
<header>
<h1>${html(title)}</h1>
<p>${html(summary)} Made with <code>${html(command)}</code>.</p>
<p>Point at a mark, touch it, or focus a figure and use the arrow keys to read its values.</p>
${leftOut.length === 0 ? '' : `<details><summary>Left out (${leftOut.length})</summary><ul>${leftOut.map((it) => `<li>${html(it)}</li>`).join('\n')}</ul></details>`}
</header>
<nav aria-label="Figures">
${groups.map((group) => formatLinks(group, filled)).join('\n')}
</nav>
<main id="figures">
${groups.map((group) => formatGroup(group, filled)).join('\n')}
</main>
<noscript><p>The figures need JavaScript; their data are in this file as JSON.</p></noscript>
${embed('dark-colors', colors)}
<script>${script}</script>
</body>
</html>
`;
}

function formatLinks(group: string, filled: readonly Filled[]): string {
  const links = filled
    .filter(({ figure }) => figure.group === group)
    .map(({ figure: { id, title } }) => `<li><a href="#${id}">${html(title)}</a></li>`);
  return `<section><h2>${html(group)}</h2><ul>${links.join('')}</ul></section>`;
}

function formatGroup(group: string, filled: readonly Filled[]): string {
  const figures = filled.filter(({ figure }) => figure.group === group).map(formatFigure);
  return `<h2>${html(group)}</h2>\n${figures.join('\n')}`;
}

function formatFigure({ figure: { id, title, caption, canvas }, rows, spec }: Filled): string {
  return `<figure id="${id}"${canvas === true ? ' data-canvas' : ''}>
<h3>${html(title)}</h3>
<div class="view" tabindex="0" role="group" aria-label="${html(title)}"></div>
<output aria-live="polite"></output>
<figcaption>${html(caption)} <button type="button">Save the data</button></figcaption>
${embed(`${id}-data`, toColumns(rows))}
${embed(`${id}-drawing`, spec)}
</figure>`;
}

/** Rows without the names that they repeat. */
function toColumns(rows: readonly TableRow[]): object {
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return { fields, rows: rows.map((row) => fields.map((field) => row[field] ?? null)) };
}

/** JSON that a page holds; no text in it can end the element. */
function embed(id: string, value: object): string {
  const text = JSON.stringify(value).replaceAll('<', '\\u003c');
  return `<script type="application/json" id="${id}">${text}</script>`;
}

function base64(hex: string): string {
  const bytes = hex.match(/../g) ?? [];
  return btoa(bytes.map((digits) => String.fromCharCode(Number.parseInt(digits, 16))).join(''));
}
