/**
 * `npm run profile` shows where a training step's time goes, by operator and by source line, from
 * onnxruntime's own clock. A line's time includes everything it calls; the cost of its gradient is
 * listed separately. Writes a flame graph for https://www.speedscope.app.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DISTILLED, MODELS } from './contestants.mjs';
import { nodeTimes, speedscope } from './ort-profile.mjs';
import { median, table } from './race.mjs';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'teacher' },
    strategy: { type: 'string', default: 'none' },
    threads: { type: 'string', default: '2' },
    epochs: { type: 'string', default: '5' },
    out: { type: 'string', default: 'runs/profile' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(`Options of the profile (after "npm run profile --"):
  --model NAME      ${Object.keys(MODELS).join(' or ')}, default teacher; with a strategy the distilled student
  --strategy NAME   none (default), logit, attention or feature
  --threads N       default 2
  --epochs N        epochs to take means of, default 5
  --out DIR         where the flame graph goes, default runs/profile`);
  process.exit(0);
}

// Before any traced code is loaded.
process.setSourceMapsEnabled(true);
const { engine } = await import('@grok/tfjs');
const { annotate } = await import('./annotate.mjs');
const { openTraining, STRATEGIES } = await import('./training.mjs');
const model = values.strategy === 'none' ? MODELS[values.model] : DISTILLED;
const [threads, epochs] = [values.threads, values.epochs].map(Number);
for (const [wrong, what] of [
  [!model, `--model: one of ${Object.keys(MODELS).join(', ')}`],
  [!STRATEGIES.includes(values.strategy), `--strategy: one of ${STRATEGIES.join(', ')}`],
  [!(Number.isInteger(threads) && threads > 0), '--threads: must be an integer ≥ 1'],
  [!(Number.isInteger(epochs) && epochs > 0), '--epochs: must be an integer ≥ 1'],
])
  if (wrong) {
    process.stderr.write(`profile: ${what}\n`);
    process.exit(2);
  }

const originOf = annotate(engine());
const WARM = 2;
const folder = await mkdtemp(join(tmpdir(), 'grok-profile-'));
const how = { backend: 'onnx', threads, ...model, strategy: values.strategy };
const training = await openTraining({ ...how, options: { profile: join(folder, 'ort') } });
const laps = [];
for (let i = 0; i < WARM + epochs; i++) laps.push(await training.epoch());
const { programs, device } = training;
await training.close();

/** Node times of a program with their origins, in milliseconds per run. */
async function profileOf(program) {
  const files = await readdir(folder);
  const file = files.find((name) => name.startsWith(`ort-${program}_`));
  const events = JSON.parse(await readFile(join(folder, file), 'utf8'));
  const { runs, runMicros, nodes } = nodeTimes(events, WARM * programs[program].runs);
  return {
    runMs: runMicros / runs / 1e3,
    nodes: nodes.map(({ name, op, micros }) => ({
      op,
      ms: micros / runs / 1e3,
      origin: originOf(name),
      source: /:(\w*)#/.exec(name)?.[1] ?? '',
    })),
  };
}
const sum = (nodes) => nodes.reduce((total, { ms }) => total + ms, 0);
const number = (ms) => (ms === 0 ? '' : ms.toFixed(2));
const percent = (ms, all) => `${((100 * ms) / all).toFixed(1)} %`;

const [name] = Object.keys(programs).filter((program) => program === 'train-512');
const step = await profileOf(name);
const all = sum(step.nodes);
const stepMs = median(laps.slice(WARM).map((lap) => lap.stepMs));

console.log(
  `${values.strategy === 'none' ? values.model : values.strategy}, width ${model.dim}, dropout ${model.dropout}; ${device}; milliseconds of one step, means of ${epochs} epochs; profiling itself slows it down a little\n`,
);
console.log(
  table(
    ['', 'ms', 'share'],
    [
      ['step', stepMs],
      ['  in nodes', all],
      ['  between nodes', step.runMs - all],
      ['  outside the graph: masks, batches, reading the loss', stepMs - step.runMs],
    ].map(([what, ms]) => [what, ms.toFixed(2), percent(ms, stepMs)]),
  ),
);

