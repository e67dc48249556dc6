/**
 * Tests the trackers on the real tools: `npm run test:trackers`, or `npm run test:trackers -- VENV` with a
 * virtual environment that has them. Small runs are stopped, killed, sent to a server that is down and sent
 * again; then every number is read back by each tool's own Python package. All stays on this machine.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = ['mlflow==3.17.2', 'tensorboard==2.21.0', 'trackio==0.43.0', 'wandb==0.31.0'];
const KINDS = ['tensorboard', 'mlflow', 'wandb', 'trackio'];
const root = fileURLToPath(new URL('..', import.meta.url));
const cli = join(root, 'apps/cli/dist/cli.js');
const dir = mkdtempSync(join(tmpdir(), 'grok-test-trackers-'));
const env = {
  ...process.env,
  ...{ MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true', NO_COLOR: '1' },
  // Its workers for jobs are of no use here, and seven more processes.
  MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
};
const count = { passed: 0, failed: 0 };

/** @param {string} title @param {unknown} isRight @param {string} [detail] */
function check(title, isRight, detail = '') {
  count[isRight ? 'passed' : 'failed']++;
  console.log(isRight ? `ok ${title}` : `FAILED ${title} ${detail}`);
}

const venv = process.argv[2] === undefined ? makeVenv() : resolve(process.argv[2]);
const python = join(venv, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');

function makeVenv() {
  const result = spawnSync('python3', ['-m', 'venv', join(dir, 'venv')], { stdio: 'inherit' });
  if (result.error || result.status !== 0) {
    console.log('trackers: skipped, python3 with venv is missing');
    process.exit(0);
  }
  console.log(`installing ${PACKAGES.join(' ')}`);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES];
  const done = spawnSync(join(dir, 'venv/bin/python'), pip, { stdio: 'inherit' });
  if (done.status !== 0) process.exit(1);
  return join(dir, 'venv');
}

/** @returns {Promise<number>} */
const freePort = () =>
  new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => found(port));
    });
  });
const port = await freePort();
const uri = `http://127.0.0.1:${port}`;

async function startMlflow() {
  const server = spawn(
    python,
    [
      ...[
        '-m',
        'mlflow',
        'server',
        '--host',
        '127.0.0.1',
        '--port',
        String(port),
        '--workers',
        '1',
      ],
      ...['--backend-store-uri', `sqlite:///${join(dir, 'mlflow.db')}`],
      ...['--artifacts-destination', join(dir, 'artifacts')],
    ],
    { cwd: dir, env, stdio: 'ignore', detached: true },
  );
  for (let tries = 0; tries < 600; tries++) {
    const answer = await fetch(`${uri}/health`).catch(() => undefined);
    if (answer?.ok) return server;
    await new Promise((wait) => setTimeout(wait, 500));
  }
  throw new Error(`MLflow does not answer at ${uri}`);
}

/** @param {readonly string[]} args */
const grok = (...args) =>
  spawnSync(process.execPath, [cli, ...args], { cwd: dir, env, encoding: 'utf8' });

/** Starts a command and stops it once a run has some rows. @param {string} run @param {NodeJS.Signals} signal @param {readonly string[]} args */
async function stopped(run, signal, args) {
  const child = spawn(process.execPath, [cli, ...args], { cwd: dir, env, stdio: 'ignore' });
  const file = join(dir, run, 'metrics.jsonl');
  const timer = setInterval(() => {
    if (!existsSync(file) || readFileSync(file, 'utf8').split('\n').length <= 5) return;
    clearInterval(timer); // a second Ctrl-C would not wait for the trackers
    child.kill(signal);
  }, 20);
  await new Promise((ended) => child.on('close', ended));
  clearInterval(timer);
  const { status } = JSON.parse(readFileSync(join(dir, run, 'manifest.json'), 'utf8'));
  check(`${run}: was stopped before its end`, status !== 'finished', status);
}

/** @param {string} run */
const json = (run, file = 'manifest.json') =>
  JSON.parse(readFileSync(join(dir, run, file), 'utf8'));

/** Where a run is in each tool. @param {string} run @param {readonly string[]} kinds */
function listPlaces(run, kinds) {
  return kinds.map((kind) => {
    const { id } = json(run, `trackers/${kind}.json`);
    const { study } = json(run, 'config.json').execution;
    const name = `${study?.key ?? json(run).slug}-${id.split('-').at(-1)}`;
    const given = {
      tensorboard: { folder: join(dir, run, 'tensorboard') },
      mlflow: { uri, id },
      wandb: { dir, id },
      trackio: { dir: join(dir, 'trackio'), project: 'grok', name },
    };
    return { run: join(dir, run), kind, given: given[/** @type {keyof given} */ (kind)], study };
  });
}

const TINY = ['--p', '11', '--dim', '16', '--backend', 'wasm', '--epochs', '60'];
const TRACK = [
  'tensorboard',
  `mlflow:uri=${uri}`,
  `wandb:python=${python},dir=${dir}`,
  `trackio:python=${python},dir=${join(dir, 'trackio')}`,
].flatMap((text) => ['--track', text]);
const plugins = KINDS.map((kind) => join(root, 'packages', `track-${kind}`));
writeFileSync(join(dir, 'grok.config.json'), JSON.stringify({ plugins }));

