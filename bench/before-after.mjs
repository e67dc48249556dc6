/**
 * `npm run bench:before-after -- --base DIR`: this checkout and another (built) one train the same
 * models alternately. Prints the speedup of this one for each row: the median of the ratios
 * within a round, and its 95 % interval (bootstrap over rounds).
 */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { baseline, DISTILLED, MODELS, others } from './contestants.mjs';
import { start } from './protocol.mjs';
import { median, race, table } from './race.mjs';

const here = fileURLToPath(new URL('..', import.meta.url));
const say = (text) => process.stderr.write(`${text}\n`);

/** The benchmark rows of this project's own code. */
const ROWS = [
  ...Object.entries(MODELS).flatMap(([model, how]) =>
    [baseline(how, 2), ...others(how, { threads: 2 })]
      .filter(({ name }) => !name.startsWith('stock'))
      .map(({ name, command }) => ({ name: `${model}, ${name}`, command })),
  ),
  ...['none', 'logit', 'attention', 'feature'].map((strategy) => ({
    name: `strategies, ${strategy}`,
    command: baseline(DISTILLED, 2, strategy).command,
  })),
];

/** The same command in another checkout. */
const inside = (base, command) =>
  command.map((part) => (part.startsWith(here) ? join(base, relative(here, part)) : part));

/** The 2.5th and 97.5th percentiles of the medians of resampled ratios; seeded, so that it is reproducible. */
function interval(ratios, resamples = 2000) {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const medians = Array.from({ length: resamples }, () =>
    median(ratios.map(() => ratios[Math.floor(random() * ratios.length)])),
  ).sort((a, b) => a - b);
  return [medians[Math.floor(0.025 * resamples)], medians[Math.ceil(0.975 * resamples) - 1]];
}

const total = (lap) => lap.epochMs + lap.evalMs;

async function compare({ name, command }, base, rounds, turnMs) {
  const contestants = [];
  try {
    contestants.push(await start(`before: ${name}`, inside(base, command)));
    contestants.push(await start(`after: ${name}`, command));
    const [before, after] = await race(contestants, rounds, () => {}, turnMs);
    const ratios = before.map((lap, round) => total(lap) / total(after[round]));
    return {
      name,
      before: median(before.map(total)),
      after: median(after.map(total)),
      faster: median(ratios),
      interval: interval(ratios),
    };
  } finally {
    await Promise.all(contestants.map((contestant) => contestant.stop()));
  }
}

const { values } = parseArgs({
  options: {
    base: { type: 'string' },
    rounds: { type: 'string', default: '20' },
    turn: { type: 'string', default: '1000' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
if (values.base === undefined || !existsSync(join(values.base, 'bench/ours.mjs'))) {
  say('before-after: --base: name another built checkout of this repository');
  process.exit(2);
}
const wanted = values.only?.split(',');
const results = [];
for (const row of ROWS) {
  if (wanted !== undefined && !wanted.some((part) => row.name.includes(part))) continue;
  say(row.name);
  results.push(await compare(row, values.base, Number(values.rounds), Number(values.turn)));
}
const figures = ({ name, before, after, faster, interval: [low, high] }) => [
  name,
  before.toFixed(1),
  after.toFixed(1),
  faster.toFixed(3),
  `${low.toFixed(3)} – ${high.toFixed(3)}`,
];
console.log(table(['', 'before, ms', 'after, ms', 'times as fast', '95 %'], results.map(figures)));
if (values.json) console.log(JSON.stringify({ rounds: Number(values.rounds), results }));
