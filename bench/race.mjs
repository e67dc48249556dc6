/** Interleaved rounds and their results: on a machine whose speed drifts, only ratios within a round are meaningful. */

/**
 * Minimum length of a turn. The first lap of a turn finds caches full of others' data, and short
 * turns would have only first laps.
 */
const TURN_MS = 2000;

/**
 * Every contestant has one turn a round, in order, alone: as many laps as it takes to fill the turn.
 * @param {readonly import('./protocol.mjs').Contestant[]} contestants
 * @param {number} rounds
 * @param {(round: number) => void} [onRound] called with the number of each round before it starts, from 1
 * @param {number} [turnMs]
 * @returns {Promise<import('./protocol.mjs').Lap[][]>} each turn's mean lap, by contestant, then round
 */
export async function race(contestants, rounds, onRound = () => {}, turnMs = TURN_MS) {
  const means = contestants.map(() => []);
  for (let round = 1; round <= rounds; round++) {
    onRound(round);
    for (const [i, contestant] of contestants.entries()) {
      const laps = [];
      const end = performance.now() + turnMs;
      do laps.push(await contestant.go());
      while (performance.now() < end);
      means[i].push(meanOf(laps));
    }
  }
  return means;
}
/** The mean of laps, value by value. */
function meanOf(laps) {
  const mean = (name) => laps.reduce((sum, lap) => sum + lap[name], 0) / laps.length;
  return Object.fromEntries(Object.keys(laps[0]).map((name) => [name, mean(name)]));
}

/** @param {readonly number[]} values at least one */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Median over rounds of the ratio of `slow` to `fast` in the same round.
 * @param {readonly number[]} slow
 * @param {readonly number[]} fast
 */
export function ratio(slow, fast) {
  return median(slow.map((time, round) => time / fast[round]));
}

/**
 * A table in columns, the first left-aligned, the others right-aligned.
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
export function table(head, rows) {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i].length)));
  const pad = (cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
  const line = (row) => row.map(pad).join('  ').trimEnd();
  return [line(head), widths.map((w) => '-'.repeat(w)).join('  '), ...rows.map(line)].join('\n');
}

/**
 * Throughput of two processes together relative to the first alone, by round.
 * @param {readonly { alone: number, together: readonly number[] }[]} laps times of equal work
 */
export function gains(laps) {
  return laps.map(({ alone, together }) => together.reduce((sum, time) => sum + alone / time, 0));
}
