/** One colour a run, everywhere: Okabe and Ito's, safe for the colour-blind; black gives way to the ink of the theme. */
const COLOURS = ['var(--ink)', '#e69f00', '#0072b2', '#009e73', '#d55e00', '#cc79a7', '#56b4e9'];
const DARK: Readonly<Record<string, string>> = { '#0072b2': '#4aa3df', '#009e73': '#2cc295' };

/** The colour of the run at an index, for style sheets. */
export function colourOf(index: number, dark: boolean): string {
  const colour = COLOURS[index % COLOURS.length]!;
  return (dark ? DARK[colour] : undefined) ?? colour;
}
/** The same for a canvas, which knows no variables. */
export function canvasColour(index: number, dark: boolean): string {
  return colourOf(index, dark).replace('var(--ink)', dark ? '#e9e6df' : '#1d1c1a');
}
/** A place on a wheel of colours, 0–1: neighbours look alike, and it comes round. */
export function wheel(turn: number, dark: boolean): string {
  return `oklch(${dark ? 0.78 : 0.6} 0.13 ${(turn * 360).toFixed(1)})`;
}
