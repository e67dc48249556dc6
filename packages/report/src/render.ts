/** Vega-Lite specifications as drawings. */
import { printable } from '@grok/core/internal';
import type { TopLevelSpec } from 'vega-lite';

/** A Vega-Lite specification as plain data; errors appear when it is drawn. */
export type FigureSpec = { readonly $schema: string; readonly [key: string]: unknown };

/** Renders a Vega-Lite specification to SVG text, without a DOM. */
export async function renderSvg(spec: FigureSpec): Promise<string> {
  // Loaded when asked for: they are large, and most commands draw nothing.
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  // As it stands in the file beside the drawing; Vega-Lite's own types are narrower than its grammar.
  const written: TopLevelSpec = JSON.parse(JSON.stringify(spec));
  const view = new vega.View(vega.parse(compile(written).spec), { renderer: 'none' });
  try {
    return `${printable(await view.toSVG())}\n`; // XML has no control characters
  } finally {
    view.finalize();
  }
}
