import { describe, expect, it } from 'vitest';
import {
  againstControl,
  LEAK_NOTE,
  listColumns,
  markdown,
  published,
  reproductionColumns,
  runTable,
} from '../src/index.js';
import { record } from './helpers.js';

const never = { '0.5': 98, '0.9': 117, '0.95': null, '0.99': null, '0.999': null };
const runs = [
  { name: 'teacher', record: record({ parameters: 550272, finalValAccuracy: 1 }) },
  { name: 'none', record: record() },
  { name: 'logit', record: record({ epochsTo: never, finalValAccuracy: 0.9659 }) },
  { name: 'feature', record: record({ epochsTo: { ...never, '0.99': 64 } }) },
];

describe('runTable', () => {
  it('puts our numbers beside the paper’s', () => {
    // Catches: swapped columns, shares printed as per cent without the factor 100.
    expect(runTable(runs, reproductionColumns(published), { style: 'text' }).split('\n')).toEqual([
      'run      parameters  epochs to 99 %  paper  final val. %  best of last 10 %  paper %  seconds  s/epoch',
      '-------  ----------  --------------  -----  ------------  -----------------  -------  -------  -------',
      'teacher     550,272             128  70–90        100.00              99.93   100.00     41.2    0.265',
      'none        144,064             128      –         99.91              99.93        –     41.2    0.265',
      'logit       144,064               –    123         96.59              99.93    99.98     41.2    0.265',
      'feature     144,064              64     91         99.91              99.93   100.00     41.2    0.265',
      '',
    ]);
  });
  it('leaves the paper’s columns out where there is nothing to compare', () => {
    // Catches: the paper's numbers beside another task's.
    expect(runTable(runs, reproductionColumns({}), { style: 'text' })).not.toContain('paper');
  });
  it('is Markdown when asked', () => {
    // Catches: a rule that is no Markdown rule, so that the table shows as text.
    const [head, rule, first] = runTable(runs, reproductionColumns(published), {
      style: 'markdown',
    }).split('\n');
    expect(head).toMatch(/^\| run +\|/);
    expect(rule).toMatch(/^\| -+ \| -+: \|/);
    expect(first?.split('|')).toHaveLength(head!.split('|').length);
  });
  it.each([
    ['reproduction', reproductionColumns(published)],
    ['list', listColumns],
  ])('labels a leaked run in a %s', (_, columns) => {
    // Catches: a leaked run that looks like any other.
    for (const style of ['text', 'markdown'] as const) {
      const leaked = [{ name: 'logit', record: record({ leaked: true }) }];
      expect(runTable(leaked, columns, { style })).toContain('logit (leaked)');
      expect(runTable(leaked, columns, { style })).toContain(LEAK_NOTE);
      expect(runTable(runs, columns, { style })).not.toContain(LEAK_NOTE);
    }
  });
  it('shows a run without an epoch', () => {
    // Catches: "NaN" or a crash for a run interrupted early.
    const early = record({ finalValAccuracy: null, bestOfLast10: null, secondsPerEpoch: null });
    expect(
      runTable([{ name: 'none', record: early }], reproductionColumns(published), {
        style: 'text',
      }),
    ).not.toMatch(/NaN|null|undefined/);
  });
});

describe('names in tables', () => {
  const name = 'a|b `c` *d* _e_ <img src=x> ](http://x) &lt; snake_case\x1b[2J\u202e';
  it('are no Markdown, HTML or control characters', () => {
    // Catches: a name that opens a cell, a link or a tag in the report of who downloaded it, or moves the cursor.
    expect(markdown(name)).toBe(
      'a\\|b \\`c\\` \\*d\\* \\_e\\_ \\<img src=x> \\](http://x) \\&lt; snake_case\\\\u001b[2J\\\\u202e',
    );
    expect(markdown('p < .05, ± 3 × 2 [0, 1] & more')).toBe('p < .05, ± 3 × 2 [0, 1] & more');
    const table = runTable([{ name, record: record() }], listColumns, { style: 'markdown' });
    expect(
      table
        .split('\n')
        .slice(0, 3)
        .map((line) => line.split(/(?<!\\)\|/).length),
    ).toEqual([10, 10, 10]);
    expect(runTable([{ name, record: record() }], listColumns, { style: 'text' })).not.toMatch(
      /(?!\n)\p{Cc}|\p{Bidi_Control}/u,
    );
  });
});

describe('againstControl', () => {
  it('states each student against the control', () => {
    // Catches: the ratio upside down; a student that never grokked left out.
    expect(againstControl(runs)).toBe(
      "Epochs to 99 % against the control without a teacher (128): logit never (in 150 epochs), feature 64 (2.00 × the control's speed).",
    );
  });
  it('gives no ratio to a control that never got there', () => {
    const [teacher, none, , feature] = runs;
    const slow = { ...none!, record: record({ epochsTo: never }) };
    expect(againstControl([teacher!, slow, feature!])).toBe(
      'Epochs to 99 % against the control without a teacher (never in 150 epochs): feature 64.',
    );
  });
  it('says nothing without a control', () => {
    expect(againstControl(runs.slice(2))).toBe('');
  });
});
