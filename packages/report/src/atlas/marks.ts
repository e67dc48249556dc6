/** The drawings that figures of the atlas are made of: heat maps, lines with bands, bars with intervals, points. */
import { LEVELS, type TableRow } from '@grok/analysis';
import { fillEncoding, lineEncoding } from '../report/style.js';
import { type Drawing, listValues } from './figure.js';

/** A column as an axis or a color has it. */
export interface ChartField {
  readonly field: string;
  readonly title: string;
}
interface Choices {
  readonly params: readonly object[];
  readonly transform: readonly object[];
}

/** A list to choose from for each column; one that has a single value needs none. */
export function choose(rows: readonly TableRow[], columns: readonly ChartField[]): Choices {
  const open = columns
    .map(({ field, title }) => ({ field, title, options: listValues(rows, field) }))
    .filter(({ options }) => options.length > 1);
  return {
    params: open.map(({ field, title, options }) => ({
      ...{ name: `chosen_${field}`, value: options[0] },
      bind: { input: 'select', options, name: `${title} ` },
    })),
    transform: open.map(({ field }) => ({ filter: `datum['${field}'] === chosen_${field}` })),
  };
}

/** A slider through the values of a numeric column, which begins at the last. */
export function slide(rows: readonly TableRow[], { field, title }: ChartField): Choices {
  const values = listValues(rows, field).toSorted((a, b) => Number(a) - Number(b));
  if (values.length < 2) return { params: [], transform: [] };
  const last = values.length - 1;
  return {
    params: [
      {
        ...{ name: `slid_${field}`, value: last },
        bind: { input: 'range', min: 0, max: last, step: 1, name: `${title} ` },
      },
      { name: `shown_${field}`, expr: `${JSON.stringify(values)}[slid_${field}]` },
    ],
    transform: [{ filter: `datum['${field}'] === shown_${field}` }],
  };
}

/** Two sets of choices as one. */
export function both(a: Choices, b: Choices): Choices {
  return { params: [...a.params, ...b.params], transform: [...a.transform, ...b.transform] };
}

const describe = (columns: readonly ChartField[]): readonly object[] =>
  columns.map(({ field, title }) => ({ field, title }));

/** What a heat map shows. */
export interface HeatMap {
  readonly rows: readonly TableRow[];
  readonly x: ChartField;
  readonly y: ChartField;
  readonly value: ChartField;
  readonly choices: Choices;
  /** Columns that the reader is reported of beside the value. */
  readonly reported?: readonly ChartField[];
  /** Default: from the least to the largest value. */
  readonly domain?: readonly [number, number];
  /** Colors that part at 0. */
  readonly diverging?: true;
}

/** A cell for each pair of categories, in the order of the rows. */
export function heatMap(map: HeatMap): Drawing {
  const { rows, x, y, value, choices, reported = [], domain, diverging } = map;
  const axis = (column: ChartField): object => ({ ...column, type: 'ordinal', sort: null });
  return {
    ...choices,
    width: 'container',
    height: 28 * listValues(rows, y.field).length,
    mark: { type: 'rect', stroke: '#808080', strokeWidth: 0.5 },
    encoding: {
      x: { ...axis(x), axis: { labelAngle: -35 } },
      y: axis(y),
      color: {
        ...{ ...value, type: 'quantitative' },
        scale: {
          scheme: diverging === true ? 'blueorange' : 'viridis',
          ...(domain === undefined ? {} : { domain, clamp: true }),
          ...(diverging === true && domain === undefined ? { domainMid: 0 } : {}),
        },
      },
      tooltip: describe([x, y, value, ...reported]),
    },
  };
}

/** A square picture from a packed column, whose side is a column too. */
export function picture({
  packed,
  side,
  x,
  y,
  value,
  choices,
}: {
  readonly packed: string;
  readonly side: string;
  readonly x: string;
  readonly y: string;
  readonly value: string;
  readonly choices: Choices;
}): Drawing {
  const number = (title: string, field: string): object => ({
    ...{ field, title, type: 'ordinal' },
    axis: { labelOverlap: true, ticks: false, labelAngle: 0 },
  });
  return {
    params: choices.params,
    transform: [
      ...choices.transform,
      ...unpackValues(packed),
      { calculate: `(datum.at - 1) % datum['${side}']`, as: 'column' },
      { calculate: `floor((datum.at - 1) / datum['${side}'])`, as: 'line' },
    ],
    width: 330,
    height: 330,
    mark: { type: 'rect', aria: false },
    encoding: {
      x: number(x, 'column'),
      y: number(y, 'line'),
      color: {
        ...{ field: 'unpacked', title: value, type: 'quantitative' },
        scale: { scheme: 'viridis', zero: false },
      },
      tooltip: describe([
        { field: 'line', title: y },
        { field: 'column', title: x },
        { field: 'unpacked', title: value },
      ]),
    },
  };
}

