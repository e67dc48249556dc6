/**
 * One look for tables, figures and pages: a run has the same color, dash and place in every legend.
 * The colors are those of Okabe and Ito (2008), safe for the color-blind; dashes tell lines apart in gray.
 */

/** Runs with a fixed place: the teacher, the control without one, and the paper's three strategies. */
const NAMES = ['teacher', 'none', 'logit', 'attention', 'feature'];

/** On white, and on a dark page. */
const COLORS: readonly (readonly [light: string, dark: string])[] = [
  ['#000000', '#e9e6df'],
  ['#7f7f7f', '#a3a3a3'],
  ['#e69f00', '#e69f00'],
  ['#0072b2', '#4aa3df'],
  ['#009e73', '#2cc295'],
  ['#d55e00', '#d55e00'],
  ['#cc79a7', '#cc79a7'],
  ['#56b4e9', '#56b4e9'],
];
const DASHES: readonly (readonly number[])[] = [
  [],
  [6, 3],
  [2, 2],
  [8, 2, 2, 2],
  [12, 4],
  [4, 6],
  [8, 2, 2, 2, 2, 2],
  [1, 3],
];

/**
 * Line style of a run: `color` as `#rrggbb`, `dash` as lengths of strokes and gaps (empty for a solid line).
 */
export interface RunStyle {
  readonly color: string;
  readonly dash: readonly number[];
}

/**
 * Line styles for labels, in the given order. Known names have fixed styles; other labels get the remaining
 * ones.
 */
export function assignStyles(labels: readonly string[], dark = false): readonly RunStyle[] {
  let free = labels.some((label) => NAMES.includes(label)) ? NAMES.length : 0;
  return labels.map((label) => {
    const known = NAMES.indexOf(label);
    const place = known >= 0 ? known : free++;
    const [light, onDark] = COLORS[place % COLORS.length] ?? ['#000000', '#ffffff'];
    return { color: dark ? onDark : light, dash: DASHES[place % DASHES.length] ?? [] };
  });
}

/** Name of a run in a sentence. */
export function describeRun(name: string): string {
  if (name === 'teacher') return 'the teacher';
  return name === 'none' ? 'the student without a teacher' : `the ${name} student`;
}
