/**
 * Converts runs from the format "grok run 1" to the ids of "grok run 2", which do not include the
 * number of epochs. It changes ids in every file that has them, renames folders that end in one,
 * and keeps parameters: each checkpoint's parameter hash is compared before and after.
 *
 *   node scripts/rekey.mjs FOLDER                    a run folder, a study folder, or a folder of
 * many
 *   node scripts/rekey.mjs RESULTS.json --plan PLAN  the `runs` of a study, with the plan's
 * experiments
 *   node scripts/rekey.mjs RESULTS.json              a `run` with its `experiment`
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { experimentHash, paramsSha256 } from '@grok/core';
import { canonicalJson, decodeCheckpoint, encodeCheckpoint } from '@grok/core/internal';
import { checkPlan, expandPlan } from '@grok/study';

/** An experiment with its teachers, if it has any. */
const withTeachers = (experiment, teachers) =>
  Object.keys(teachers).length === 0 ? experiment : { ...experiment, teachers };
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** The id of "grok run 1": the hash of the whole experiment. @returns {string} */
export function hashWithEpochs(experiment) {
  return createHash('sha256').update(canonicalJson(experiment)).digest('hex');
}

/** Re-keys every run under a folder. @returns {Map<string, string>} new ids by old ones */
export function rekeyFolder(root) {
  const files = listFiles(root);
  const experiments = new Map();
  for (const file of files.filter((path) => basename(path) === 'config.json')) {
    const { format, run, experiment } = readJson(file);
    if (format !== 'grok run 1') continue;
    experiments.set(...checked(run, experiment));
  }
  const ids = mapIds(experiments);
  for (const file of files) {
    if (file.endsWith('.safetensors')) rekeyCheckpoint(file, ids);
    else if (/\.jsonl?$/.test(file)) rekeyText(file, ids);
  }
  renameFolders(root, ids);
  return ids;
}

/** Re-keys a file of results. @returns {Map<string, string>} new ids by old ones */
export function rekeyResults(file, plan) {
  const results = readJson(file);
  const ids =
    plan === undefined
      ? mapIds(new Map([checked(results.run.run, results.experiment)]))
      : mapIds(experimentsOfPlan(results.runs, checkPlan(readJson(plan), plan)));
  for (const [old] of ids)
    if (!readFileSync(file, 'utf8').includes(old)) throw new Error(`${file}: has no run ${old}`);
  rekeyText(file, ids);
  return ids;
}

/** Experiments by old id; a student also names its teacher by the old id. */
function experimentsOfPlan(runs, plan) {
  const found = new Map(runs.map((run) => [run.key, run]));
  const experiments = new Map();
  for (const planned of expandPlan(plan)) {
    const teachers = Object.entries(planned.needs).map(([as, { key }]) => {
      const { run, result } = found.get(key);
      return [as, { run, paramsSha256: result.paramsSha256 }];
    });
    const experiment = withTeachers(planned.experiment, Object.fromEntries(teachers));
    const { run } = found.get(planned.key);
    experiments.set(...checked(run, experiment));
  }
  return experiments;
}

function checked(run, experiment) {
  if (hashWithEpochs(experiment) !== run)
    throw new Error(`run ${run}: is not the one of its experiment`);
  return [run, experiment];
}

/** New ids; a student's includes its teachers' new ids. */
function mapIds(experiments) {
  const ids = new Map();
  const idOf = (old) => {
    if (ids.has(old)) return ids.get(old);
    const { teachers, ...own } = experiments.get(old) ?? missing(old);
    const renamed = Object.entries(teachers ?? {}).map(([as, ref]) => [
      as,
      { ...ref, run: idOf(ref.run) },
    ]);
    ids.set(old, experimentHash(withTeachers(own, Object.fromEntries(renamed))));
    return ids.get(old);
  };
  for (const old of experiments.keys()) idOf(old);
  return ids;
}

function missing(run) {
  throw new Error(`teacher ${run}: is not under the folder; re-key the folder that holds both`);
}

function rekeyText(file, ids) {
  const text = readFileSync(file, 'utf8');
  let changed = text.replace('"format": "grok run 1"', '"format": "grok run 2"');
  for (const [old, id] of ids)
    changed = changed.replaceAll(old, id).replaceAll(`-${old.slice(0, 10)}`, `-${id.slice(0, 10)}`);
  if (changed !== text) writeFileSync(file, changed);
}

function rekeyCheckpoint(file, ids) {
  const checkpoint = decodeCheckpoint(readFileSync(file), file);
  const run = ids.get(checkpoint.run);
  if (run === undefined) return;
  const bytes = encodeCheckpoint({ ...checkpoint, run });
  if (paramsSha256(decodeCheckpoint(bytes, file).params) !== paramsSha256(checkpoint.params))
    throw new Error(`${file}: its parameters would change`);
  writeFileSync(file, bytes);
}

function renameFolders(root, ids) {
  for (const name of readdirSync(root)) {
    const path = join(root, name);
    if (!statSync(path).isDirectory()) continue;
    renameFolders(path, ids);
    for (const [old, id] of ids)
      if (name.endsWith(`-${old.slice(0, 10)}`))
        renameSync(path, join(dirname(path), `${name.slice(0, -10)}${id.slice(0, 10)}`));
  }
}

function listFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { plan: { type: 'string' } },
  });
  for (const name of positionals) {
    const path = resolve(name);
    const ids = statSync(path).isDirectory() ? rekeyFolder(path) : rekeyResults(path, values.plan);
    for (const [old, id] of ids) console.log(`${name}: ${old.slice(0, 10)} → ${id.slice(0, 10)}`);
    if (ids.size === 0) console.log(`${name}: nothing to re-key`);
  }
}
