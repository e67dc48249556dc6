/**
 * `npm run measure` measures how easy the code is to read and change: lines, public names,
 * casts, duplicate names, long functions, and the files that one training step runs through.
 * `--json` prints the same as JSON.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { countAll } from './measure/counts.mjs';
import { findDoubles, publicNames, readModules } from './measure/exports.mjs';
import { findExcessive, LIMITS } from './measure/functions.mjs';
import { readPackages, readTests } from './measure/sources.mjs';
import { findTouchpoints } from './measure/touchpoints.mjs';
import { root } from './release/packages.mjs';

/** @typedef {ReturnType<typeof measure>} Measures */

const BACKENDS = ['wasm', 'onnx'];
const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const measures = measure();
console.log(values.json ? JSON.stringify(measures, null, 2) : formatMeasures(measures));

function measure() {
  const packages = readPackages();
  const modules = readModules(packages);
  const all = packages.flatMap((each) => each.sources);
  const tests = readTests();
  return {
    packages: packages.map(({ name, folder, entries, sources }) => ({
      name,
      folder,
      ...countAll(sources),
      publicNames: Object.fromEntries(
        Object.entries(entries).map(([entry, path]) => [entry, publicNames(modules, path).size]),
      ),
    })),
    source: countAll(all),
    tests: countAll(tests),
    doubles: findDoubles(modules),
    excessive: findExcessive(packages.map(({ folder }) => `${folder}/src`)),
    warmStep: Object.fromEntries(BACKENDS.map((name) => [name, coverWarmStep(name)])),
    touchpoints: findTouchpoints(all, tests),
  };
}

/** Source files with a function that runs in one warm training step. @param {string} backend @returns {string[]} */
function coverWarmStep(backend) {
  const script = fileURLToPath(new URL('./measure/warm-step.mjs', import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@grok/source', script, backend],
    { cwd: root, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`warm step on ${backend} failed (${status}):\n${stderr}`);
  return JSON.parse(stdout);
}

/** @param {Measures} measures */
function formatMeasures({ packages, source, tests, ...lists }) {
  return [
    formatPackages(packages, source),
    formatChecks(source, tests),
    formatList(
      'names exported from two files with two meanings',
      lists.doubles.map(({ name, files }) => `${name}: ${files.join(', ')}`),
    ),
    formatList(
      `functions over ${LIMITS.lines} lines or cognitive complexity ${LIMITS.complexity}`,
      lists.excessive.map(({ path, line, rule, found }) => `${path}:${line} ${rule} ${found}`),
    ),
    ...BACKENDS.map((name) =>
      formatList(
        `source files executed in one warm step, backend ${name}`,
        lists.warmStep[name] ?? [],
      ),
    ),
    ...lists.touchpoints.map(({ kind, probe, files, tests: known }) =>
      formatList(
        `source files that know ${kind} (mentions of ${probe}; ${known.length} tests beside)`,
        files,
      ),
    ),
  ].join('\n\n');
}

/** @param {Measures['packages']} packages @param {Measures['source']} source */
function formatPackages(packages, source) {
  const rows = packages.map(({ name, publicNames, ...counts }) => [
    name,
    ...formatNumbers(counts),
    Object.entries(publicNames)
      .map(([entry, count]) => (entry === '.' ? `${count}` : `${entry} ${count}`))
      .join(', '),
  ]);
  return formatTable([
    ['package', 'files', 'code', 'comments', 'forced', 'casts', '!', 'public names'],
    ...rows,
    ['total', ...formatNumbers(source), ''],
  ]);
}

/** @param {Measures['source']} counts */
function formatNumbers({ files, code, comments, forced, casts, nonNull }) {
  return [files, code, comments, forced, casts, nonNull].map(String);
}

/** @param {Measures['source']} source @param {Measures['tests']} tests */
function formatChecks(source, tests) {
  /** @type {[string, keyof Measures['source']][]} */
  const rows = [
    ['lines of code', 'code'],
    ['lines of comments', 'comments'],
    ['as unknown as, as never', 'forced'],
    ['other casts', 'casts'],
    ['non-null !', 'nonNull'],
    ['any', 'any'],
    ['@ts-', 'tsComments'],
    ['biome-ignore', 'biomeIgnores'],
  ];
  return formatTable([
    ['', 'source', 'tests'],
    ...rows.map(([label, key]) => [label, String(source[key]), String(tests[key])]),
  ]);
}

/** @param {string} title @param {readonly string[]} items */
function formatList(title, items) {
  return [`${title}: ${items.length}`, ...items.map((item) => `  ${item}`)].join('\n');
}

/** Columns padded to their widest cell. @param {readonly string[][]} rows */
function formatTable(rows) {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