const by = (nodes, key) => {
  const groups = new Map();
  for (const node of nodes) groups.set(key(node), [...(groups.get(key(node)) ?? []), node]);
  return [...groups].sort(([, a], [, b]) => sum(b) - sum(a));
};
console.log(
  `\n${table(
    ['operator', 'nodes', 'ms', 'share'],
    by(step.nodes, ({ op }) => op).map(([op, nodes]) => [
      op,
      String(nodes.length),
      number(sum(nodes)),
      percent(sum(nodes), all),
    ]),
  )}`,
);
console.log(
  `\n${table(
    ['phase', 'nodes', 'ms', 'share'],
    by(step.nodes, ({ origin }) => origin?.phase ?? "onnxruntime's own").map(([phase, nodes]) => [
      phase,
      String(nodes.length),
      number(sum(nodes)),
      percent(sum(nodes), all),
    ]),
  )}`,
);

const root = new URL('..', import.meta.url);
const texts = new Map();
async function textOf(file, line) {
  if (!texts.has(file))
    texts.set(file, (await readFile(new URL(file, root), 'utf8').catch(() => '')).split('\n'));
  return (texts.get(file)[line - 1] ?? '').trim();
}
const lines = new Map();
for (const { ms, origin } of step.nodes)
  for (const key of new Set(origin?.frames.map(({ file, line }) => `${file}:${line}`))) {
    const entry = lines.get(key) ?? { forward: 0, backward: 0, optimizer: 0 };
    entry[origin.phase] += ms;
    lines.set(key, entry);
  }
/** Lines below this share of the step are omitted. */
const LEAST = 0.005;
const rows = [...lines]
  .map(([key, { forward, backward, optimizer }]) => {
    const [, file, line] = /^(.*):(\d+)$/.exec(key);
    return { file, line: Number(line), ahead: forward + optimizer, back: backward };
  })
  .filter(({ ahead, back }) => ahead + back >= LEAST * all)
  .sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
const shown = [];
for (const [file, of] of by(
  rows.map((row) => ({ ...row, ms: row.ahead + row.back })),
  (row) => row.file,
)) {
  shown.push([file, '', '', '', '']);
  for (const { line, ahead, back } of of)
    shown.push([
      `  ${String(line).padStart(4)}  ${(await textOf(file, line)).slice(0, 76)}`,
      number(ahead),
      number(back),
      number(ahead + back),
      percent(ahead + back, all),
    ]);
}
console.log(
  `\n${table(['line, with all that it calls', 'forward', 'gradient', 'ms', 'share'], shown)}`,
);

/** The stack of a node, for the flame graph. */
function stackOf({ op, origin, source }) {
  const top = { name: source === '' || source === op ? op : `${source} → ${op}` };
  if (origin === undefined) return [{ name: "onnxruntime's own" }, top];
  const frames = origin.frames.map(({ fn, file, line }) => ({
    name: fn || `line ${line}`,
    file,
    line,
  }));
  return [{ name: origin.phase }, ...frames, top];
}
const profiles = [];
for (const program of Object.keys(programs).filter((key) => programs[key].runs > 0)) {
  const { nodes } = program === name ? step : await profileOf(program);
  const stacks = nodes.map((node) => ({ stack: stackOf(node), micros: node.ms * 1e3 }));
  // Adjacent equal stacks become one block.
  const way = ({ stack }) => JSON.stringify(stack);
  stacks.sort((a, b) => (way(a) < way(b) ? -1 : 1));
  profiles.push({ name: program, stacks });
}
await rm(folder, { recursive: true });
await mkdir(values.out, { recursive: true });
const file = join(
  values.out,
  `${values.strategy === 'none' ? values.model : values.strategy}.speedscope.json`,
);
await writeFile(file, JSON.stringify(speedscope(profiles)));
console.log(`\nFlame graph: ${file} (open it in https://www.speedscope.app)`);
process.exit(0);
