/** A report of a folder of runs: figures, tables, statistics; as HTML, Markdown, LaTeX, SVG and Vega-Lite. */

import type { Verified } from '@grok/analysis';
import { printable } from '@grok/core/internal';
import type { BegunRun, StudySummary } from '@grok/study';
import { markdown } from '../layout.js';
import type { Published } from '../paper.js';
import { renderSvg } from '../render.js';
import { short, verdictTable } from '../verdicts.js';
import type { SeedAnalysis } from './data.js';
import { buildFigures, type Figure } from './figures.js';
import { formatLatex, formatMarkdown, type Table } from './grid.js';
import { htmlPage } from './html.js';
import { runsTables } from './runs.js';
import { statesTables } from './states.js';
import { buildTables } from './tables.js';

/** The input of a report. */
export interface ReportInput {
  readonly title: string;
  readonly summary: string;
  /** The command that creates this report. */
  readonly command: string;
  /** Finished runs, in the order of legends. */
  readonly runs: readonly BegunRun[];
  readonly analyses: readonly SeedAnalysis[];
  readonly statistics?: {
    readonly summary: StudySummary;
    readonly text: string;
    readonly markdown: string;
  };
  /** Verdicts on a paper's claims. */
  readonly claims?: readonly Verified[];
  /** Published numbers by run name, shown in separate columns. */
  readonly beside?: Readonly<Record<string, Published>>;
  /** Machine and versions, for the section "How". */
  readonly facts?: Readonly<Record<string, string>>;
  /** Sentences about damaged runs that are left out. */
  readonly leftOut?: readonly string[];
}
/** A figure with its SVG. */
export interface DrawnFigure extends Figure {
  readonly svg: string;
}
/** A report: texts by file name, and figures as SVG. */
export interface Report {
  readonly files: Readonly<Record<string, string>>;
  readonly figures: readonly DrawnFigure[];
  /** Everything that is left out: from the input, and damaged analyses. */
  readonly leftOut: readonly string[];
}

/** Builds a report; figures are in `figures/`, LaTeX tables in `tables/`. */
export async function buildReport(given: ReportInput): Promise<Report> {
  const { runs, analyses, statistics, beside = {} } = given;
  const leftOut = [...(given.leftOut ?? [])];
  const figures: DrawnFigure[] = [];
  for (const figure of buildFigures(runs, analyses))
    figures.push({ ...figure, svg: await renderSvg(figure.spec) });
  const tables = [
    ...buildTables(runs, analyses, statistics?.summary),
    ...(await statesTables(runs, (message) => leftOut.push(message))),
    ...runsTables(runs, beside),
  ];
  const input = { ...given, leftOut };
  const claims = input.claims === undefined ? [] : [claimsTable(input.claims)];
  const files: Record<string, string> = {
    'report.html': htmlPage(input, figures, [...tables, ...claims]),
    'report.md': markdownPage(input, figures, tables),
  };
  for (const { name, spec, svg } of figures) {
    files[`figures/${name}.svg`] = svg;
    files[`figures/${name}.vl.json`] = `${JSON.stringify(spec, null, 2)}\n`;
  }
  for (const table of tables) files[`tables/${table.name}.tex`] = formatLatex(table);
  return { files, figures, leftOut };
}

function markdownPage(
  input: ReportInput,
  figures: readonly DrawnFigure[],
  tables: readonly Table[],
): string {
  const { title, summary, statistics, claims, facts = {}, leftOut = [] } = input;
  const parts = [
    `# ${markdown(title)}`,
    markdown(summary),
    ...(leftOut.length === 0
      ? []
      : [`## Left out\n\n${leftOut.map((it) => `- ${markdown(it)}`).join('\n')}`]),
    '## Figures',
    ...figures.map(
      (figure) =>
        `![${markdown(figure.title)}](figures/${figure.name}.svg)\n\n*${markdown(figure.title)}.* ${markdown(figure.caption)}`,
    ),
    '## Tables',
    ...tables.map(formatMarkdown),
    ...(statistics === undefined
      ? []
      : ['## Statistics', statistics.markdown.trim().replace(/^#+ /gm, '### ')]),
    ...(claims === undefined
      ? []
      : ['## Claims', verdictTable(claims, { style: 'markdown' }).trim()]),
    '## How',
    `\`${printable(input.command).replaceAll('`', "'")}\``,
    Object.entries(facts)
      .map(([name, value]) => `- ${markdown(name)}: ${markdown(value)}`)
      .join('\n'),
    'Every figure has its Vega-Lite beside it (`figures/*.vl.json`), every table its LaTeX (`tables/*.tex`).',
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function claimsTable(claims: readonly Verified[]): Table {
  return {
    name: 'claims',
    title: 'Claims of the paper',
    head: ['Claim', 'Source', 'Published', 'Ours', 'Verdict'],
    rows: claims.map((item) => [
      item.claim,
      item.source,
      item.published === null ? '–' : String(item.published),
      item.seeds === 0 ? '–' : item.ours === null ? 'never' : short(item.ours),
      item.verdict + (item.why === undefined ? '' : `: ${item.why}`),
    ]),
  };
}
