/** Patterns over dotted names. */
import { matchesPattern, matchNames } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';

describe('a pattern', () => {
  it.each([
    ['embed.W_E', 'embed.W_E', true],
    ['embed.*', 'embed.W_E', true],
    ['blocks.*.attn.W_Q', 'blocks.12.attn.W_Q', true],
    ['blocks.0.*', 'blocks.0.attn.W_Q', true],
    ['*', 'blocks.0.attn.W_Q', true],
    ['blocks.*.W_Q', 'blocks.0.attn.W_Q', false],
    ['blocks.1.*', 'blocks.10.attn.W_Q', false],
    ['embed.*', 'embed', false],
    ['embed', 'embed.W_E', false],
    ['embed.W.E', 'embed.W_E', false],
  ])('%s and the name %s: %s', (pattern, name, fits) => {
    // Catches: a prefix that matches a whole part; a star in the middle that matches several parts.
    expect(matchesPattern(pattern, name)).toBe(fits);
  });
  it('that matches nothing is an error that lists the names', () => {
    // Catches: a misspelled pattern that silently does nothing.
    const known = ['embed.W_E', 'unembed.W_U'];
    expect(matchNames('parameter', ['unembed.*', '*'], known)).toEqual([
      'unembed.W_U',
      'embed.W_E',
    ]);
    expect(() => matchNames('parameter', ['embed.W_F'], known)).toThrow(
      'unknown parameter "embed.W_F": did you mean "embed.W_E"',
    );
  });
});
