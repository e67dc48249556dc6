/** Vega-Lite specifications as drawings. */
import { printable } from '@grok/core/internal';
import type { TopLevelSpec } from 'vega-lite';

/** A Vega-Lite specification as plain data; what does not fit the grammar fails when it is drawn. */
export type FigureSpec = { readonly $schema: string; readonly [key: string]: unknown };

/** Renders a Vega-Lite specification to SVG text, without a DOM. */
export async function renderSvg(spec: FigureSpec): Promise<string> {
  // Loaded when asked for: they are large, and most commands draw nothing.
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new vega.View(vega.parse(compile(spec as unknown as TopLevelSpec).spec), {
    renderer: 'none',
  });
  try {
    return `${printable(await view.toSVG())}\n`; // XML has no control characters
  } finally {
    view.finalize();
  }
}
