/**
 * Updates the tables of docs/results/reproduction.md and README.md, the figures, and the run
 * summaries in docs/results/*.json from the committed runs and records, and prints the page's
 * conclusions.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { claimsParts } from './results/claims.mjs';
import { summaryOf, tablesOf } from './results/exploratory.mjs';
import {
  exploredPart,
  loadPlanned,
  plannedFigures,
  plannedParts,
  shortStateOf,
  statementsOf,
} from './results/planned.mjs';

const ROOT = new URL('../', import.meta.url);
const RESULTS = new URL('docs/results/', ROOT);
const PAGES = [new URL('reproduction.md', RESULTS), new URL('README.md', ROOT)];
const PLANNED = ['decay', 'controls'];
const EXPLORED = ['decay-exploratory', 'study-extended'];

/** The text with every part between its markers replaced. */
export function withParts(text, parts) {
  return Object.entries(parts).reduce(
    (out, [name, part]) =>
      out.replace(
        new RegExp(`(<!-- results: ${name} -->\n)[^]*?(<!-- end -->)`),
        (_, head, end) => `${head}${part}\n${end}`,
      ),
    text,
  );
}

/** Every part of the pages, and the contents of every other file, by path. */
export async function makeResults() {
  const files = [];
  const [study, decay] = ['study', 'study-decay'].map((name) => {
    const url = new URL(`${name}.json`, RESULTS);
    const file = JSON.parse(readFileSync(url, 'utf8'));
    const summarized = { ...file, ...summaryOf(file) };
    files.push([url, `${JSON.stringify(summarized, null, 2)}\n`]);
    return summarized;
  });
  const parts = { ...tablesOf(study, decay) };
  const studies = [];
  for (const name of PLANNED) {
    const planned = await loadPlanned(name, new URL(`${name}/`, RESULTS));
    studies.push(planned);
    Object.assign(parts, await plannedParts(planned));
    if (name === 'decay')
      Object.assign(parts, {
        statements: statementsOf(planned),
        'readme-long': shortStateOf(planned),
      });
    for (const [file, text] of await plannedFigures(planned))
      files.push([new URL(`figures/${file}`, RESULTS), text]);
  }
  for (const name of EXPLORED) {
    const explored = await loadPlanned(name, new URL(`${name}/`, RESULTS));
    parts[name] = exploredPart(name, explored);
  }
  const claims = await claimsParts(ROOT, RESULTS, [study, decay], studies);
  Object.assign(parts, claims.parts);
  files.push([new URL('claims.json', RESULTS), `${JSON.stringify(claims.file, null, 2)}\n`]);
  for (const url of PAGES) files.push([url, withParts(readFileSync(url, 'utf8'), parts)]);
  return { parts, files };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { parts, files } = await makeResults();
  mkdirSync(new URL('figures/', RESULTS), { recursive: true });
  for (const [url, text] of files) writeFileSync(url, text);
  const { status } = spawnSync('npx', ['biome', 'format', '--write', 'docs/results'], {
    cwd: fileURLToPath(ROOT),
    stdio: 'inherit',
  });
  for (const name of [
    'epochs',
    'primary',
    'decay-state',
    'statements',
    'decay-hypotheses',
    'decay-arms',
    'claims-counts',
  ])
    process.stdout.write(`${parts[name]}\n\n`);
  process.exitCode = status ?? 1;
}
