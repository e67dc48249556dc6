import { describe, expect, it } from 'vitest';
import { formatCsv, layOut } from '../src/index.js';

const head = ['run', 'epochs to 99 %', 'final val. %', 'backend', 'what it is'];
const rows = [
  ['teacher', '128', '100.00', 'onnx', 'a model of two blocks that is trained alone'],
  ['feature', '64', '99.91', 'onnx', 'short'],
];
const wide = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));
const words = (text: string): readonly string[] =>
  text.split(/\s+/).filter((word) => /\w/.test(word));

describe('layOut within a width', () => {
  it('breaks heads first, and never before a unit', () => {
    expect(
      layOut(['run', 'epochs to 99 %'], [['teacher', '128']], { style: 'text', width: 16 }),
    ).toBe(
      [
        'run      epochs',
        '             to',
        '           99 %',
        '-------  ------',
        'teacher     128',
        '',
      ].join('\n'),
    );
  });
  it('then breaks the cells that may, and leaves out what matters least', () => {
    const layout = { style: 'text', align: 'left', wrap: ['what it is'] } as const;
    const all = layOut(head, rows, { ...layout, width: 64 });
    expect(wide(all)).toBeLessThanOrEqual(64);
    // Catches: a word lost where a cell is broken.
    for (const word of words([head, ...rows].flat().join(' '))) expect(words(all)).toContain(word);
    const some = layOut(head, rows, { ...layout, width: 52, drop: ['backend', 'epochs to 99 %'] });
    expect(wide(some)).toBeLessThanOrEqual(52);
    expect(some).not.toContain('onnx');
    expect(some).toContain('128');
    expect(some).toContain('not shown: backend (--wide shows all)');
  });
  it('continues in blocks that each name their rows', () => {
    const blocks = layOut(head, rows, { style: 'text', width: 45 });
    expect(wide(blocks)).toBeLessThanOrEqual(45);
    expect(blocks.split('\n\n').length).toBeGreaterThan(1);
    for (const block of blocks.split('\n\n')) expect(block).toMatch(/^run .*\n[\s\S]*^teacher /m);
  });
  it.each([12, 20, 40, 80])('never writes a line of more than %i columns', (width) => {
    // Catches: a long path that pushes everything over the edge.
    const long = [...rows, ['x'.repeat(100), 'y'.repeat(90), 'z', '', 'w'.repeat(85)]];
    for (const align of ['left', 'right'] as const)
      expect(wide(layOut(head, long, { style: 'text', width, align }))).toBeLessThanOrEqual(width);
  });
  it('is whole where no width is given, and in Markdown', () => {
    expect(layOut(head, rows, { style: 'text' }).split('\n')).toHaveLength(5);
    expect(layOut(head, rows, { style: 'markdown', width: 20 }).split('\n')).toHaveLength(5);
  });
});

it('formatCsv quotes what a cell cannot hold, and joins what is nested', () => {
  // Catches: a comma that makes two cells of one; a key that only a later record has.
  const records = [
    { name: 'a, "b"', to: { 0.9: 5, 0.99: null }, list: ['x', 'y'] },
    { name: 'c', extra: 'two\nlines' },
  ];
  expect(formatCsv(records)).toBe(
    'name,to.0.9,to.0.99,list,extra\n"a, ""b""",5,,x y,\nc,,,,"two\nlines"\n',
  );
  expect(formatCsv([])).toBe('');
});
