/**
 * Writes the reference of the command line, specifications, plans and components as Markdown pages,
 * from the built command line's help texts and schemas. Prints `{ pages, helps }`, since it loads
 * every plugin.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseSync } from 'vite';
import { root } from '../release/packages.mjs';
import { describeAll } from './pages.mjs';
import { inWords, listRows, sentence } from './schema-words.mjs';

/** @param {string} path */
const built = (path) => import(pathToFileURL(join(root, path)).href);
const { main } = await built('apps/cli/dist/main.js');
const { planSchema } = await built('packages/study/dist/index.js');

/** The output of the command line. @param {string[]} argv @returns {Promise<string>} */
async function printed(...argv) {
  let text = '';
  const out = { write: (/** @type {string} */ more) => (text += more), columns: 80 };
  const err = { write: () => {}, columns: 80 };
  const signal = new AbortController().signal;
  const code = await main(argv, { out, err, env: {}, cwd: root, signal });
  if (code !== 0) throw new Error(`grok ${argv.join(' ')}: exit code ${code}`);
  return text.trimEnd();
}

/** Help texts by command, including `study run`, with grok's own under ''. @returns {Promise<Record<string, string>>} */
async function readHelps() {
  /** @type {Record<string, string>} */
  const helps = { '': await printed('--help') };
  for (const name of commandsIn(helps[''] ?? '')) {
    const help = await printed(name, '--help');
    helps[name] = help;
    for (const inner of commandsIn(help))
      helps[`${name} ${inner}`] = await printed(name, inner, '--help');
  }
  return helps;
}

/** The commands in a help text: lines with arguments, or below `Commands:`. @param {string} help */
const commandsIn = (help) =>
  [...help.matchAll(/^ {2}([a-z][a-z-]*) (?:\[|<)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help');

/** @param {readonly string[]} cells */
const row = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
/** @param {readonly string[]} heads @param {readonly string[][]} rows */
const table = (heads, rows) =>
  [row(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(row)].join('\n');
/** @param {string[][]} rows key, value, meaning */
const keysTable = (rows) =>
  table(
    ['key', 'value', 'meaning'],
    rows.map(([key, value, means = '']) => [`\`${key}\``, `\`${value}\``, means]),
  );

/** Docstrings of the keys of exported types. @param {...string} names @returns {Map<string, string>} */
function readDocs(...names) {
  const declared = all.flatMap(({ entries }) => entries.flatMap((entry) => entry.declared));
  return new Map(
    names.flatMap((name) => {
      const code = declared.find((item) => item.name === name)?.code;
      if (code === undefined) throw new Error(`reference: no package exports the type ${name}`);
      const { program, comments } = parseSync('type.ts', code);
      const [node] = /** @type {any[]} */ (program.body);
      const members = node.body?.body ?? node.typeAnnotation.members ?? [];
      return members.flatMap((/** @type {any} */ { key, start }) => {
        const doc = comments.find(({ end }) => end <= start && !code.slice(end, start).trim());
        return doc === undefined ? [] : [[key.name, doc.value.replace(/^\*|\n\s*\*/g, ' ')]];
      });
    }),
  );
}

/** @param {Record<string, string>} helps */
const cliPage = (helps) => `# Command line

The \`--help\` of each command. \`grok\` is \`npx grok\` if \`@grok/cli\` is installed, and \`npm -s start --\` in a
checkout. See also [Errors and exit codes](../reference/errors.md).

${Object.entries(helps)
  .map(([name, help]) => `## ${`grok ${name}`.trim()}\n\n\`\`\`text\n${help}\n\`\`\``)
  .join('\n\n')}
`;

/** @param {any} schema */
const experimentPage = ({ properties: { experiment, execution } }) => `# Specification of a run

A specification is JSON. \`experiment\` determines the results and is hashed, except for its length; \`execution\` says
where and how to run and is not hashed. Unknown keys are errors. \`grok plugins --schema > grok.schema.json\` writes the
same as a JSON Schema, with the options of every component, for editors. [Options of an
experiment](../reference/experiments.md) explains keys that need more than a line; [Components](components.md) lists the
names for \`use\`.

## experiment

${keysTable(listRows(experiment, readDocs('Experiment')))}

## execution

${keysTable(listRows(execution, readDocs('Execution')))}
`;

/** The schema with repeated parts of an experiment replaced by their name. @param {any} schema @returns {any} */
function namingParts(schema) {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(namingParts);
  if (schema.properties?.objective !== undefined)
    return { type: schema.properties.teacher === undefined ? 'part' : 'arm' };
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, namingParts(value)]),
  );
}

