/**
 * `npm run test:backends` trains one specification, the paper's control, to 99 % of the validation
 * rows on every available backend, alternating epochs. It prints when each crossed, how far its
 * losses are from the first backend's, and its speed, and fails if the epochs to 99 % differ by
 * more than 10.
 */
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findChromium } from '../scripts/chromium.mjs';
import { start } from './protocol.mjs';
import { median, ratio, table } from './race.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '0' },
    only: { type: 'string' },
    epochs: { type: 'string', default: '200' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(`Options (after "npm run test:backends --"):
  DIR          a folder whose node_modules has @tensorflow/tfjs-node-gpu; default GROK_NODE_GPU
  --seed N     seed of split, parameters, masks and order, default 0
  --epochs N   give up after so many, default 200
  --only A,B   backends whose name contains A or B (onnx with 1 thread always trains)`);
  process.exit(0);
}
const [nodeGpu = process.env.GROK_NODE_GPU] = positionals;
const [most, only] = [Number(values.epochs), values.only?.split(',')];
/** Largest allowed difference in epochs to 99 %. */
const BAND = 10;
const THRESHOLDS = [0.5, 0.9, 0.99];

const spec = { dim: 64, dropout: 0.2, seed: values.seed, 'warm-up': 0, unmeasured: 0 };
const command = (script, how) => [
  process.execPath,
  fileURLToPath(new URL(script, import.meta.url)),
  ...Object.entries({ ...spec, ...how }).flatMap(([flag, value]) => [`--${flag}`, String(value)]),
];
const inNode = (backend, threads) => command('ours.mjs', { backend, threads });
const inPage = (backend, threads) => command('ours-web.mjs', { backend, threads });
const all = [
  ['onnx, 1 thread', inNode('onnx', 1)],
  ['onnx, 2 threads', inNode('onnx', 2)],
  ['wasm in Node, 1 thread', inNode('wasm', 1)],
  ['node-gpu, 1 thread', inNode('node-gpu', 1)],
  ['onnx in Chromium, 1 thread', inPage('onnx', 1)],
  ['wasm in Chromium, 1 thread', inPage('wasm', 1)],
];
const absent = (name) => {
  if (name.includes('Chromium') && findChromium() === undefined)
    return 'no Chromium on the PATH; install one or set CHROMIUM_PATH';
  if (!name.startsWith('node-gpu')) return undefined;
  if (nodeGpu && existsSync(join(nodeGpu, 'node_modules/@tensorflow/tfjs-node-gpu')))
    return undefined;
  return 'name a folder whose node_modules has @tensorflow/tfjs-node-gpu: npm run test:backends -- DIR';
};
if (nodeGpu) process.env.GROK_NODE_GPU = nodeGpu;

const say = (text) => process.stderr.write(`${text}\n`);
const contestants = [];
const rows = [];
try {
  for (const [i, [name, words]] of all.entries()) {
    if (i > 0 && only !== undefined && !only.some((part) => name.includes(part))) continue;
    const why = absent(name);
    if (why) console.log(`${name}: skipped, ${why}`);
    else contestants.push(await start(name, words));
  }
  for (const { name, ready } of contestants) say(`${name}: ${ready.version}`);
  const laps = contestants.map(() => []);
  const crossed = (i, threshold) => {
    const at = laps[i].findIndex(({ accuracy }) => accuracy >= threshold);
    return at < 0 ? undefined : at + 1;
  };
  for (let epoch = 1; epoch <= most && laps.some((_, i) => !crossed(i, 0.99)); epoch++) {
    for (const [i, contestant] of contestants.entries()) laps[i].push(await contestant.go());
    if (epoch % 10 === 0)
      say(
        `epoch ${epoch}: ${laps.map((of) => (100 * of.at(-1).accuracy).toFixed(1)).join(' / ')} %`,
      );
  }
  const times = (i, key) =>
    laps[i].slice(2).map((lap) => (key === 'step' ? lap.stepMs : lap.epochMs + lap.evalMs));
  const apart = (i) =>
    Math.max(...laps[i].slice(0, 5).map(({ loss }, at) => Math.abs(loss / laps[0][at].loss - 1)));
  contestants.forEach(({ name }, i) => {
    const epochs = THRESHOLDS.map((threshold) => crossed(i, threshold));
    rows.push({
      name,
      epochs,
      cells: [
        name,
        ...epochs.map((epoch) => String(epoch ?? '–')),
        i === 0 ? '' : apart(i).toExponential(0),
        median(times(i, 'step')).toFixed(1),
        (median(times(i, 'both')) / 1e3).toFixed(2),
        ratio(times(i, 'both'), times(0, 'both')).toFixed(2),
      ],
    });
  });
} catch (error) {
  say(`test:backends: ${error.message}`);
  process.exit(1);
} finally {
  await Promise.all(contestants.map((contestant) => contestant.stop()));
}

console.log(
  `Division modulo 97, width 64, dropout 0.2, seed ${values.seed}; ${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}; an epoch of each in turns; times are medians, with evaluation but for the step's; losses of the first 5 epochs (50 steps) against the first's\n`,
);
console.log(
  table(
    ['', 'to 50 %', '90 %', '99 %', 'losses apart', 'ms a step', 's an epoch', `× ${rows[0].name}`],
    rows.map(({ cells }) => cells),
  ),
);
const to99 = rows.map(({ epochs }) => epochs.at(-1) ?? Number.POSITIVE_INFINITY);
const spread = Math.max(...to99) - Math.min(...to99);
const ok = spread <= BAND;
console.log(
  `\n${ok ? '✓' : '✗'} epochs to 99 % are ${Number.isFinite(spread) ? spread : 'more than the run'} apart; at most ${BAND} are agreement`,
);
process.exit(ok ? 0 : 1);
