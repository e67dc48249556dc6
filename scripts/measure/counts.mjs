/** Counts in one parsed file: lines, casts, non-null assertions and suppressed checks. */
import { walk } from './sources.mjs';

/**
 * @typedef {import('./sources.mjs').Source} Source
 * @typedef {typeof NOTHING} Counts
 */

/**
 * `code`: lines with code; `comments`: lines with only a comment; `forced`: `as unknown as`
 * and `as never`; `casts`: other casts except `as const`; `nonNull`: `x!`.
 */
const NOTHING = {
  files: 0,
  code: 0,
  comments: 0,
  forced: 0,
  casts: 0,
  nonNull: 0,
  any: 0,
  tsComments: 0,
  biomeIgnores: 0,
};

/** @param {readonly Source[]} sources @returns {Counts} */
export function countAll(sources) {
  const sum = { ...NOTHING };
  for (const source of sources)
    for (const [key, value] of Object.entries(countFile(source)))
      sum[/** @type {keyof Counts} */ (key)] += value;
  return sum;
}

/** @param {Source} source @returns {Counts} */
export function countFile({ text, program, comments }) {
  const counts = { ...NOTHING, files: 1, ...countLines(text, comments) };
  for (const { value } of comments) {
    counts.tsComments += value.match(/@ts-(ignore|expect-error|nocheck)/g)?.length ?? 0;
    counts.biomeIgnores += value.match(/biome-ignore/g)?.length ?? 0;
  }
  walk(program, (node, parent) => {
    if (node.type === 'TSNonNullExpression') counts.nonNull++;
    else if (node.type === 'TSAnyKeyword') counts.any++;
    else if (isCast(node)) {
      const kind = classifyCast(node, parent);
      if (kind !== undefined) counts[kind]++;
    }
  });
  return counts;
}

/** @param {import('./sources.mjs').Node} node */
const isCast = ({ type }) => type === 'TSAsExpression' || type === 'TSTypeAssertion';

/** The `unknown` in the middle of `as unknown as T` belongs to the cast around it. @param {import('./sources.mjs').Node} node @param {import('./sources.mjs').Node | undefined} parent @returns {'forced' | 'casts' | undefined} */
function classifyCast({ typeAnnotation, expression }, parent) {
  if (typeAnnotation.type === 'TSTypeReference' && typeAnnotation.typeName.name === 'const')
    return undefined;
  const toUnknown = typeAnnotation.type === 'TSUnknownKeyword';
  if (toUnknown && parent !== undefined && isCast(parent)) return undefined;
  const fromUnknown = isCast(expression) && expression.typeAnnotation.type === 'TSUnknownKeyword';
  return fromUnknown || typeAnnotation.type === 'TSNeverKeyword' ? 'forced' : 'casts';
}

/** @param {string} text @param {readonly { start: number, end: number }[]} comments */
function countLines(text, comments) {
  let bare = '';
  let at = 0;
  for (const { start, end } of comments) {
    bare += text.slice(at, start) + text.slice(start, end).replace(/[^\n]/g, ' ');
    at = end;
  }
  bare += text.slice(at);
  const isFilled = (/** @type {string} */ line) => line.trim() !== '';
  const filled = text.split('\n').filter(isFilled).length;
  const code = bare.split('\n').filter(isFilled).length;
  return { code, comments: filled - code };
}