/** @param {any} schema */
const planPage = (schema) => `# Plan of a study

A plan is JSON for \`grok study run\` and \`grok reproduce --spec\`. Every seed has its own teachers, and each arm is a
student or a control. A *part* has any keys of an [experiment](experiment.md) except \`seed\`, \`teachers\` and
\`parent\`. Parts are merged, \`shared\` first. [Sweep and compare](../guides/sweep-and-compare.md) has a complete
example.

${keysTable(listRows(namingParts(schema), readDocs('Plan'), 0))}

## An arm

An arm is a part that also names its teachers. Without these keys, its teacher is \`teacher\`; \`"teachers": {}\` makes it
a control.

${keysTable(listRows(only(schema.properties.arms.additionalProperties, ['teacher', 'teachers']), new Map(), 0))}

## An override

${keysTable(listRows(namingParts(schema.properties.overrides.additionalProperties), readDocs('Override'), 0))}

## Hypotheses

${keysTable(listRows(schema.properties.hypotheses, readDocs('Hypotheses')))}
`;

/** @param {any} schema @param {string[]} keys */
const only = ({ properties, required = [] }, keys) => ({
  properties: Object.fromEntries(keys.map((key) => [key, properties[key]])),
  required,
});

const KINDS = /** @type {const} */ ([
  ['task', 'Tasks'],
  ['split', 'Splits'],
  ['model', 'Models'],
  ['strategy', 'Strategies'],
  ['transform', 'Transforms'],
  ['optimizer', 'Optimizers'],
  ['probe', 'Probes'],
  ['backend', 'Backends'],
  ['executor', 'Executors'],
  ['store', 'Stores'],
  ['exporter', 'Exporters'],
]);

/** @param {any[]} plugins */
const componentsPage = (plugins) => `# Components

The built-in components by kind, with their options. A specification names a component with \`use\`. Plugins add more;
see [Write a strategy](../guides/writing-a-plugin.md) for how each kind is named.
${KINDS.map(([kind, title]) => {
  const own = plugins
    .filter((item) => item.kind === kind)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return `\n## ${title}\n${own.map(formatComponent).join('')}`;
}).join('')}`;

/** @param {any} component */
function formatComponent({ name, kind, summary, options, package: from }) {
  const link = `[${from}](../../packages/${from.split('/').at(-1)}/README.md)`;
  const rows = Object.entries(options.properties ?? {}).map(([key, schema]) => [
    `\`${key}\``,
    `\`${inWords(schema)}\``,
    schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``,
    sentence(schema.description ?? ''),
  ]);
  const list =
    rows.length === 0 ? 'No options.' : table(['option', 'value', 'default', 'meaning'], rows);
  return `\n### The ${kind} ${name}\n\n${summary} From ${link}.\n\n${list}\n`;
}

const all = describeAll();
const helps = await readHelps();
const { plugins } = JSON.parse((await printed('plugins', '--json')).split('\n').at(-1) ?? '');
const pages = {
  'cli.md': cliPage(helps),
  'components.md': componentsPage(plugins),
  'experiment.md': experimentPage(JSON.parse(await printed('plugins', '--schema'))),
  'plan.md': planPage(planSchema['~standard'].jsonSchema.input({ target: 'draft-2020-12' })),
};
process.stdout.write(JSON.stringify({ pages, helps }));
