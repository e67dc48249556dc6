/** Patterns over dotted names: sites of a model (`blocks.*.attn.hook_pattern`) and parameters (`blocks.0.*`). */
import { unknownName } from '../contracts/errors.js';

/** Whether a name matches a pattern: `*` matches any one part between dots, and at the end all remaining parts. */
export function matchesPattern(pattern: string, name: string): boolean {
  const parts = pattern.split('.');
  const own = name.split('.');
  const fits = parts.every((part, i) => i < own.length && (part === '*' || part === own[i]));
  return fits && (own.length === parts.length || parts.at(-1) === '*');
}

/**
 * The known names that match any of the patterns, without duplicates, pattern by pattern; `what` is
 * the word for a name in errors. @throws InputError when a pattern matches none.
 */
export function matchNames(
  what: string,
  patterns: readonly string[],
  known: readonly string[],
): readonly string[] {
  const found = patterns.flatMap((pattern) => {
    const matches = known.filter((name) => matchesPattern(pattern, name));
    if (matches.length === 0) throw unknownName(what, pattern, known);
    return matches;
  });
  return [...new Set(found)];
}
