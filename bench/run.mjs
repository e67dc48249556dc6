/**
 * `npm run bench`: grok, stock tfjs, PyTorch and JAX train the same models alternately (A, B, C, A,
 * B, C, …), each in its own process. The machine's speed drifts, so only ratios within a round are
 * compared; all figures are medians over rounds.
 */
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { baseline, DISTILLED, floor, MODELS, others } from './contestants.mjs';
import { start } from './protocol.mjs';
import { median, race, ratio, table } from './race.mjs';

const PUBLISHED = 'https://github.com/atsentia/jax-tunix-grokking';
const USAGE = `Options of the benchmark (after "npm run bench --"):
  --rounds N        rounds to take medians of, default 5
  --threads N       threads of all who can have them, default 2
  --torch PYTHON    a Python with torch: PyTorch eager and under torch.compile run too
  --jax PYTHON      a Python with jax, flax and optax: JAX under nnx.jit runs too
  --reference DIR   a checkout of ${PUBLISHED}:
                    the published code itself under nnx.jit, in the Python of --jax
  --only A,B        contestants whose name contains A or B (the onnx backend always runs)
  --groups A,B      of: ${[...Object.keys(MODELS), 'strategies'].join(', ')}; default all
  --json            ends with one line that is a JSON object`;

function options() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      threads: { type: 'string', default: '2' },
      torch: { type: 'string' },
      jax: { type: 'string' },
      reference: { type: 'string' },
      only: { type: 'string' },
      groups: { type: 'string', default: [...Object.keys(MODELS), 'strategies'].join(',') },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const count = (name) => {
    const n = Number(values[name]);
    if (!Number.isInteger(n) || n < 1)
      throw new Error(`--${name}: must be an integer ≥ 1, got "${values[name]}"`);
    return n;
  };
  if (values.reference !== undefined && values.jax === undefined)
    throw new Error('--reference: needs a Python to run it; name one with --jax PYTHON');
  if (values.reference !== undefined && !existsSync(join(values.reference, 'src/train_nnx.py')))
    throw new Error(
      `--reference: no src/train_nnx.py in "${values.reference}"; name a checkout of ${PUBLISHED}`,
    );
  const groups = values.groups.split(',');
  const known = [...Object.keys(MODELS), 'strategies'];
  for (const group of groups)
    if (!known.includes(group))
      throw new Error(`--groups: unknown group "${group}"; known: ${known.join(', ')}`);
  return {
    ...values,
    rounds: count('rounds'),
    threads: count('threads'),
    only: values.only?.split(','),
    groups,
  };
}

const say = (text) => process.stderr.write(`${text}\n`);
const total = (lap) => lap.epochMs + lap.evalMs;

/** Starts contestants one after another, so that none warms up while another does. */
async function startAll(entries, started) {
  for (const { name, command } of entries) {
    say(`  starting ${name}`);
    started.push(await start(name, command));
  }
}

/** The rounds of a group; `measure` starts its contestants, the baseline first. */
async function group(name, rounds, measure) {
  say(`${name}:`);
  const contestants = [];
  try {
    await measure(contestants);
    checkModels(contestants);
    const laps = await race(contestants, rounds, (round) => say(`  round ${round} of ${rounds}`));
    const times = (i, of) => laps[i].map(of);
    return {
      name,
      contestants: contestants.map(({ name: contestant, ready }, i) => {
        const { programs, ...about } = ready;
        return {
          name: contestant,
          ...about,
          ...(programs ? { programs: summaries(programs) } : {}),
          stepMs: median(times(i, (lap) => lap.stepMs)),
          epochMs: median(times(i, (lap) => lap.epochMs)),
          evalMs: median(times(i, (lap) => lap.evalMs)),
          totalMs: median(times(i, total)),
          timesBaseline: ratio(times(i, total), times(0, total)),
          stepTimesBaseline: ratio(
            times(i, (lap) => lap.stepMs),
            times(0, (lap) => lap.stepMs),
          ),
          rounds: laps[i],
        };
      }),
    };
  } finally {
    await Promise.all(contestants.map((contestant) => contestant.stop()));
  }
}

/** All contestants that report a number of parameters must report the same. */
function checkModels(contestants) {
  const counts = contestants.filter(({ ready }) => ready.parameters !== undefined);
  for (const { name, ready } of counts)
    if (ready.parameters !== counts[0].ready.parameters)
      throw new Error(
        `${name} trains ${ready.parameters} parameters, ${counts[0].name} ${counts[0].ready.parameters}: not the same model`,
      );
}

const summaries = (programs) =>
  Object.fromEntries(
    Object.entries(programs).map(([name, { nodes, flops, bytes, runs }]) => [
      name,
      { nodes, flops, bytes, runs },
    ]),
  );

function show({ name, contestants }) {
  const ms = (value) => (value < 100 ? value.toFixed(1) : value.toFixed(0));
  const rows = contestants.map((c) => [
    c.name,
    String(c.threads),
    ...[c.stepMs, c.epochMs, c.evalMs, c.totalMs].map(ms),
    c.timesBaseline.toFixed(2),
  ]);
  const head = [
    '',
    'threads',
    'ms a step',
    'epoch',
    'evaluation',
    'both',
    `× ${contestants[0].name}`,
  ];
  console.log(`\n${name}\n${table(head, rows)}`);
  const gemms = contestants.find((c) => c.name.startsWith('its gemms'));
  if (gemms)
    console.log(
      `A step takes ${(1 / gemms.stepTimesBaseline).toFixed(2)} times its own matrix products.`,
    );
  const [{ compileMs }] = contestants;
  if (compileMs) console.log(`Compiled in ${compileMs.toFixed(0)} ms.`);
}

async function main() {
  const settings = options();
  if (settings.help) return console.log(USAGE);
  const { rounds, threads, only, groups } = settings;
  const wanted = ({ name }) => only === undefined || only.some((part) => name.includes(part));
  const machine = {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    node: process.version,
  };
  console.log(
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; milliseconds, medians of ${rounds} interleaved rounds`,
  );
  const results = [];
  for (const [name, model] of Object.entries(MODELS)) {
    if (!groups.includes(name)) continue;
    const title = `${name}: width ${model.dim}, dropout ${model.dropout}`;
    const result = await group(title, rounds, async (started) => {
      await startAll([baseline(model, threads)], started);
      const below = floor(started[0].ready.programs, threads);
      await startAll([below, ...others(model, settings)].filter(wanted), started);
    });
    show(result);
    results.push(result);
  }
  if (groups.includes('strategies')) {
    const title = `strategies: width ${DISTILLED.dim}, dropout ${DISTILLED.dropout}, teacher of width ${MODELS.teacher.dim}`;
    const result = await group(title, rounds, async (started) => {
      const strategies = ['logit', 'attention', 'feature'];
      await startAll(
        [baseline(DISTILLED, threads), ...strategies.map((s) => baseline(DISTILLED, threads, s))],
        started,
      );
    });
    show(result);
    results.push(result);
  }
  if (settings.json) console.log(JSON.stringify({ machine, rounds, threads, groups: results }));
}

try {
  await main();
} catch (error) {
  say(`bench: ${error.message}`);
  process.exitCode =
    error.code?.startsWith?.('ERR_PARSE_ARGS') || /^--/.test(error.message) ? 2 : 1;
}
