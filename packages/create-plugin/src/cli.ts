#!/usr/bin/env node
/** `npm create @grok/plugin KIND NAME`: writes the package and says what comes next. */
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { createPlugin, isPluginKind, PluginNameError, pluginKinds, writePlugin } from './index.js';

const USAGE = `Usage: npm create @grok/plugin <kind> <name> [-- --dir <folder>]

  kind   ${pluginKinds.join(', ')}
  name   such as rkd, or @me/rkd
`;

function run(): void {
  const { values, positionals } = parseArgs({
    options: { dir: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  });
  if (values.help === true) return void process.stdout.write(USAGE);
  const [kind = '', name, ...rest] = positionals;
  if (name === undefined || rest.length > 0)
    throw new PluginNameError(`needs a kind and a name, got ${JSON.stringify(positionals)}`);
  if (!isPluginKind(kind))
    throw new PluginNameError(`unknown kind "${kind}"; known: ${pluginKinds.join(', ')}`);
  const created = createPlugin(kind, name, { cwd: process.cwd(), dir: values.dir });
  const at = relative(process.cwd(), created.folder) || '.';
  writePlugin(created, at);
  process.stdout.write(
    `${created.packageName} in ${at}: ${Object.keys(created.files).join(', ')}\n  cd ${at}\n  npm install\n  npm run build\n  npm test\n`,
  );
}

try {
  run();
} catch (error) {
  const isInput =
    error instanceof PluginNameError || (error instanceof TypeError && 'code' in error);
  if (!isInput) throw error;
  process.stderr.write(`create-plugin: ${error.message}\n${USAGE}`);
  process.exitCode = 2;
}