/** @type {import('node:child_process').ChildProcess | undefined} */
let mlflow;
try {
  const late = grok('train', ...TINY, '--out', 'late', '--wide', ...TRACK);
  const said = late.stderr + late.stdout;
  check('a server that is down stops no run', late.status === 0, said);
  check('and the notice says what to do', said.includes('grok track sync late'), said);
  mlflow = await startMlflow();
  const sync = grok('track', 'sync', 'late', '--wide');
  check('what was missed is sent later', sync.status === 0, sync.stderr);

  await stopped('whole', 'SIGINT', ['train', ...TINY, '--out', 'whole', ...TRACK]);
  const before = KINDS.map((kind) => json('whole', `trackers/${kind}.json`).id);
  check('an interrupted run goes on', grok('resume', 'whole', '--quiet').status === 0);
  await stopped('killed', 'SIGKILL', ['train', ...TINY, '--out', 'killed', ...TRACK]);
  check('a killed run goes on', grok('resume', 'killed', '--quiet').status === 0);
  grok('analyze', 'whole', '--quiet');
  check('an analyzed run has analyses to send', existsSync(join(dir, 'whole/analysis')));
  for (const run of ['whole', 'killed']) {
    const again = grok('track', 'sync', run, '--wide');
    check(`${run}: nothing is missing after a sync`, again.status === 0, again.stderr);
  }
  const after = KINDS.map((kind) => json('whole', `trackers/${kind}.json`).id);
  check('a run that goes on keeps its ids', before.join() === after.join(), `${before} ${after}`);

  writeFileSync(join(dir, 'plan.json'), JSON.stringify(plan()));
  const options = ['--out', 'study', '--quiet', '--backend', 'wasm'];
  const study = grok('study', 'run', 'plan.json', ...options, ...TRACK);
  check('a study with all trackers finishes', study.status === 0, study.stderr);
  const synced = grok('track', 'sync', 'study', '--json');
  check('its runs are all there', synced.status === 0, synced.stderr);
  /** @type {string[]} */
  const folders = JSON.parse(synced.stdout || '{"runs":[]}').runs.map(
    (/** @type {{ out: string }} */ { out }) => out,
  );
  check('its runs are the plan’s', folders.length === 4, folders.join());

  const places = ['late', 'whole', 'killed', ...folders].flatMap((run) => listPlaces(run, KINDS));
  writeFileSync(join(dir, 'places.json'), JSON.stringify(places));
  const verify = [join(root, 'scripts/trackers/verify.py'), 'compare', join(dir, 'places.json')];
  const read = spawnSync(python, verify, { cwd: dir, env, encoding: 'utf8' });
  const lines = read.stdout.split('\n').filter((line) => /^(ok|FAILED) /.test(line));
  for (const line of lines) {
    count[line.startsWith('ok') ? 'passed' : 'failed']++;
    console.log(line.replace(`${dir}/`, ''));
  }
  check('every place was read', lines.length >= places.length, read.stderr.slice(-500));
  checkSockets();
  runSuites();
} finally {
  if (mlflow?.pid !== undefined) process.kill(-mlflow.pid, 'SIGTERM');
  rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
}
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exit(count.failed === 0 ? 0 : 1);

/** Two seeds of a teacher and a student. */
function plan() {
  const of = (/** @type {number} */ dim) => ({ use: 'transformer', options: { dim, depth: 1 } });
  return {
    ...{ name: 'small', summary: 'Four runs.', seeds: [1, 2] },
    shared: {
      task: { use: 'add', options: { p: 5 } },
      optimizer: { use: 'adamw' },
      ...{ batch: 8, epochs: 5 },
    },
    teacher: { model: of(8) },
    student: { model: of(4) },
    arms: { logit: { objective: [{ use: 'logit', options: { temperature: 2 } }] } },
  };
}

/** Nothing but loopback is spoken to by what runs on this machine only. */
function checkSockets() {
  if (spawnSync('strace', ['-V']).status !== 0)
    return console.log('sockets: skipped, strace is missing');
  const trace = join(dir, 'trace');
  const local = TRACK.filter((text) => !text.startsWith('mlflow') && text !== '--track');
  const command = [process.execPath, cli, 'train', ...TINY, '--out', 'traced'];
  const flags = local.flatMap((text) => ['--track', text]);
  spawnSync('strace', ['-f', '-e', 'trace=connect', '-o', trace, ...command, ...flags], {
    ...{ cwd: dir, env },
  });
  const calls = existsSync(trace) ? readFileSync(trace, 'utf8').split('\n') : [];
  const away = calls.filter(
    (line) => /AF_INET6?/.test(line) && !/127\.0\.0\.\d+|"::1"|::ffff:127\./.test(line),
  );
  check('trackers on this machine connect to no other', away.length === 0, away.slice(0, 3).join());
  check('which a trace of four programs shows', calls.length > 1, String(calls.length));
}

/** The conformance suite, on the real thing. */
function runSuites() {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const tests = ['tests/trackers-python.test.ts', 'packages/track', 'packages/track-tensorboard'];
  const { stdout } = spawnSync(process.execPath, [vitest, 'run', '--project', 'node', ...tests], {
    ...{ cwd: root, encoding: 'utf8' },
    env: { ...env, GROK_TRACKERS_PYTHON: python, GROK_TRACKERS_MLFLOW: uri },
  });
  const [, passed = '0', failed = '1'] = /(\d+) passed, (\d+) failed/.exec(stdout) ?? [];
  if (failed !== '0') console.log(stdout.slice(-5000));
  console.log(`${basename(vitest)}: ${passed} passed, ${failed} failed`);
  count.passed += Number(passed);
  count.failed += Number(failed);
}
