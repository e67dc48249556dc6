/**
 * Checks that training gives the same bits: runs small specifications with the built command line
 * and prints one line for each, `name backend threads paramsSha256`, sorted.
 *
 *   node scripts/bits.mjs [WORD…]    a name, a backend or both, such as `students wasm` or `onnx-2`
 *     --check    compares with scripts/bits.txt; exit 1 names the lines that differ
 *     --write    updates scripts/bits.txt
 *     --json     prints one JSON object instead of lines
 *
 * The lines of wasm hold on every processor, since a WebAssembly instruction has one result. Those
 * of onnx hold for the processor named in the list: onnxruntime chooses its kernels by the
 * processor's instructions (AVX2, AVX-512), and these add in a different order. Update the list on
 * yours before a change, then check.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { experiments, machines, plans } from './bits/specs.mjs';

const LIST = fileURLToPath(new URL('bits.txt', import.meta.url));
const CLI = fileURLToPath(new URL('../apps/cli/dist/cli.js', import.meta.url));
const NAMES = [...Object.keys(experiments), ...Object.keys(plans)];

/** Runs the command line with `--json` and returns the object in its last line. @throws Error with its output. */
function grok(args, cwd) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [CLI, ...args, '--json', '--quiet'],
    { cwd, encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1) ?? `exit code ${status}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

function readHash(folder) {
  const { status, paramsSha256 } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  if (status !== 'finished') throw new Error(`${folder}: is ${status}, not finished`);
  return paramsSha256;
}

/** Runs one name on one machine; returns `[name, hash]` for each of its runs. */
function runJob({ name, backend, threads }, folder) {
  const file = join(folder, `${name}.json`);
  const out = join(folder, `${name}-${backend}-${threads}`);
  const how = ['--backend', backend, '--threads', `${threads}`, '--out', out];
  const plan = plans[name];
  writeFileSync(file, JSON.stringify(plan ?? { experiment: experiments[name] }));
  if (plan === undefined) {
    grok(['train', '--spec', file, ...how], folder);
    return [[name, readHash(out)]];
  }
  const { runs } = grok(['study', 'run', file, '--jobs', '1', ...how], folder);
  return runs.map((run) => [`${name}/${run.key}`, readHash(join(out, run.folder))]);
}

function selectJobs(words) {
  const jobs = machines.flatMap(({ backend, threads, names = NAMES }) =>
    names.map((name) => ({ name, backend, threads })),
  );
  const labels = ({ name, backend, threads }) => [name, backend, `${backend}-${threads}`];
  const known = [...new Set(jobs.flatMap(labels))].sort();
  for (const word of words)
    if (!known.includes(word))
      throw new Error(`unknown word "${word}"; known: ${known.join(', ')}`);
  return jobs.filter((job) => words.every((word) => labels(job).includes(word)));
}

/** Runs the jobs in a temporary folder; returns hashes by line, and the texts of failures. */
function runAll(jobs) {
  const folder = mkdtempSync(join(tmpdir(), 'grok-bits-'));
  const lines = new Map();
  try {
    for (const job of jobs) {
      const line = (name) => `${name} ${job.backend} ${job.threads}`;
      try {
        const at = join(folder, `${job.backend}-${job.threads}`);
        mkdirSync(at, { recursive: true });
        for (const [name, hash] of runJob(job, at)) lines.set(line(name), hash);
      } catch (error) {
        lines.set(line(job.name), 'failed');
        process.stderr.write(`bits: ${line(job.name)}: ${error.message}\n`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return new Map([...lines].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The processor, with the instruction sets by which onnxruntime chooses its kernels. */
function describeProcessor() {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  let flags = [];
  try {
    const [, text = ''] = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
    flags = text.split(' ').filter((flag) => /^(avx2|avx512f|avx512_vnni|amx_tile)$/.test(flag));
  } catch {
    // not Linux: use the model name only
  }
  return [model, ...flags].join(', ');
}

function readList() {
  const [head, ...rows] = readFileSync(LIST, 'utf8').trim().split('\n');
  const entries = rows.map((row) => [row.slice(0, row.lastIndexOf(' ')), row.split(' ').at(-1)]);
  return { processor: head.replace(/^# onnx lines: /, ''), lines: new Map(entries) };
}

/** Describes each difference between the list and the lines of these jobs. */
function compare(lines, jobs) {
  const mine = (line) => {
    const [name, backend, threads] = line.split(' ');
    return jobs.some(
      (job) =>
        job.name === name.split('/')[0] && job.backend === backend && `${job.threads}` === threads,
    );
  };
  const { processor, lines: listed } = readList();
  const all = new Set([...[...listed.keys()].filter(mine), ...lines.keys()]);
  const differing = [...all].sort().filter((line) => listed.get(line) !== lines.get(line));
  const texts = differing.map(
    (line) => `${line}: ${lines.get(line) ?? 'absent'}, was ${listed.get(line) ?? 'absent'}`,
  );
  if (differing.some((line) => line.includes(' onnx ')) && processor !== describeProcessor())
    texts.push(`(the onnx lines were made on ${processor}; this is ${describeProcessor()})`);
  return texts;
}

/** Checks the flags and words. @throws Error that says what to change. */
function readArguments() {
  const flag = { type: 'boolean', default: false };
  const { values: flags, positionals: words } = parseArgs({
    allowPositionals: true,
    options: { check: flag, write: flag, json: flag },
  });
  if (flags.write && (flags.check || words.length > 0))
    throw new Error('--write renews the whole list; leave out --check and words');
  if (!existsSync(CLI)) throw new Error(`${CLI} is missing; build it with: npm run build`);
  return { flags, jobs: selectJobs(words) };
}

function main({ flags, jobs }) {
  const lines = runAll(jobs);
  const failed = [...lines.values()].includes('failed');
  const differing = flags.check ? compare(lines, jobs) : [];
  const rows = [...lines].map(([line, hash]) => `${line} ${hash}`);
  const summary = flags.check
    ? [
        ...differing,
        `${lines.size} lines, ${differing.length === 0 ? 'all equal' : 'not all equal'}`,
      ]
    : rows;
  const processor = describeProcessor();
  const object = { processor, lines: Object.fromEntries(lines) };
  if (flags.json) console.log(JSON.stringify(flags.check ? { ...object, differing } : object));
  else console.log(summary.join('\n'));
  if (flags.write && !failed)
    writeFileSync(LIST, `# onnx lines: ${processor}\n${rows.join('\n')}\n`);
  return failed || differing.length > 0 ? 1 : 0;
}

try {
  process.exitCode = main(readArguments());
} catch (error) {
  process.stderr.write(`bits: ${error.message}\n`);
  process.exitCode = 2;
}
