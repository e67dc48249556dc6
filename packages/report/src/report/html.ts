/** `report.html`: one file that opens from a disk: no script, no request, figures inline. */

import { formatHtml, html, type Table } from './grid.js';
import { pageHead } from './page.js';
import type { DrawnFigure, ReportInput } from './report.js';

const STYLE = `
:root { color-scheme: light; font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; }
figure { margin: 1.5rem 0; }
figure svg { max-width: 100%; height: auto; display: block; }
figcaption, .note { font-size: .9rem; color: #444; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0 .25rem; font-variant-numeric: tabular-nums; }
caption { white-space: nowrap; text-align: left; font-weight: 600; padding-bottom: .25rem; }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #ddd; vertical-align: top; }
th:first-child { text-align: left; white-space: nowrap; }
thead th { border-bottom: 2px solid #333; }
pre { overflow-x: auto; background: #f5f5f5; padding: .75rem; font-size: .8rem; }
#claims td, #claims th { text-align: left; white-space: normal; }
@media print { .scroll, pre { overflow: visible; } }`.trim();

/** The whole page. */
export function htmlPage(
  input: ReportInput,
  figures: readonly DrawnFigure[],
  tables: readonly Table[],
): string {
  const { title, summary, statistics, facts = {}, leftOut = [] } = input;
  return `${pageHead(title, STYLE)}
<body>
<main>
<h1>${html(title)}</h1>
<p>${html(summary)}</p>
${leftOut.length === 0 ? '' : `<h2>Left out</h2>\n<ul>\n${leftOut.map((it) => `<li>${html(it)}</li>`).join('\n')}\n</ul>`}
<h2>Figures</h2>
${figures.map(formatFigure).join('\n')}
<h2>Tables</h2>
${tables.map(formatHtml).join('\n')}
${statistics === undefined ? '' : `<h2>Statistics</h2>\n<pre id="statistics">${html(statistics.text)}</pre>`}
<h2>How</h2>
<p><code>${html(input.command)}</code></p>
<ul>
${Object.entries(facts)
  .map(([name, value]) => `<li>${html(name)}: ${html(value)}</li>`)
  .join('\n')}
</ul>
</main>
</body>
</html>
`;
}

function formatFigure({ name, title, caption, svg }: DrawnFigure): string {
  return [
    `<figure id="${html(name)}">`,
    withOwnIds(svg.trim(), name).replace('<svg', `<svg role="img" aria-label="${html(title)}"`),
    `<figcaption><strong>${html(title)}.</strong> ${html(caption)}</figcaption>`,
    '</figure>',
  ].join('\n');
}

/** Ids of several drawings in one page must not meet: a clip would be another figure's. */
function withOwnIds(svg: string, name: string): string {
  return svg
    .replace(/\bid="([^"]+)"/g, `id="${name}-$1"`)
    .replace(/url\((&quot;|")?#([^)"&]+)(&quot;|")?\)/g, `url(#${name}-$2)`)
    .replace(/href="#([^"]+)"/g, `href="#${name}-$1"`);
}
