/** Vega-Lite specifications as drawings. */
import type { TopLevelSpec } from 'vega-lite';

/** Renders a Vega-Lite specification to SVG text, without a DOM. */
export async function renderSvg(spec: TopLevelSpec): Promise<string> {
  // Loaded when asked for: they are large, and most commands draw nothing.
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
