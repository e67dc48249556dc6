/**
 * Runs the commands and the notebooks of `examples/python`: in a virtual environment under a temporary folder,
 * or with the Python that GROK_PYTHON names. Ends with `N passed, N failed`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const examples = join(root, 'examples/python');
const dir = mkdtempSync(join(tmpdir(), 'grok-python-'));

try {
  const python = process.env.GROK_PYTHON ?? createEnvironment();
  fillRuns();
  process.exitCode = runNotebooks(python);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

/** @returns {string} the environment's Python */
function createEnvironment() {
  const venv = join(dir, 'venv');
  const python = join(venv, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' });
  const requirements = join(examples, 'requirements.txt');
  execFileSync(python, ['-m', 'pip', 'install', '-q', '-r', requirements], { stdio: 'inherit' });
  return python;
}

/** Runs the README's commands with the built command line. */
function fillRuns() {
  const readme = readFileSync(join(examples, 'README.md'), 'utf8');
  const [, commands = ''] = /```sh\n([\s\S]*?)```/.exec(readme) ?? [];
  const cli = join(root, 'apps/cli/dist/cli.js');
  const script = `set -e\ngrok() { "${process.execPath}" "${cli}" "$@"; }\n${commands}`;
  execFileSync('bash', ['-c', script], { cwd: dir, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** @param {string} python @returns {number} an exit code */
function runNotebooks(python) {
  const runner = join(dir, 'run.py');
  writeFileSync(
    runner,
    'import nbformat, sys\nfrom nbclient import NotebookClient\nNotebookClient(nbformat.read(sys.argv[1], 4), timeout=600).execute()\n',
  );
  const names = readdirSync(examples).filter((name) => name.endsWith('.ipynb'));
  let failed = 0;
  for (const name of names) {
    const { status, stderr } = spawnSync(python, [runner, join(examples, name)], {
      cwd: dir,
      env: { ...process.env, GROK_RUNS: join(dir, 'runs') },
      encoding: 'utf8',
    });
    console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}`);
    if (status === 0) continue;
    failed++;
    console.log(stderr.split('\n').slice(-25).join('\n'));
  }
  console.log(`${names.length - failed} passed, ${failed} failed`);
  return failed === 0 && names.length > 0 ? 0 : 1;
}
