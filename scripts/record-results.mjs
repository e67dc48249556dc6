/**
 * Adds finished runs to docs/results: analyzes new runs in each study folder, writes their
 * records, updates the pages, figures and verdicts, and commits them.
 *
 *   npm run results:record -- runs/study-decay runs/study-controls
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cli = join(root, 'apps/cli/dist/cli.js');
const MOMENTS = ['--at', 'crossing+200', '--at', 'last'];

/** @param {string} command @param {readonly string[]} args */
function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const folders = process.argv.slice(2).map((folder) => resolve(folder));
const missing = folders.find((folder) => !existsSync(join(folder, 'plan.json')));
if (folders.length === 0 || missing !== undefined) {
  const why = missing === undefined ? 'no folder was given' : `${missing} has no plan.json`;
  process.stderr.write(`record-results: ${why}; give folders of studies\n`);
  process.exit(2);
}
for (const folder of folders) {
  const { name } = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'));
  run(process.execPath, [
    cli,
    'analyze',
    folder,
    '--as-published',
    '--missing',
    '--quiet',
    ...MOMENTS,
  ]);
  run(process.execPath, [cli, 'study', 'record', folder, join('docs/results', name)]);
}
run(process.execPath, [join(root, 'scripts/results.mjs')]);
const paths = ['docs/results', 'README.md'];
run('git', ['add', ...paths]);
if (spawnSync('git', ['diff', '--cached', '--quiet', '--', ...paths], { cwd: root }).status !== 0) {
  const message = 'docs(results): records of runs that ended, and the page they make';
  run('git', ['commit', '-q', '-m', message, '--', ...paths]);
}
