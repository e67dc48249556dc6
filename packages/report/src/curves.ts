/**
 * Validation accuracy over epochs as a Vega-Lite specification, and its SVG.
 */
import type { MetricsRow } from '@grok/core';
import type { TopLevelSpec } from 'vega-lite';
import { assignStyles } from './palette.js';

/** A run's epochs under the name that the legend gives it. */
export interface NamedHistory {
  readonly name: string;
  readonly history: readonly Pick<MetricsRow, 'epoch' | 'validation'>[];
}

/** Accuracy curves of runs, in the order given; the data is inside, so that the file stands alone. */
export function curvesSpec(runs: readonly NamedHistory[], title: string): TopLevelSpec {
  const names = runs.map(({ name }) => name);
  const styles = assignStyles(names);
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
        scale: { domain: names, range: styles.map(({ color }) => color) },
        legend: { symbolSize: 400, symbolStrokeWidth: 2 },
      },
      strokeDash: {
        field: 'run',
        type: 'nominal',
        sort: names,
        title: 'run',
        scale: {
          domain: names,
          range: styles.map(({ dash }) => (dash.length === 0 ? [1, 0] : [...dash])),
        },
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
