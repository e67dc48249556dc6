/**
 * Many runs use one thread each: the throughput gain of two training processes over one, compared
 * with that of two processes that only multiply matrices on the same machine in the same minutes.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { baseline, MODELS, squares } from './contestants.mjs';
import { start } from './protocol.mjs';
import { gains, median, table } from './race.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    model: { type: 'string', default: 'teacher' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(`Options (after "npm run bench:side-by-side --"):
  --rounds N        rounds to take medians of, default 5
  --model NAME      ${Object.keys(MODELS).join(' or ')}, default teacher
  --json            ends with one line that is a JSON object`);
  process.exit(0);
}
const rounds = Number(values.rounds);
const model = MODELS[values.model];
if (!Number.isInteger(rounds) || rounds < 1 || model === undefined) {
  const models = Object.keys(MODELS).join(' or ');
  process.stderr.write(`side-by-side: --rounds must be an integer ≥ 1, --model ${models}\n`);
  process.exit(2);
}

const pairs = {};
try {
  for (const [kind, { command }] of Object.entries({
    training: baseline(model, 1),
    gemm: squares(1),
  }))
    pairs[kind] = [await start(`${kind} A`, command), await start(`${kind} B`, command)];
  const laps = { training: [], gemm: [] };
  for (let round = 1; round <= rounds; round++) {
    process.stderr.write(`round ${round} of ${rounds}\n`);
    for (const [kind, [a, b]] of Object.entries(pairs)) {
      const time = ({ epochMs, evalMs }) => epochMs + evalMs;
      const alone = time(await a.go());
      const together = (await Promise.all([a.go(), b.go()])).map(time);
      laps[kind].push({ alone, together });
    }
  }
  const gain = { training: gains(laps.training), gemm: gains(laps.gemm) };
  const relative = gain.training.map((of, round) => of / gain.gemm[round]);
  const figures = {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    rounds,
    model: values.model,
    training: median(gain.training),
    gemm: median(gain.gemm),
    relative: median(relative),
  };
  const rows = ['training', 'gemm'].map((kind) => [
    kind,
    median(laps[kind].map(({ alone }) => alone)).toFixed(0),
    median(laps[kind].map(({ together }) => Math.max(...together))).toFixed(0),
    figures[kind].toFixed(2),
  ]);
  console.log(table(['one thread each', 'one, ms', 'two at once, ms', 'gain'], rows));
  console.log(
    `Two training runs gain ${figures.relative.toFixed(2)} of what two plain matrix products gain.`,
  );
  if (values.json) console.log(JSON.stringify(figures));
} finally {
  await Promise.all(
    Object.values(pairs)
      .flat()
      .map((contestant) => contestant.stop()),
  );
}
