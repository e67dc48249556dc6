/**
 * Draws grok's output in an 80-column terminal to docs/screens/terminal-*.svg: real commands in a
 * pseudo-terminal (util-linux's `script`), about four minutes on two cores. Needs a build.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = join(root, 'apps/cli/dist/cli.js');
const COLUMNS = 80;
const COLORS = { 1: '#ffffff', 31: '#ff7b72', 32: '#7ee787', 36: '#79c0ff' };
const [PLAIN, PAPER, DIM] = ['#d0d7de', '#0d1117', '#8b949e'];
const [CHAR, LINE, EDGE] = [8.43, 18, 16];

const ESCAPE = '\x1b';
/** Cursor and color sequences, or a character. */
const SENT = new RegExp(`(${ESCAPE}\\[K)|${ESCAPE}\\[([\\d;]*)m|[^]`, 'gu');

/** Records what a command writes to a terminal. */
function record(words, cwd) {
  const command = [process.execPath, cli, ...words].map((word) => `'${word}'`).join(' ');
  const args = ['-qec', `stty cols ${COLUMNS} rows 50; exec ${command}`, '/dev/null'];
  const env = { ...process.env, TERM: 'xterm-256color', COLUMNS: String(COLUMNS) };
  delete env.NO_COLOR;
  return new Promise((resolve, reject) => {
    let text = '';
    const child = spawn('script', args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(text) : reject(new Error(`${command}: ${code}`)),
    );
  });
}

/** The lines of the screen after a stream of text: each is a list of characters with a color. */
function screenOf(stream) {
  const lines = [[]];
  let [column, color] = [0, PLAIN];
  for (const [piece, erase, codes] of stream.matchAll(SENT)) {
    const line = lines.at(-1);
    if (erase !== undefined) line.length = column;
    else if (codes !== undefined) color = COLORS[codes] ?? PLAIN;
    else if (piece === '\r') column = 0;
    else if (piece === '\n') {
      lines.push([]);
      column = 0;
    } else line[column++] = { piece, color };
  }
  return lines;
}

const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The words of a line with their columns: each is placed separately, so that no font can shift it. */
function wordsOf(line) {
  const words = [];
  for (const [at, cell] of line.entries()) {
    if (cell === undefined || cell.piece === ' ') continue;
    const last = words.at(-1);
    if (last?.color === cell.color && last.at + last.text.length === at) last.text += cell.piece;
    else words.push({ at, color: cell.color, text: cell.piece });
  }
  return words;
}

/** A screen as SVG, with the command above it. */
function draw(words, lines, title) {
  const text = `$ grok ${words.join(' ')}`;
  const prompt = [...text].map((piece, i) => ({ piece, color: i < 1 ? DIM : '#ffffff' }));
  const all = [prompt, ...lines];
  while (all.at(-1)?.length === 0) all.pop();
  const [width, height] = [Math.ceil(COLUMNS * CHAR + 2 * EDGE), all.length * LINE + 2 * EDGE];
  const rows = all.map((line, i) => {
    const spans = wordsOf(line).map(
      ({ at, color, text }) =>
        `<tspan x="${(EDGE + at * CHAR).toFixed(1)}" fill="${color}">${escaped(text)}</tspan>`,
    );
    return `<text y="${EDGE + (i + 0.75) * LINE}">${spans.join('')}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${escaped(title)}">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" rx="8" fill="${PAPER}"/>
<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">
${rows.join('\n')}
</g>
</svg>
`;
}

function write(name, svg) {
  const file = join(root, 'docs/screens', `terminal-${name}.svg`);
  writeFileSync(file, svg);
  process.stdout.write(`${file}: ${Math.round(svg.length / 1024)} kB\n`);
}

const folder = mkdtempSync(join(tmpdir(), 'grok-pictures-'));
try {
  const preset = JSON.parse(readFileSync(join(root, 'apps/cli/presets/study-small.json'), 'utf8'));
  const { none, logit, feature } = preset.arms;
  const { teachers: _, ...small } = { ...preset, name: 'small', family: ['logit', 'feature'] };
  const plan = { ...small, summary: 'Division modulo 23.', arms: { none, logit, feature } };
  writeFileSync(join(folder, 'plan.json'), JSON.stringify(plan));
  const run = ['study', 'run', 'plan.json'];
  const stream = await record(run, folder);
  // The last screen before the seventh of twelve runs finished.
  const moving = stream.slice(0, stream.lastIndexOf(`\r${ESCAPE}[K`, stream.indexOf('[7/12]')));
  write('study', draw(run, screenOf(moving), 'grok study run: twelve runs with one ETA'));
  const table = ['study', 'table', 'runs/study-small'];
  const lines = screenOf(await record(table, folder));
  const end = lines.findIndex((line) =>
    line
      .map((cell) => cell?.piece)
      .join('')
      .startsWith('Accuracies'),
  );
  write('table', draw(table, lines.slice(0, end), 'grok study table: arms over seeds'));
  write('help', draw(['--help'], screenOf(await record(['--help'], folder)), 'grok --help'));
} finally {
  rmSync(folder, { recursive: true });
}
