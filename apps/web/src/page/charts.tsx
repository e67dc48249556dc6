/** Accuracy and loss of all runs over the same epochs, live. */

import { assignStyles } from '@grok/report';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { RunView } from '../protocol.js';

type Measure = 'accuracy' | 'loss';

/** One chart: validation in full, training behind it. */
export function Chart({
  runs,
  measure,
  dark,
}: {
  runs: readonly RunView[];
  measure: Measure;
  dark: boolean;
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data = useRef<uPlot.AlignedData>([[]]);
  const names = runs.map(({ name }) => name).join();
  const epochs = Math.max(1, ...runs.map((run) => run.epochs));
  data.current = aligned(runs, measure, epochs);

  useEffect(() => {
    const at = place.current!;
    const drawn = new uPlot(
      chartOptions(runs, measure, dark, epochs, at.clientWidth),
      data.current,
      at,
    );
    plot.current = drawn;
    const size = new ResizeObserver(() =>
      drawn.setSize({ width: at.clientWidth, height: heightFor(at.clientWidth) }),
    );
    size.observe(at);
    return () => {
      size.disconnect();
      drawn.destroy();
    };
  }, [names, dark, epochs]);
  // A task of its own, so that two charts and the rest of the page do not add up to a long one.
  useEffect(() => {
    const drawing = setTimeout(() => plot.current?.setData(data.current));
    return () => clearTimeout(drawing);
  });
  const said =
    measure === 'accuracy' ? 'Accuracy in percent' : 'Loss in nats, on a logarithmic axis';
  return (
    <figure class="chart" data-chart={measure}>
      <figcaption>
        {measure === 'accuracy' ? 'Accuracy' : 'Loss'}{' '}
        <small>{measure === 'accuracy' ? '%' : 'nats'}</small>
      </figcaption>
      <div
        ref={place}
        role="img"
        aria-label={`${said}, by epoch; the table below has the numbers`}
      />
    </figure>
  );
}

const heightFor = (width: number): number => Math.round(Math.min(300, Math.max(190, width * 0.45)));

function aligned(runs: readonly RunView[], measure: Measure, epochs: number): uPlot.AlignedData {
  const x = Array.from({ length: epochs }, (_, i) => i + 1);
  const of = (run: RunView, which: 'train' | 'validation'): (number | null)[] => {
    const values: (number | null)[] = x.map(() => null);
    for (const row of run.history) {
      const value = row[which][measure];
      // A logarithm has no zero.
      values[row.epoch - 1] = measure === 'accuracy' ? 100 * value : Math.max(value, 1e-6);
    }
    return values;
  };
  return [x, ...runs.flatMap((run) => [of(run, 'train'), of(run, 'validation')])];
}

function chartOptions(
  runs: readonly RunView[],
  measure: Measure,
  dark: boolean,
  epochs: number,
  width: number,
): uPlot.Options {
  const names = runs.map(({ name }) => name);
  const muted = dark ? '#98958c' : '#6d6a62';
  const faint = dark ? '#2b2a27' : '#e9e6df';
  const font = '12px system-ui, sans-serif';
  const axis = { stroke: muted, font, grid: { stroke: faint, width: 1 }, ticks: { show: false } };
  return {
    width,
    height: heightFor(width),
    padding: [8, 14, 0, 0],
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: [0, epochs] },
      y: measure === 'accuracy' ? { range: [0, 101] } : { distr: 3, log: 10, range: decades },
    },
    axes: [
      { ...axis, size: 28, grid: { show: false } },
      {
        ...axis,
        size: 44,
        ...(measure === 'accuracy'
          ? {}
          : {
              values: (_, at) => at.map(power),
              grid: {
                ...axis.grid,
                filter: (_, at) => at.map((v) => (power(v) === '' ? null : v)),
              },
            }),
      },
    ],
    series: [
      {},
      ...assignStyles(names, dark).flatMap(({ color: stroke, dash }, i): uPlot.Series[] => {
        const name = names[i] ?? '';
        const points = { show: false };
        return [
          { label: `${name}, training`, stroke, width: 1, alpha: 0.32, points, spanGaps: true },
          {
            label: name,
            stroke,
            width: 2,
            dash: [...dash],
            points,
            spanGaps: true,
          },
        ];
      }),
    ],
  };
}

/** Whole decades around what there is; two of them where there is nothing yet. */
function decades(_: uPlot, low: number | null, high: number | null): [number, number] {
  const whole = (round: (x: number) => number, value: number | null, otherwise: number): number =>
    value === null ? otherwise : 10 ** round(Math.log10(value));
  return [Math.min(0.1, whole(Math.floor, low, 0.1)), Math.max(10, whole(Math.ceil, high, 10))];
}

/** Powers of ten only: 0.01 as 10⁻². */
function power(value: number | null): string {
  const exponent = Math.log10(value ?? 0);
  if (!Number.isInteger(Math.round(exponent * 1e6) / 1e6)) return '';
  const digits = String(Math.round(exponent))
    .replace('-', '⁻')
    .replace(/\d/g, (d) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(d)]!);
  return exponent === 0 ? '1' : exponent === 1 ? '10' : `10${digits}`;
}
