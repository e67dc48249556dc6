/** One colour a run, everywhere, as in the command line's figures: Okabe and Ito's, safe for the colour-blind; black gives way to the ink of the theme. */
const COLOURS = ['var(--ink)', '#e69f00', '#0072b2', '#009e73', '#d55e00', '#cc79a7', '#56b4e9'];
const DARK: Readonly<Record<string, string>> = { '#0072b2': '#4aa3df', '#009e73': '#2cc295' };

const NAMES = ['teacher', 'none', 'logit', 'attention', 'feature'];

/** A run's place in every legend: what is known has its own, whatever else is trained. */
export function placeOf(name: string, index: number): number {
  const known = NAMES.indexOf(name);
  return known >= 0 ? known : NAMES.length + index;
}

/** The colour of a place, for style sheets. */
export function colourOf(place: number, dark: boolean): string {
  const colour = COLOURS[place % COLOURS.length]!;
  return (dark ? DARK[colour] : undefined) ?? colour;
}
/** The same for a canvas, which knows no variables. */
export function canvasColour(place: number, dark: boolean): string {
  return colourOf(place, dark).replace('var(--ink)', dark ? '#e9e6df' : '#1d1c1a');
}
/** A place on a wheel of colours, 0–1: neighbours look alike, and it comes round. */
export function wheel(turn: number, dark: boolean): string {
  return `oklch(${dark ? 0.78 : 0.6} 0.13 ${(turn * 360).toFixed(1)})`;
}

/** What a run is called in a sentence. */
export function called(name: string): string {
  if (name === 'teacher') return 'the teacher';
  return name === 'none' ? 'the student without a teacher' : `the ${name} student`;
}
