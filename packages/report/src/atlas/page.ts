/** The script of `atlas.html`: draws its figures from the data beside them, and tells what marks stand for. */
import { type Config, parse, View } from 'vega';
import { expressionInterpreter } from 'vega-interpreter';

type Cell = string | number | null;
/** A figure's rows as the page holds them. */
interface Columns {
  readonly fields: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

const darkColors: Readonly<Record<string, string>> = JSON.parse(readText('dark-colors'));
const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const views = new Map<HTMLElement, View>();

function readText(id: string): string {
  return document.getElementById(id)?.textContent ?? 'null';
}

function readRows(id: string): readonly Readonly<Record<string, Cell>>[] {
  const { fields, rows }: Columns = JSON.parse(readText(`${id}-data`));
  return rows.map((row) => Object.fromEntries(fields.map((field, i) => [field, row[i] ?? null])));
}

function theme(): Config {
  const ink = prefersDark.matches ? '#d6d3cc' : '#1a1a1a';
  const line = prefersDark.matches ? '#444444' : '#dddddd';
  const axis = { labelColor: ink, titleColor: ink, tickColor: ink, domainColor: ink };
  return {
    axis: { ...axis, gridColor: line },
    legend: { labelColor: ink, titleColor: ink },
    title: { color: ink },
  };
}

/** Compiled drawings have the colors of a light page. */
function readDrawing(id: string): string {
  const text = readText(`${id}-drawing`);
  if (!prefersDark.matches) return text;
  return text.replace(/#[0-9a-f]{6}/g, (color) => darkColors[color] ?? color);
}

async function draw(figure: HTMLElement): Promise<void> {
  const container = figure.querySelector<HTMLElement>('.view');
  if (container === null) return;
  views.get(figure)?.finalize();
  const view = new View(parse(JSON.parse(readDrawing(figure.id)), theme(), { ast: true }), {
    ...{ container, expr: expressionInterpreter, hover: false },
    renderer: 'canvas' in figure.dataset ? 'canvas' : 'svg',
  });
  view.data('atlas', [...readRows(figure.id)]);
  view.tooltip((_handler, _event, _item, value) => tell(figure, value));
  views.set(figure, view);
  await view.runAsync();
  figure.dataset.drawn = 'true';
}

/** Says under a figure what a mark stands for. */
function tell(figure: HTMLElement, value: unknown): void {
  const output = figure.querySelector('output');
  if (output === null || typeof value !== 'object' || value === null) return;
  output.textContent = Object.entries(value)
    .filter(([, text]) => !['', 'null', 'undefined', 'NaN'].includes(String(text)))
    .map(([name, text]) => `${name}: ${String(text)}`)
    .join(' · ');
}

/** The values of all marks that stand for something, in the order in which they were drawn. */
function listTooltips(node: unknown): readonly object[] {
  if (typeof node !== 'object' || node === null) return [];
  const own =
    'tooltip' in node && typeof node.tooltip === 'object' && node.tooltip !== null
      ? [node.tooltip]
      : [];
  if ('root' in node) return listTooltips(node.root);
  const inside = 'items' in node && Array.isArray(node.items) ? node.items : [];
  return [...own, ...inside.flatMap(listTooltips)];
}

const STEPS: Readonly<Record<string, number>> = {
  ...{ ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 },
};

function readByKeys(figure: HTMLElement): void {
  let at = -1;
  figure.querySelector<HTMLElement>('.view')?.addEventListener('keydown', (event) => {
    const by = STEPS[event.key];
    const isOnInput = event.target instanceof Element && event.target.closest('input, select');
    if (by === undefined || isOnInput) return;
    event.preventDefault();
    const all = listTooltips(views.get(figure)?.scenegraph());
    at = (at + by + all.length) % Math.max(1, all.length);
    tell(figure, all[at]);
  });
}

function saveOnClick(figure: HTMLElement): void {
  figure.querySelector('figcaption button')?.addEventListener('click', () => {
    const link = document.createElement('a');
    const text = JSON.stringify(readRows(figure.id));
    link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    link.download = `${figure.id}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

async function drawAll(figures: readonly HTMLElement[]): Promise<void> {
  // One after another: the page answers meanwhile.
  for (const figure of figures) await draw(figure);
}

const figures = [...document.querySelectorAll<HTMLElement>('figure')];
for (const figure of figures) {
  readByKeys(figure);
  saveOnClick(figure);
}
prefersDark.addEventListener('change', () => drawAll(figures));
void drawAll(figures);
