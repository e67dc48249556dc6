/**
 * `npm run results:picture`: draws docs/screens/accuracy.svg from docs/results/study.json. Each
 * line is a seed: the epochs at which its validation accuracy reached 50, 90, 95, 99 and 99.9 %,
 * and its end.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { assignStyles } from '@grok/report';
import { kaplanMeier, medianTime } from '@grok/study';
import { root } from './release/packages.mjs';
import { durations } from './results/exploratory.mjs';

export const PICTURE = 'docs/screens/accuracy.svg';
const ARMS = ['teacher', 'none', 'logit', 'attention', 'feature'];
const TITLES = [
  'teacher',
  'student, no teacher',
  'from logits',
  'from attention',
  'from hidden states',
];
/** Pixels: size of a panel, the gap between panels, and the margins. */
const SIZE = { width: 172, height: 190, gap: 16, left: 46, top: 40, bottom: 44, right: 12 };
/** Percent; lines start at the first threshold. */
const LOWEST = 40;

/**
 * @typedef {{ name: string, seed: number, override: string | null,
 *   result: { epochs: number, epochsTo: Record<string, number | null>, finalValAccuracy: number } | null }} Run
 * @typedef {{ runs: readonly Run[] }} Study
 */

/** The whole picture as SVG. @param {Study} study */
export function drawPicture(study) {
  const budget = Math.max(...study.runs.map(({ result }) => result?.epochs ?? 0));
  const width = SIZE.left + ARMS.length * (SIZE.width + SIZE.gap) - SIZE.gap + SIZE.right;
  const height = SIZE.top + SIZE.height + SIZE.bottom;
  const styles = assignStyles(ARMS);
  const panels = ARMS.map((arm, i) => {
    const left = SIZE.left + i * (SIZE.width + SIZE.gap);
    const runs = study.runs.filter(({ name, override }) => name === arm && override === null);
    return drawPanel({
      runs,
      left,
      budget,
      title: TITLES[i] ?? arm,
      color: styles[i]?.color ?? '#000',
      first: i === 0,
    });
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="#1a1a1a">`,
    '<title>Validation accuracy by epoch, ten seeds each: teacher, student without a teacher, and students distilled from logits, attention patterns and hidden states</title>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...panels,
    `<text x="${width / 2}" y="${height - 8}" text-anchor="middle">epoch (each line is one seed; the dashed line is the median epoch to 99 %)</text>`,
    '</svg>\n',
  ].join('\n');
}

/** @param {{ runs: readonly Run[], left: number, budget: number, title: string, color: string, first: boolean }} panel */
function drawPanel({ runs, left, budget, title, color, first }) {
  /** @param {number} epoch */
  const x = (epoch) => round(left + (SIZE.width * epoch) / budget);
  /** @param {number} accuracy */
  const y = (accuracy) =>
    round(SIZE.top + (SIZE.height * (100 - Math.max(100 * accuracy, LOWEST))) / (100 - LOWEST));
  const bottom = SIZE.top + SIZE.height;
  const lines = runs.map(({ result }) => {
    const points = listPoints(result).map(([epoch, accuracy]) => `${x(epoch)},${y(accuracy)}`);
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${color}" stroke-width="1.4" stroke-opacity=".65"/>`;
  });
  const median = medianEpoch(runs);
  const mark =
    median === undefined
      ? `<text x="${left + 6}" y="${SIZE.top + 16}" font-size="11">99 %: later than ${budget}</text>`
      : `<line x1="${x(median)}" x2="${x(median)}" y1="${SIZE.top}" y2="${bottom}" stroke="#1a1a1a" stroke-dasharray="3 3"/><text x="${x(median) - 5}" y="${bottom - 8}" text-anchor="end" font-size="11">99 %: ${median}</text>`;
  const ticks = [0, 50, 100, 150].filter((epoch) => epoch <= budget);
  return [
    `<text x="${left + SIZE.width / 2}" y="${SIZE.top - 14}" text-anchor="middle" font-weight="600">${title}</text>`,
    ...[0.5, 0.9, 0.99].map(
      (accuracy) =>
        `<line x1="${left}" x2="${left + SIZE.width}" y1="${y(accuracy)}" y2="${y(accuracy)}" stroke="#ddd"/>${first ? `<text x="${left - 6}" y="${y(accuracy) + 4}" text-anchor="end">${100 * accuracy} %</text>` : ''}`,
    ),
    ...lines,
    mark,
    `<rect x="${left}" y="${SIZE.top}" width="${SIZE.width}" height="${SIZE.height}" fill="none" stroke="#888"/>`,
    ...ticks.map(
      (epoch) =>
        `<text x="${x(epoch)}" y="${bottom + 16}" text-anchor="middle" font-size="11">${epoch}</text>`,
    ),
  ].join('\n');
}

/** The known epochs and accuracies of a run, in order. @param {Run['result']} result @returns {(readonly [number, number])[]} */
function listPoints(result) {
  if (result === null) return [];
  const crossings = Object.entries(result.epochsTo).flatMap(([accuracy, epoch]) =>
    epoch === null ? [] : [/** @type {const} */ ([epoch, Number(accuracy)])],
  );
  return [...crossings.sort(([a], [b]) => a - b), [result.epochs, result.finalValAccuracy]];
}

/** Kaplan–Meier median of the epochs to 99 %; undefined if fewer than half of the runs reach it. @param {readonly Run[]} runs */
function medianEpoch(runs) {
  const results = runs.flatMap(({ result }) => result ?? []);
  return medianTime(kaplanMeier(durations(results, '0.99'))) ?? undefined;
}

/** @param {number} value */
const round = (value) => Math.round(10 * value) / 10;

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const study = JSON.parse(readFileSync(join(root, 'docs/results/study.json'), 'utf8'));
  writeFileSync(join(root, PICTURE), drawPicture(study));
}
