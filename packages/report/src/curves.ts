/**
 * Validation accuracy over epochs as a Vega-Lite specification, and its SVG. Colours are those of
 * Okabe and Ito (safe for the colour-blind); dashes tell the lines apart in grey.
 */
import type { MetricsRow } from '@grok/core';
import type { TopLevelSpec } from 'vega-lite';

/** A run's epochs under the name that the legend gives it. */
export interface NamedHistory {
  readonly name: string;
  readonly history: readonly Pick<MetricsRow, 'epoch' | 'validation'>[];
}

const COLOURS = [
  '#000000',
  '#E69F00',
  '#0072B2',
  '#009E73',
  '#D55E00',
  '#CC79A7',
  '#56B4E9',
  '#F0E442',
];
const DASHES = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 2, 2, 2],
  [12, 4],
  [4, 6],
  [8, 2, 2, 2, 2, 2],
  [1, 3],
];

/** Accuracy curves of runs, in the order given; the data is inside, so that the file stands alone. */
export function curvesSpec(runs: readonly NamedHistory[], title: string): TopLevelSpec {
  const names = runs.map(({ name }) => name);
  const pick = <T>(of: readonly T[]): T[] => names.map((_, i) => of[i % of.length]!);
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title,
    width: 560,
    height: 320,
    background: 'white',
    data: {
      values: runs.flatMap(({ name, history }) =>
        history.map(({ epoch, validation }) => ({
          run: name,
          epoch,
          accuracy: +(100 * validation.accuracy).toFixed(4),
        })),
      ),
    },
    mark: { type: 'line', strokeWidth: 2 },
    config: { font: 'sans-serif' },
    encoding: {
      x: {
        field: 'epoch',
        type: 'quantitative',
        title: 'epoch',
        axis: { tickMinStep: 1 },
        scale: { nice: false },
      },
      y: {
        field: 'accuracy',
        type: 'quantitative',
        title: 'validation accuracy (%)',
        scale: { domain: [0, 100] },
      },
      color: {
        field: 'run',
        type: 'nominal',
        sort: names,
        title: 'run',
        scale: { domain: names, range: pick(COLOURS) },
        legend: { symbolSize: 400, symbolStrokeWidth: 2 },
      },
      strokeDash: {
        field: 'run',
        type: 'nominal',
        sort: names,
        title: 'run',
        scale: { domain: names, range: pick(DASHES) },
      },
    },
  };
}

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
