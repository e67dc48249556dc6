/** The commands to kill: a run, studies in one process and in several, and commands that write into a study. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { plan } from './kinds.mjs';
import { cli, runScript, trainer } from './processes.mjs';

/**
 * @typedef {import('./processes.mjs').Ended} Ended
 * @typedef {{ root?: string, how?: string, log?: string }} Torture
 * @typedef {object} Target
 * @property {string} name
 * @property {number} share of all kills
 * @property {(folder: string) => void} begin makes what is there before
 * @property {(folder: string, torture?: Torture) => Promise<Ended>} run carries it out, or goes on with it
 * @property {(folder: string) => string} result all that must be the same however often it was killed
 */

const BACKEND = ['--backend', 'wasm'];

/** @param {string} home where a study is made that commands write into @returns {Promise<readonly Target[]>} */
export async function killTargets(home) {
  mkdirSync(home, { recursive: true });
  const planFile = join(home, 'plan.json');
  writeFileSync(planFile, JSON.stringify(plan));
  const finished = join(home, 'finished');
  const study = (/** @type {string} */ executor) => (/** @type {string} */ folder) => [
    ...['study', 'run', planFile, ...BACKEND, '--executor', executor, '--checkpoint-every', '1'],
    ...['--retry-failed', '--quiet', '--out', folder],
  ];
  const run = await runScript(cli, study('inline')(finished));
  if (run.code !== 0) throw new Error(`the study failed: ${run.err}`);
  return [
    runTarget,
    studyTarget('study, inline', 0.14, study('inline')),
    studyTarget('study, processes', 0.14, study('processes')),
    commandTarget('analyze', 0.05, finished, [
      ...['study', '--at', 'last', '--probe', 'score'],
      ...BACKEND,
    ]),
    commandTarget('report', 0.03, finished, ['study', ...BACKEND]),
    commandTarget('study record', 0.04, finished, ['study', 'study/kept']),
  ];
}

/** @type {Target} */
export const runTarget = {
  ...{ name: 'run', share: 0.6, begin: () => {} },
  run: (folder, torture) => runScript(trainer, [folder], torture),
  result: resultOfRun,
};

/** @param {string} name @param {number} share @param {(folder: string) => readonly string[]} args @returns {Target} */
const studyTarget = (name, share, args) => ({
  ...{ name, share, begin: () => {} },
  run: (folder, torture) => runScript(cli, args(folder), torture),
  result: (folder) =>
    JSON.stringify(
      readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
        .map((entry) => [entry.name, resultOfRun(join(folder, entry.name))])
        .sort(),
    ),
});

/**
 * A command on a copy of a study, always under the same name, since reports include it. @param
 * {string} name @param {number} share @param {string} finished @param {readonly string[]} args
 * @returns {Target}
 */
const commandTarget = (name, share, finished, args) => ({
  ...{ name, share },
  begin: (folder) => cpSync(finished, join(folder, 'study'), { recursive: true }),
  run: (folder, torture) =>
    runScript(cli, [...name.split(' '), ...args], { ...torture, cwd: folder }),
  result: (folder) =>
    JSON.stringify(
      filesIn(folder).map((path) => [path, readFileSync(join(folder, path)).toString('base64')]),
    ),
});

/** Parameters, and all rows without times. @param {string} folder */
function resultOfRun(folder) {
  const { paramsSha256, epoch, step, status } = JSON.parse(
    readFileSync(join(folder, 'manifest.json'), 'utf8'),
  );
  const rows = readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => ({ ...JSON.parse(line), time: 0 }));
  return JSON.stringify({ paramsSha256, epoch, step, status, rows });
}

/** All files below a folder, without those of a run that contain times. @param {string} folder */
const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath ?? dirname(entry.path), entry.name).slice(folder.length + 1),
    )
    .sort();