/** Turns a packed column into a row for each value: its number from 1 in `at`, itself in `unpacked`. */
export function unpackValues(packed: string): readonly object[] {
  const level = `indexof('${LEVELS}', datum.character)`;
  const [low, high] = [`datum['${packed}Low']`, `datum['${packed}High']`];
  return [
    { calculate: `split(datum['${packed}'], '')`, as: 'character' },
    { flatten: ['character'] },
    { window: [{ op: 'row_number', as: 'at' }] },
    { filter: `${level} >= 0` },
    { calculate: `${low} + (${high} - ${low}) * ${level} / ${LEVELS.length - 1}`, as: 'unpacked' },
  ];
}

/** What lines show: a mean for each run at each x, `low` and `high` its interval. */
export interface Lines {
  readonly x: ChartField;
  readonly y: ChartField;
  readonly choices?: Choices;
  readonly labels: readonly string[];
  readonly xScale?: object;
  readonly yScale?: object;
  readonly xType?: 'ordinal';
}

/** A line for each run, a band for its interval, and points to hover over. */
export function lines({ x, y, choices, labels, xScale, yScale, xType }: Lines): Drawing {
  const { color, strokeDash } = lineEncoding(labels);
  const axis =
    xType === undefined
      ? { type: 'quantitative', scale: { nice: false, ...xScale } }
      : { type: xType, sort: null, axis: { labelAngle: -35 } };
  const vertical = { title: y.title, type: 'quantitative', scale: yScale ?? { zero: false } };
  return {
    ...choices,
    width: 'container',
    height: 260,
    encoding: { x: { ...x, ...axis }, color },
    layer: [
      {
        mark: { type: 'area', opacity: 0.15, aria: false },
        encoding: { y: { ...vertical, field: 'low' }, y2: { field: 'high' } },
      },
      {
        mark: { type: 'line', strokeWidth: 2, aria: false },
        encoding: { y: { ...vertical, field: y.field }, strokeDash },
      },
      {
        mark: { type: 'point', filled: true, size: 22 },
        encoding: {
          y: { ...vertical, field: y.field },
          tooltip: describe([
            { field: 'run', title: 'run' },
            x,
            y,
            { field: 'low', title: 'from' },
            { field: 'high', title: 'to' },
            { field: 'seeds', title: 'seeds' },
            { field: 'chance', title: 'chance' },
          ]),
        },
      },
    ],
  };
}

/** What bars show: a mean for each run in each category, `low` and `high` its interval, perhaps `chance`. */
export interface Bars {
  readonly x: ChartField;
  readonly y: ChartField;
  readonly choices?: Choices;
  readonly labels: readonly string[];
  readonly domain?: readonly [number, number];
}

/** Bars side by side with intervals; a line across each is what chance shows, where that is known. */
export function bars({ x, y, choices, labels, domain }: Bars): Drawing {
  const reported = [
    ...[{ field: 'run', title: 'run' }, x, y, { field: 'low', title: 'from' }],
    ...[
      { field: 'high', title: 'to' },
      { field: 'seeds', title: 'seeds' },
    ],
    { field: 'chance', title: 'chance' },
  ];
  const vertical = { type: 'quantitative', title: y.title, ...(domain && { scale: { domain } }) };
  return {
    ...choices,
    width: 'container',
    height: 260,
    encoding: {
      x: { ...x, type: 'nominal', sort: null, axis: { labelAngle: -35 } },
      xOffset: { field: 'run', type: 'nominal', sort: labels },
    },
    layer: [
      {
        mark: { type: 'bar', stroke: '#808080', strokeWidth: 0.5 },
        encoding: {
          y: { ...vertical, field: y.field },
          color: { ...fillEncoding(labels), legend: { title: 'run' } },
          tooltip: describe(reported),
        },
      },
      {
        mark: { type: 'rule', strokeWidth: 1.5, color: '#808080', aria: false },
        encoding: { y: { ...vertical, field: 'low' }, y2: { field: 'high' } },
      },
      {
        transform: [{ filter: 'isValid(datum.chance)' }],
        mark: { type: 'tick', thickness: 2, color: '#d55e00', aria: false },
        encoding: { y: { ...vertical, field: 'chance' } },
      },
    ],
  };
}
