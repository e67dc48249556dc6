import { InputError, isInputError, isRunError, RunError, unknownName } from '@grok/core';
import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../src/contracts/errors.js';

describe('errors', () => {
  it('identifies errors by name, including those of another copy of core', () => {
    // Catches: instanceof, which fails for a plugin's own copy of core; exit code 1 instead of 2.
    const foreign = Object.assign(new Error('x'), { name: 'GrokInputError' });
    expect([isInputError(new InputError('x')), isInputError(foreign)]).toEqual([true, true]);
    expect([isRunError(new RunError('x')), isRunError(new InputError('x'))]).toEqual([true, false]);
    expect([isInputError(new Error('x')), isInputError('GrokInputError')]).toEqual([false, false]);
    const cause = new Error('below');
    expect(new RunError('x', { cause }).cause).toBe(cause);
  });
});

describe('editDistance', () => {
  it('counts inserts, deletes, replacements and swaps', () => {
    // Catches: a swap of neighbors counted as two edits; a table filled from the wrong side.
    const cases: [string, string, number][] = [
      ['', '', 0],
      ['', 'abc', 3],
      ['abc', '', 3],
      ['kitten', 'sitting', 3],
      ['logti', 'logit', 1],
      ['feature', 'features', 1],
      ['abcd', 'badc', 2],
    ];
    for (const [a, b, distance] of cases) {
      expect(editDistance(a, b), `${a} ${b}`).toBe(distance);
      expect(editDistance(b, a), `${b} ${a}`).toBe(distance);
    }
  });
});

describe('unknownName', () => {
  const known = ['logit', 'feature', 'attention', 'hard'];
  it('truncates long text and skips suggestions for long names', () => {
    // Catches: an error of 100,000 characters, and a table of 100,000 × 100,000 edits.
    const long = 'x'.repeat(100_000);
    const { message } = unknownName(long, long, [...known, `${long}y`]);
    expect(unknownName('arm', long, [`${long}y`]).message).toBe(
      `unknown arm "${'x'.repeat(200)}…": known: ${'x'.repeat(2000)}…`,
    );
    expect(message).not.toContain('did you mean');
  });
  it('quotes names as JSON', () => {
    // Catches: quotes and control characters that break the message.
    expect(unknownName('arm', 'a"\n', ['b']).message).toBe('unknown arm "a\\"\\n": known: b');
  });
  it('suggests the nearest name and lists the known ones, sorted', () => {
    // Catches: a suggestion for any input, or none for a typo.
    expect(unknownName('strategy', 'logti', known).message).toBe(
      'unknown strategy "logti": did you mean "logit"? Known: attention, feature, hard, logit.'.slice(
        0,
        -1,
      ),
    );
    expect(unknownName('strategy', 'zebra', known).message).toBe(
      'unknown strategy "zebra": known: attention, feature, hard, logit',
    );
    expect(unknownName('probe', 'x', []).message).toBe('unknown probe "x": there are none');
    expect(isInputError(unknownName('probe', 'x', []))).toBe(true);
  });

  it('tolerates differences of case and one edit in three letters, no more', () => {
    // Catches: "no" suggested for "onnx"; no suggestion for a name in capitals.
    expect(nearest('Attention', known)).toBe('attention');
    expect(nearest('attentoin', known)).toBe('attention');
    expect(nearest('attn', known)).toBeUndefined();
    expect(nearest('warmpu', ['warmup', 'weightDecay'])).toBe('warmup');
  });
});
